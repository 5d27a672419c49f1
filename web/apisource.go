package web

import (
	"time"

	"github.com/alexandrite/orderwatch/sla"
)

// sourceItem is one source.
type sourceItem struct {
	Name             string       `json:"name"`
	Health           sourceHealth `json:"health"`
	Watermark        time.Time    `json:"watermark,omitzero"`
	WatermarkSeconds float64      `json:"watermark_age_seconds,omitempty"`
	Through          uint64       `json:"through"`
	Approximate      bool         `json:"approximate"`
	OffsetSeconds    float64      `json:"clock_offset_seconds"`
	Epoch            int64        `json:"epoch,omitempty"`
	Received         uint64       `json:"received,omitempty"`
	LastSeen         time.Time    `json:"last_seen,omitzero"`
	Gaps             []gapItem    `json:"gaps"`
	GapsTotal        uint64       `json:"gaps_total"`
	Duplicates       uint64       `json:"duplicates"`
	Rejected         uint64       `json:"rejected"`
	Queues           []queueItem  `json:"queues"`
	QueuesAt         time.Time    `json:"queues_at,omitzero"`
}

type gapItem struct {
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

type queueItem struct {
	Queue     string `json:"queue"`
	Messages  int64  `json:"messages"`
	Consumers int64  `json:"consumers"`
}

func sourceItemOf(st sla.SourceState, now time.Time) sourceItem {
	item := sourceItem{
		Name: st.Name, Health: healthOf(st, now), Watermark: st.Watermark.UTC(), Through: st.Through, Approximate: st.Approximate,
		OffsetSeconds: st.Offset.Seconds(), LastSeen: st.LastSeen.UTC(), Gaps: []gapItem{}, GapsTotal: st.GapsTotal, Duplicates: st.Duplicates,
		Rejected: st.Rejected, Queues: []queueItem{}, QueuesAt: st.QueuesAt.UTC(),
	}
	if !st.Watermark.IsZero() {
		item.WatermarkSeconds = now.Sub(effective(st)).Seconds()
	}
	if n := len(st.Epochs); n > 0 {
		item.Epoch, item.Received = st.Epochs[n-1].Epoch, st.Epochs[n-1].Through
	}
	for _, g := range st.Gaps {
		item.Gaps = append(item.Gaps, gapItem{g.From.UTC(), g.To.UTC(), g.Reason})
	}
	for _, q := range st.Queues {
		item.Queues = append(item.Queues, queueItem{q.Queue, q.Messages, q.Consumers})
	}
	return item
}
