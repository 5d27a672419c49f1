package collector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// seenIDs are the event ids of senders without sequence that are in the journal or in this batch.
type seenIDs map[string]map[string]bool // by source

func (s seenIDs) add(e *order.Event) bool {
	if s[e.Source][e.ID] {
		return false
	}
	s[e.Source][e.ID] = true
	return true
}

func (s seenIDs) remove(e *order.Event) { delete(s[e.Source], e.ID) }

// prefetch reads what a batch needs of identities and ids: a few questions, however many events.
func (c *Committer) prefetch(ctx context.Context, requests []*request) (seenIDs, error) {
	keys := map[order.Key]bool{}
	ids := map[string]map[string]bool{}
	for _, r := range requests {
		for i := range r.entries {
			e := &r.entries[i].event
			if r.entries[i].err != nil || c.tracker.Seen(e.Position) {
				continue
			}
			for _, k := range e.Keys {
				keys[k] = true
			}
			if e.Seq == 0 {
				if ids[e.Source] == nil {
					ids[e.Source] = map[string]bool{}
				}
				ids[e.Source][e.ID] = true
			}
		}
	}
	if err := c.loadIdentities(ctx, slices.Collect(maps.Keys(keys))); err != nil {
		return nil, err
	}
	seen := seenIDs{}
	for source, wanted := range ids {
		found, err := c.o.Journal.SeenIDs(ctx, source, slices.Sorted(maps.Keys(wanted)))
		if err != nil {
			return nil, fmt.Errorf("look up event ids: %w", err)
		}
		seen[source] = map[string]bool{}
		maps.Copy(seen[source], found)
	}
	return seen, nil
}

func (c *Committer) loadIdentities(ctx context.Context, keys []order.Key) error {
	if len(keys) == 0 {
		return nil
	}
	owners, err := c.o.Journal.Owners(ctx, keys)
	if err != nil {
		return fmt.Errorf("look up keys: %w", err)
	}
	ids := slices.Sorted(maps.Values(owners))
	held := map[sla.OrderID][]order.Key{}
	if len(ids) > 0 {
		if held, err = c.o.Journal.KeysOf(ctx, slices.Compact(ids)); err != nil {
			return fmt.Errorf("look up orders: %w", err)
		}
	}
	c.resolver.Load(owners, held)
	return nil
}

func validSource(name string) bool {
	return name != "" && len(name) <= order.MaxNameBytes && utf8.ValidString(name)
}
