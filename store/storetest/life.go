package storetest

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/sla"
	"github.com/alexandrite/orderwatch/store"
)

func testSecondWriter(t *testing.T, d Driver) {
	location := d.Location(t)
	first, err := d.Open(t.Context(), location)
	check(t, err)
	if second, err := d.Open(t.Context(), location); !errors.Is(err, store.ErrLocked) {
		if err == nil {
			_ = second.Close()
		}
		t.Errorf("the second writer got %v", err)
	}
	check(t, first.Append(t.Context(), Batch(1, 3, 2)))
	check(t, first.Close())
	check(t, first.Close()) // again is harmless
	wantPosition(t, open(t, d, location), store.Position{Journal: 3, Order: 2})
}

func testReopen(t *testing.T, d Driver) {
	location := d.Location(t)
	s, err := d.Open(t.Context(), location)
	check(t, err)
	o := Order(1, 4)
	check(t, s.Append(t.Context(), Batch(1, 4, 1)))
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{o}}, 3))
	check(t, s.Close())
	s = open(t, d, location)
	wantPosition(t, s, store.Position{Journal: 4, Applied: 3, Order: 1})
	wantOrder(t, s, 1, o)
	next := Record(5, 1)
	next.Event.Status = "A NEW NAME"
	check(t, s.Append(t.Context(), &sla.Batch{Records: []sla.Record{next}}))
	h := must(t, func() (sla.History, error) { return s.History(t.Context(), 1) })
	if len(h.Records) != 5 || h.Records[4].Event.Status != "A NEW NAME" || h.Records[0].Event.Status != Record(1, 1).Event.Status {
		t.Errorf("history after reopening: %+v", h.Records)
	}
}

// testReaders reads while it writes: an order is seen with all visits of one save, never of two.
func testReaders(t *testing.T, d Driver) {
	s := openNew(t, d)
	check(t, s.Append(t.Context(), Batch(1, 1, 1)))
	check(t, s.Save(t.Context(), &sla.Change{Orders: []sla.Order{Order(1, 1)}}, 1))
	done := make(chan struct{})
	g, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		g.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				case <-ctx.Done():
					return nil
				default:
				}
				o, err := s.Order(ctx, 1)
				if err != nil {
					return err
				}
				if len(o.Visits) != o.Counts.Events {
					return fmt.Errorf("%d visits of an order that was saved with %d", len(o.Visits), o.Counts.Events)
				}
			}
		})
	}
	g.Go(func() error {
		defer close(done)
		for i := range 60 {
			r := Record(int64(i+2), 1)
			r.Event.Status = fmt.Sprint("S", i) // a new name each time
			if err := s.Append(ctx, &sla.Batch{Records: []sla.Record{r}}); err != nil {
				return err
			}
			if err := s.Save(ctx, &sla.Change{Orders: []sla.Order{Order(1, 1+i%5)}}, r.Seq); err != nil {
				return err
			}
			if _, err := s.History(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, g.Wait())
}
