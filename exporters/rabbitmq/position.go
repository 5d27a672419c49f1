package rabbitmq

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// position is the resume point that is saved with every Append.
type position struct {
	Watermark time.Time              `json:"watermark"` // the last T given
	Taps      map[string]tapPosition `json:"taps"`      // by exchange
}

type tapPosition struct {
	Good   time.Time `json:"good"`             // what was published before is appended, or inside a gap that is
	Keys   []string  `json:"keys"`             // bound with these
	Recent []byte    `json:"recent,omitempty"` // sums of what is appended and may be delivered again
}

func parsePosition(data []byte) (position, error) {
	var p position
	if len(data) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return position{}, fmt.Errorf("parse position: %w", err)
	}
	return p, nil
}

func packSums(sums []uint64) []byte {
	out := make([]byte, 0, 8*len(sums))
	for _, s := range sums {
		out = binary.BigEndian.AppendUint64(out, s)
	}
	return out
}

func unpackSums(data []byte) []uint64 {
	var out []uint64
	for ; len(data) >= 8; data = data[8:] {
		out = append(out, binary.BigEndian.Uint64(data))
	}
	return out
}

// sum recognises a message that is delivered again: it covers what the publisher gave.
func sum(d *amqp.Delivery) uint64 {
	h := fnv.New64a()
	var n [8]byte
	part := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	part([]byte(d.RoutingKey))
	part([]byte(d.MessageId))
	binary.BigEndian.PutUint64(n[:], uint64(d.Timestamp.Unix()))
	h.Write(n[:])
	part(d.Body)
	return h.Sum64()
}

// memory knows which messages of a tap were appended but may be delivered again because the
// broker may not have had our acknowledgement. Never more than the prefetch are.
type memory struct {
	inherited []uint64 // of earlier sessions; forgotten once all they left in the queue has come
	recent    []uint64 // of this session, until the broker has answered a later request
}

// take reports whether the message was appended before, and forgets that one.
func (m *memory) take(s uint64) bool {
	for i, x := range m.inherited {
		if x == s {
			m.inherited = append(m.inherited[:i:i], m.inherited[i+1:]...)
			return true
		}
	}
	return false
}

// add remembers what was just appended. Older ones than the last prefetch cannot come again.
func (m *memory) add(sums []uint64) {
	m.recent = append(m.recent, sums...)
	if extra := len(m.recent) - prefetch; extra > 0 {
		m.recent = m.recent[extra:]
	}
}

func (m *memory) all() []uint64 {
	return append(m.inherited[:len(m.inherited):len(m.inherited)], m.recent...)
}

// endSession hands what is remembered to the next session.
func (m *memory) endSession() {
	m.inherited, m.recent = m.all(), nil
	if extra := len(m.inherited) - 2*prefetch; extra > 0 {
		m.inherited = m.inherited[extra:]
	}
}
