package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
)

// position is the resume point saved with every Append.
type position struct {
	System string        `json:"system"`           // the cluster's system identifier
	LSN    pglogrepl.LSN `json:"lsn"`              // commits whose record begins here or before are done with
	Seen   pglogrepl.LSN `json:"seen"`             // the stream has passed this; nothing after it is ever confirmed
	Tx     pglogrepl.LSN `json:"tx,omitempty"`     // commit record of the transaction that is part done, 0: none
	Done   uint64        `json:"done,omitempty"`   // row changes of it that are done with
	Proven int64         `json:"proven,omitempty"` // time of the last watermark, Unix nanoseconds
	Offset int64         `json:"offset,omitempty"` // clock offset of the last watermark, nanoseconds

	Generation uint64 `json:"generation"` // of statuses
	Blocks     uint64 `json:"blocks"`

	Snapshot bool       `json:"snapshot,omitempty"` // a snapshot began and did not end: take another
	Gaps     []gapRange `json:"gaps,omitempty"`     // said and not repaired yet
}

// gapRange is a gap that was said, Unix nanoseconds.
type gapRange struct {
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Reason string `json:"reason"`
}

func (g gapRange) from() time.Time { return time.Unix(0, g.From).UTC() }
func (g gapRange) to() time.Time   { return time.Unix(0, g.To).UTC() }

// parsePosition returns what to resume at; nil data is a new stream, which needs a snapshot.
func parsePosition(data []byte) (position, error) {
	if data == nil {
		return position{Snapshot: true}, nil
	}
	var p position
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("read position: %w", err)
	}
	return p, nil
}

func (p *position) bytes() ([]byte, error) { return json.Marshal(p) }
