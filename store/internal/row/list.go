package row

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

// Cursor is the sort key of the last row of a page: the next page begins after it.
type Cursor struct{ Rank, Due, ID int64 }

const cursorVersion = 1

// String returns the opaque text that travels.
func (c Cursor) String() string {
	b := []byte{cursorVersion}
	for _, x := range [...]int64{c.Rank, c.Due, c.ID} {
		b = binary.AppendVarint(b, x)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor is the inverse of String; "" is before the first row. An error is store.ErrBadCursor.
func ParseCursor(text string) (Cursor, error) {
	c := Cursor{Rank: -1}
	if text == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != cursorVersion {
		return c, fmt.Errorf("%w: %q", store.ErrBadCursor, text)
	}
	r := bytes.NewReader(b[1:])
	for _, x := range [...]*int64{&c.Rank, &c.Due, &c.ID} {
		if *x, err = binary.ReadVarint(r); err != nil {
			return c, fmt.Errorf("%w: %q", store.ErrBadCursor, text)
		}
	}
	if r.Len() > 0 || c.Rank < rankStuck || c.Rank > rankClosed {
		return c, fmt.Errorf("%w: %q", store.ErrBadCursor, text)
	}
	return c, nil
}

// Limit returns the number of rows of a page.
func Limit(asked int) int {
	const usual, most = 50, 500
	if asked == 0 {
		return usual
	}
	return min(max(asked, 1), most)
}

// prefixEnd returns the least text above all that begin with the prefix, or false where there is none.
func prefixEnd(prefix string) (string, bool) {
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		next := runes[i] + 1
		if next == 0xD800 { // surrogates are no text
			next = 0xE000
		}
		if next <= utf8.MaxRune {
			return string(append(runes[:i:i], next)), true
		}
	}
	return "", false
}

// ListItem is a row of a list with its place in it.
type ListItem struct {
	sla.OrderRow
	At Cursor
}

// ScanListItem reads id, keys, channel, partner, state, created, updated of an order, then stage, entered,
// deadline, verdict, cause, rank, due of the visit that stands for it.
func ScanListItem(s Scanner, n *Names) (ListItem, error) {
	var (
		i                                   ListItem
		keys                                sql.NullString
		state, stage, verdict, cause        int64
		created, updated, entered, deadline sql.NullInt64
	)
	err := s.Scan(&i.ID, &keys, &i.Channel, &i.Partner, &state, &created, &updated,
		&stage, &entered, &deadline, &verdict, &cause, &i.At.Rank, &i.At.Due)
	if err != nil {
		return i, err
	}
	i.At.ID = int64(i.ID)
	i.Created, i.Updated, i.Entered, i.Deadline = Time(created), Time(updated), Time(entered), Time(deadline)
	list, err := ScanPairs[order.Key](keys)
	if err != nil {
		return i, err
	}
	i.Keys = make(map[string]string, len(list))
	for _, k := range list {
		i.Keys[k.Name] = k.Value
	}
	return i, n.Resolve(NamePair{state, (*string)(&i.State)}, NamePair{stage, &i.Stage},
		NamePair{verdict, (*string)(&i.Verdict)}, NamePair{cause, (*string)(&i.Cause)})
}

// Page makes a page of up to limit rows; one more tells that there is a next.
func Page(items []ListItem, limit int) sla.OrderPage {
	var p sla.OrderPage
	if len(items) > limit {
		items = items[:limit]
		p.Next = items[limit-1].At.String()
	}
	for _, i := range items {
		p.Items = append(p.Items, i.OrderRow)
	}
	return p
}

// AddTotal adds the orders of one state.
func AddTotal(t *sla.OrderTotals, state sla.State, all, late int) {
	switch state {
	case sla.StateOpen:
		t.Open += all
	case sla.StateFinished:
		t.Finished += all
	case sla.StateCancelled:
		t.Cancelled += all
	}
	t.Late += late
}
