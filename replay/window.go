package replay

import (
	"errors"
	"io"
)

// maxRowBytes bounds one row or tag. An opening quote without an end costs at most this much reading.
const maxRowBytes = 1 << 20

// window is a sliding view of a text.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int // buf[r:w] is unread
	eof  bool
	err  error // of src
}

func newWindow(src io.Reader, size int) window { return window{src: src, buf: make([]byte, size)} }

// more reads on. It returns false at the end, on an error and when the unread text has reached its bound.
func (s *window) more() bool {
	if s.eof || s.err != nil || s.w-s.r >= maxRowBytes {
		return false
	}
	if s.r > 0 {
		s.w = copy(s.buf, s.buf[s.r:s.w])
		s.r = 0
	}
	if s.w == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		if errors.Is(err, io.EOF) {
			s.eof = true
		} else {
			s.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}
