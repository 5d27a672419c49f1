package replay

import (
	"bytes"
	"errors"
	"io"
)

var errMarkup = errors.New("broken markup")

// markup cuts XML into tags, as much of it as XES needs: text, comments, CDATA, processing instructions
// and the document type are passed over, and of a tag's attributes key and value are kept. It allocates
// nothing a tag, and where a tag is broken it goes on at the next one.
type markup struct {
	window
	lines   int // lines before buf[counted]
	counted int

	// The current tag, valid until the next call of next. Names are without their prefix.
	name       []byte
	end        bool // </name>
	empty      bool // <name/>
	key, value []byte
	start      int    // of the tag in buf
	encoding   string // of the XML declaration, "" if it has none
	shown      string // of the last broken tag
}

func newMarkup(src io.Reader) *markup { return &markup{window: newWindow(src, 256<<10)} }

// next reads the next tag. After errMarkup reading goes on; io.EOF and errors of the source are final.
func (m *markup) next() error {
	for {
		i := bytes.IndexByte(m.buf[m.r:m.w], '<')
		if i < 0 {
			m.r = m.w
			if !m.grow() {
				return m.final(io.EOF)
			}
			continue
		}
		m.r += i
		m.start = m.r
		if m.w-m.r < 2 {
			if !m.grow() {
				return m.final(io.ErrUnexpectedEOF)
			}
			continue
		}
		var err error
		switch m.buf[m.r+1] {
		case '!', '?':
			err = m.pass()
		default:
			return m.tag()
		}
		if err != nil {
			return err
		}
	}
}

// line returns the line on which the current tag starts, from 1.
func (m *markup) line() int {
	m.lines += bytes.Count(m.buf[m.counted:m.start], []byte{'\n'})
	m.counted = m.start
	return m.lines + 1
}

// grow reads on and keeps the count of lines and the start of the tag.
func (m *markup) grow() bool {
	m.start = m.r
	m.line()
	ok := m.more()
	m.start, m.counted = m.r, m.r
	return ok
}

// final is the error of a text that has no more.
func (m *markup) final(end error) error {
	if m.err != nil {
		return m.err
	}
	return end
}

func (m *markup) tag() error {
	for {
		switch n := m.parse(m.buf[m.r:m.w]); {
		case n > 0:
			m.r += n
			return nil
		case n < 0:
			return m.broken()
		case m.grow():
		case m.err != nil || m.eof:
			return m.final(io.ErrUnexpectedEOF)
		default: // longer than the bound
			return m.broken()
		}
	}
}

// shownBytes is how much of a broken tag a message shows.
const shownBytes = 40

// broken steps past the start of a broken tag.
func (m *markup) broken() error {
	for m.w-m.r < shownBytes && m.grow() {
	}
	m.shown = string(m.buf[m.r:min(m.w, m.r+shownBytes)])
	m.r++
	return errMarkup
}

// parse reads the tag at the start of b and returns its length: 0 if it goes on after b, -1 if it is broken.
func (m *markup) parse(b []byte) int {
	m.key, m.value, m.empty, m.end = nil, nil, false, false
	i := 1
	if b[1] == '/' {
		m.end = true
		i++
	}
	from := i
	for i < len(b) && b[i] > ' ' && b[i] != '>' && b[i] != '/' && b[i] != '<' {
		if b[i] == ':' {
			from = i + 1
		}
		i++
	}
	m.name = b[from:i]
	for i < len(b) {
		switch c := b[i]; {
		case c <= ' ':
			i++
		case c == '>':
			if len(m.name) == 0 {
				return -1
			}
			return i + 1
		case c == '/':
			if i+1 == len(b) {
				return 0
			}
			if b[i+1] != '>' || len(m.name) == 0 || m.end {
				return -1
			}
			m.empty = true
			return i + 2
		default:
			n := m.attribute(b[i:])
			if n <= 0 {
				return n
			}
			i += n
		}
	}
	return 0
}

// attribute reads name="value" and returns its length: 0 if it goes on after b, -1 if it is broken.
func (m *markup) attribute(b []byte) int {
	i := 0
	for i < len(b) && b[i] > ' ' && b[i] != '=' && b[i] != '>' && b[i] != '<' {
		i++
	}
	name := b[:i]
	i += blank(b[i:])
	if i == len(b) {
		return 0
	}
	if b[i] != '=' || len(name) == 0 {
		return -1
	}
	i++
	i += blank(b[i:])
	if i == len(b) {
		return 0
	}
	quote := b[i]
	if quote != '"' && quote != '\'' {
		return -1
	}
	i++
	n := bytes.IndexByte(b[i:], quote)
	if text := b[i:]; bytes.IndexByte(text[:max(n, 0)], '<') >= 0 {
		return -1 // a quote that does not end in its tag
	}
	if n < 0 {
		return 0
	}
	switch string(name) {
	case "key":
		m.key = b[i : i+n]
	case "value":
		m.value = b[i : i+n : i+n]
	}
	return i + n + 1
}

func blank(b []byte) int {
	for i, c := range b {
		if c > ' ' {
			return i
		}
	}
	return len(b)
}

// pass skips what begins with <! or <?.
func (m *markup) pass() error {
	for m.w-m.r < len("<![CDATA[") && m.grow() {
	}
	rest := m.buf[m.r:m.w]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return m.passTo("-->", len("<!--"))
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return m.passTo("]]>", len("<![CDATA["))
	case rest[1] == '?':
		if bytes.HasPrefix(rest, []byte("<?xml")) && m.encoding == "" {
			m.declaration()
		}
		return m.passTo("?>", len("<?"))
	}
	return m.passType()
}

func (m *markup) passTo(end string, from int) error {
	m.r += min(from, m.w-m.r)
	for {
		if i := bytes.Index(m.buf[m.r:m.w], []byte(end)); i >= 0 {
			m.r += i + len(end)
			return nil
		}
		m.r = max(m.r, m.w-len(end)+1)
		if !m.grow() {
			return m.final(io.ErrUnexpectedEOF)
		}
	}
}

// passType skips a document type, its internal subset included.
func (m *markup) passType() error {
	inside := false
	for {
		for ; m.r < m.w; m.r++ {
			switch c := m.buf[m.r]; {
			case c == '[':
				inside = true
			case c == ']':
				inside = false
			case c == '>' && !inside:
				m.r++
				return nil
			}
		}
		if !m.grow() {
			return m.final(io.ErrUnexpectedEOF)
		}
	}
}

// declaration notes the encoding that the XML declaration at m.r names.
func (m *markup) declaration() {
	for bytes.IndexByte(m.buf[m.r:m.w], '>') < 0 && m.grow() {
	}
	text, _, _ := bytes.Cut(m.buf[m.r:m.w], []byte("?>"))
	_, text, _ = bytes.Cut(text, []byte("encoding"))
	text = bytes.TrimLeft(text, " \t\r\n=")
	if len(text) == 0 {
		return
	}
	if text, _, ok := bytes.Cut(text[1:], text[:1]); ok {
		m.encoding = string(text)
	}
}
