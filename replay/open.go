package replay

import (
	"bufio"
	"bytes"
	"io"
)

// newReader returns the Reader of a file by what its text begins with: < is XES, { and [ are JSON, anything
// else is a CSV table.
func newReader(file string, r io.Reader, m *Mapping, dues []string) (Reader, error) {
	head := bufio.NewReaderSize(r, 4<<10)
	start, _ := head.Peek(4 << 10) // an error is found again on reading
	start = bytes.TrimLeft(start, " \t\r\n")
	switch {
	case len(start) > 0 && start[0] == '<':
		return NewXES(file, head, m, dues)
	case len(start) > 0 && (start[0] == '{' || start[0] == '[') && m.Layout == LayoutOCEL:
		return NewOCEL(file, head, m, dues)
	case len(start) > 0 && (start[0] == '{' || start[0] == '['):
		return NewJSONL(file, head, m, dues)
	}
	return NewCSV(file, head, m, dues)
}
