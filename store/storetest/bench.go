package storetest

import (
	"fmt"
	"testing"

	"github.com/alexandrite/orderwatch/sla"
)

// BenchAppend measures Append by batch size; it reports records a second.
func BenchAppend(b *testing.B, d Driver) {
	for _, size := range []int{1, 50, 500, 5000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			s := openNew(b, d)
			seq := int64(1)
			for b.Loop() {
				check(b, s.Append(b.Context(), Batch(seq, size, 10_000)))
				seq += int64(size)
			}
			b.ReportMetric(float64(seq-1)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchSave measures Save of orders that each entered a further stage, the sixth; it reports orders a second.
func BenchSave(b *testing.B, d Driver) {
	for _, size := range []int{1, 100, 2000} {
		b.Run(fmt.Sprint("orders=", size), func(b *testing.B) {
			s := openNew(b, d)
			changes := make([]sla.Change, 2)
			for i := range changes {
				for id := range size {
					changes[i].Orders = append(changes[i].Orders, Order(sla.OrderID(id+1), 5+i))
				}
			}
			n := 0
			for b.Loop() {
				check(b, s.Save(b.Context(), &changes[n%2], 0))
				n++
			}
			b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

// BenchRestore measures Restore of open orders of three records each; it reports orders a second.
func BenchRestore(b *testing.B, d Driver) {
	const orders, size = 20_000, 2000
	s := openNew(b, d)
	seq := int64(1)
	for ; seq <= 3*orders; seq += size {
		check(b, s.Append(b.Context(), Batch(seq, size, orders)))
	}
	for id := sla.OrderID(1); id <= orders; id += size {
		var c sla.Change
		for i := range sla.OrderID(size) {
			c.Orders = append(c.Orders, Order(id+i, 3))
		}
		check(b, s.Save(b.Context(), &c, seq-1))
	}
	for b.Loop() {
		n := 0
		check(b, s.Restore(b.Context(), func(sla.History) error { n++; return nil }))
		if n != orders {
			b.Fatalf("%d orders restored, want %d", n, orders)
		}
	}
	b.ReportMetric(float64(b.N*orders)/b.Elapsed().Seconds(), "orders/s")
}
