package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	utf8BOM   = []byte{0xef, 0xbb, 0xbf}
	utf16BOMs = [][]byte{{0xff, 0xfe}, {0xfe, 0xff}}
)

// source is an open file: its text, unpacked and without a byte order mark.
type source struct {
	io.Reader
	file *os.File
}

// openSource opens a file. Its first bytes say whether it is packed; the name may be anything.
func openSource(name string) (*source, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	text, err := plainText(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open history %s: %w", name, err), file.Close())
	}
	return &source{text, file}, nil
}

func (s *source) Close() error { return s.file.Close() }

func plainText(r io.Reader) (io.Reader, error) {
	head := bufio.NewReaderSize(r, 64<<10)
	if start, _ := head.Peek(2); bytes.Equal(start, gzipMagic) {
		unpacked, err := gzip.NewReader(head)
		if err != nil {
			return nil, err
		}
		head = bufio.NewReaderSize(unpacked, 64<<10)
	}
	start, err := head.Peek(3) // a shorter file has no mark; its end is found again on reading
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, mark := range utf16BOMs {
		if bytes.HasPrefix(start, mark) {
			return nil, errors.New("the text is UTF-16: save it as UTF-8")
		}
	}
	if bytes.Equal(start, utf8BOM) {
		if _, err := head.Discard(3); err != nil {
			return nil, err
		}
	}
	return head, nil
}
