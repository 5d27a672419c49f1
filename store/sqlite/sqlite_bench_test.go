package sqlite_test

import (
	"testing"

	"github.com/alexandrite/orderwatch/store/storetest"
)

func BenchmarkAppend(b *testing.B) { storetest.BenchAppend(b, driver) }

func BenchmarkSave(b *testing.B) { storetest.BenchSave(b, driver) }

func BenchmarkRestore(b *testing.B) { storetest.BenchRestore(b, driver) }
