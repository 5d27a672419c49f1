package replay

import (
	"bytes"
	"errors"
	"io"
)

var (
	errQuotes  = errors.New("unbalanced quotes")
	errTooLong = errors.New("row too long")
)

// scanner cuts RFC 4180 text into rows as encoding/csv does, with two differences that matter
// here: it allocates nothing a row, and after a row with broken quotes it goes on at the next line,
// where encoding/csv would swallow the rest of the file.
type scanner struct {
	window
	line   int // lines consumed
	row    int // line on which the current row starts, from 1
	fields [][]byte
	text   []byte // the unquoted fields of the current row
}

func newScanner(src io.Reader) *scanner { return &scanner{window: newWindow(src, 64<<10)} }

// next reads a row into s.fields, valid until the next call. Blank lines are skipped. After errQuotes
// and errTooLong reading goes on; io.EOF and errors of the source are final.
func (s *scanner) next() error {
	for {
		n, err := s.lineLength()
		if err != nil {
			return err
		}
		s.row = s.line + 1
		line := trimEnd(s.buf[s.r : s.r+n])
		switch {
		case len(line) == 0:
			s.consume(n)
		case bytes.IndexByte(line, '"') < 0:
			s.split(line)
			s.consume(n)
			return nil
		default:
			return s.quoted(n)
		}
	}
}

// nextLine reads a line, valid until the next call, without regard to quotes. Errors are as for next.
func (s *scanner) nextLine() ([]byte, error) {
	n, err := s.lineLength()
	if err != nil {
		return nil, err
	}
	s.row = s.line + 1
	line := s.buf[s.r : s.r+n]
	s.consume(n)
	return line, nil
}

// lineLength returns the length of the next line, its end included.
func (s *scanner) lineLength() (int, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(s.buf[s.r+seen:s.w], '\n'); i >= 0 {
			return seen + i + 1, nil
		}
		seen = s.w - s.r
		switch {
		case s.more():
		case s.err != nil:
			return 0, s.err
		case !s.eof:
			s.row = s.line + 1
			return 0, s.dropLine()
		case seen == 0:
			return 0, io.EOF
		default:
			return seen, nil
		}
	}
}

// dropLine skips a line that is longer than the buffer may be.
func (s *scanner) dropLine() error {
	for {
		if i := bytes.IndexByte(s.buf[s.r:s.w], '\n'); i >= 0 {
			s.consume(i + 1)
			return errTooLong
		}
		s.r = s.w
		if !s.more() {
			s.line++
			if s.err != nil {
				return s.err
			}
			return errTooLong
		}
	}
}

func (s *scanner) consume(n int) {
	s.line += bytes.Count(s.buf[s.r:s.r+n], []byte{'\n'})
	s.r += n
}

func (s *scanner) split(line []byte) {
	s.fields = s.fields[:0]
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			s.fields = append(s.fields, line)
			return
		}
		s.fields = append(s.fields, line[:i])
		line = line[i+1:]
	}
}

// quoted reads a row that has a quote in its first line, of length first. The window doubles, so
// that a quote that never ends is looked at a bounded number of times.
func (s *scanner) quoted(first int) error {
	window := first
	for {
		window = min(window, s.w-s.r)
		final := s.eof && window == s.w-s.r
		n, err := s.parse(s.buf[s.r:s.r+window], final)
		if n > 0 {
			s.consume(n)
			return nil
		}
		if err != nil || final {
			s.consume(first)
			return errQuotes
		}
		for window *= 2; s.w-s.r < window && s.more(); {
		}
		if s.err != nil {
			return s.err
		}
		if !s.eof && s.w-s.r >= maxRowBytes && window > s.w-s.r {
			s.consume(first)
			return errQuotes
		}
	}
}

// parse reads one row from the start of text and returns its length: 0 if the row goes on after text.
func (s *scanner) parse(text []byte, final bool) (int, error) {
	s.fields, s.text = s.fields[:0], s.text[:0]
	for at := 0; ; {
		var length int
		if at < len(text) && text[at] == '"' {
			field, n := s.unquote(text[at:], final)
			if n == 0 {
				return 0, nil
			}
			s.fields = append(s.fields, field)
			length = n
		} else {
			length = bytes.IndexAny(text[at:], ",\n")
			if length < 0 {
				if !final {
					return 0, nil
				}
				length = len(text) - at
			}
			field := text[at : at+length]
			if bytes.IndexByte(field, '"') >= 0 {
				return 0, errQuotes
			}
			if at+length == len(text) || text[at+length] == '\n' {
				field = bytes.TrimSuffix(field, []byte{'\r'})
			}
			s.fields = append(s.fields, field)
		}
		at += length
		switch rest := text[at:]; {
		case len(rest) == 0 && final:
			return at, nil
		case len(rest) == 0, len(rest) == 1 && rest[0] == '\r' && !final:
			return 0, nil
		case rest[0] == ',':
			at++
		case rest[0] == '\n':
			return at + 1, nil
		case rest[0] == '\r' && (len(rest) == 1 || rest[1] == '\n'):
			return at + min(2, len(rest)), nil
		default:
			return 0, errQuotes
		}
	}
}

// unquote reads a quoted field from the start of text and returns it and its length in text, 0 if
// the field may go on after text.
func (s *scanner) unquote(text []byte, final bool) ([]byte, int) {
	start := len(s.text)
	for at := 1; ; {
		i := bytes.IndexByte(text[at:], '"')
		if i < 0 {
			return nil, 0
		}
		s.text = append(s.text, text[at:at+i]...)
		at += i + 1
		switch {
		case at < len(text) && text[at] == '"':
			s.text = append(s.text, '"')
			at++
		case at == len(text) && !final:
			return nil, 0
		default:
			return s.text[start:len(s.text):len(s.text)], at
		}
	}
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}
