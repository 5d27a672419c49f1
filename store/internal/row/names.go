package row

import (
	"fmt"
	"sync"
)

// Names is the memory of the names table: short texts that repeat (sources, systems, statuses, key
// names, stages, verdicts), each written once and referred to by number. Number 0 is the empty text.
// One writer interns; any number of readers ask. What it holds is bounded by what senders that have
// an ingest token call their systems and statuses.
type Names struct {
	mu    sync.RWMutex
	ids   map[string]int64
	texts []string
	saved int // texts below this are in the table
	stale bool
}

// NewNames returns a memory that must be loaded first.
func NewNames() *Names {
	return &Names{ids: map[string]int64{"": 0}, texts: []string{""}, saved: 1, stale: true}
}

// Stale reports whether the table must be loaded again.
func (n *Names) Stale() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.stale
}

// Load replaces the memory by the table's texts, in order of id from 1 without a hole.
func (n *Names) Load(texts []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append([]string{""}, texts...)
	n.ids = make(map[string]int64, len(n.texts))
	for id, text := range n.texts {
		n.ids[text] = int64(id)
	}
	n.saved, n.stale = len(n.texts), false
}

// Intern returns the number of a text, a new one where it has none. New ones are in Fresh until Settle.
func (n *Names) Intern(text string) int64 {
	if id, ok := n.Find(text); ok {
		return id
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id := int64(len(n.texts))
	n.ids[text], n.texts = id, append(n.texts, text)
	return id
}

// Fresh returns id, text, id, text … of what the transaction in progress must write to the table.
func (n *Names) Fresh() []any {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var values []any
	for id := n.saved; id < len(n.texts); id++ {
		values = append(values, int64(id), n.texts[id])
	}
	return values
}

// Settle ends a transaction. Where it failed nobody knows which new names were written, so the
// table must be loaded again; until then readers may still meet numbers that were.
func (n *Names) Settle(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil:
		n.saved = len(n.texts)
	case n.saved < len(n.texts):
		n.stale = true
	}
}

// Find returns the number of a text, false where it has none.
func (n *Names) Find(text string) (int64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	id, ok := n.ids[text]
	return id, ok
}

// Text returns the text of a number.
func (n *Names) Text(id int64) (string, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if id < 0 || id >= int64(len(n.texts)) {
		return "", fmt.Errorf("names: no text has number %d", id)
	}
	return n.texts[id], nil
}

// Resolve sets each text of a row to the one its number names.
func (n *Names) Resolve(pairs ...NamePair) error {
	for _, p := range pairs {
		text, err := n.Text(p.ID)
		if err != nil {
			return err
		}
		*p.Text = text
	}
	return nil
}

// NamePair is a number and where its text belongs.
type NamePair struct {
	ID   int64
	Text *string
}
