package replay

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charset turns a file's bytes into text. The nil *charset is UTF-8.
type charset struct{ table *charmap.Charmap }

var charsets = map[string]*charmap.Charmap{
	"iso-8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-5": charmap.ISO8859_5,
	"iso-8859-15": charmap.ISO8859_15, "windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251,
	"windows-1252": charmap.Windows1252, "koi8-r": charmap.KOI8R,
}

// charsetOf returns the character set of a name as XML declarations have it. One that is not known is read as
// UTF-8, so that its text beyond ASCII is found wrong and counted.
func charsetOf(name string) *charset { return &charset{table: charsets[strings.ToLower(name)]} }

// decode returns the text in UTF-8, or false where the bytes are none in this character set.
func (c *charset) decode(raw []byte) ([]byte, bool) {
	if c == nil || c.table == nil {
		return raw, utf8.Valid(raw)
	}
	out := make([]byte, 0, len(raw))
	for _, b := range raw {
		r := c.table.DecodeByte(b)
		if r == utf8.RuneError {
			return nil, false
		}
		out = utf8.AppendRune(out, r)
	}
	return out, true
}
