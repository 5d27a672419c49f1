package collector

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// void is a journal that takes everything at once: what is left is our own cost.
type void struct{ *memory }

func (void) Append(context.Context, *sla.Batch) error { return nil }

func (void) Owners(context.Context, []order.Key) (map[order.Key]sla.OrderID, error) { return nil, nil }

// BenchmarkCommit sends requests of 500 events from many senders at once; an operation is one event.
func BenchmarkCommit(b *testing.B) {
	const each = 500
	m := newMemory()
	out := make(chan *sla.Batch, 4)
	c, err := NewCommitter(CommitterOptions{Journal: void{m}, Position: m.Position, Flow: testFlow(), Out: out, Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	go func() {
		for range out {
		}
	}()
	var sender atomic.Int64
	b.SetParallelism(4)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		source := fmt.Sprint("source-", sender.Add(1))
		seq := uint64(0)
		var events []order.Event
		for pb.Next() {
			seq++
			e := statusEvent(seq, fmt.Sprint(seq%1000))
			e.Source = source
			if events = append(events, e); len(events) == each {
				if _, err := c.Commit(ctx, events); err != nil {
					b.Error(err)
				}
				events = nil
			}
		}
	})
	cancel()
	if err := <-ran; err != nil {
		b.Fatal(err)
	}
	close(out)
}
