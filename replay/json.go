package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// expect reads a delimiter.
func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%v where %v must be", token, want)
	}
	return nil
}

// unexpected names the end of a text that ought to go on.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// decodeNumbers decodes a value and keeps numbers as they are written.
func decodeNumbers(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// wrong says in plain words why a value could not be decoded.
func wrong(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &kind):
		return err.Error()
	case kind.Field == "":
		return "it is: " + kind.Value
	}
	return kind.Field + " is: " + kind.Value
}

// lineCounter tells the line of an offset in what was read from it, for growing offsets.
type lineCounter struct {
	src    io.Reader
	read   int64
	passed int     // line ends before the last offset asked for
	ends   []int64 // offsets of line ends after it
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.src.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset, from 1.
func (l *lineCounter) at(offset int64) int {
	i := 0
	for i < len(l.ends) && l.ends[i] < offset {
		i++
	}
	l.passed += i
	l.ends = l.ends[i:]
	return l.passed + 1
}
