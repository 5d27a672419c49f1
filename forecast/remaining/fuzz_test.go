package remaining

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/order"
)

// FuzzTrain makes cases of bytes: whatever they are, training ends in a model with finite forecasts or in
// the error for too few cases.
func FuzzTrain(f *testing.F) {
	f.Add([]byte("the quick brown fox jumps over the lazy dog"), uint64(1))
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8}, uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) < 8 {
			return
		}
		cases := fuzzedCases(data, seed)
		m, err := Train(context.Background(), cases, Options{Seed: seed, MaxRows: 200, Trees: 20, Workers: 1})
		if errors.Is(err, ErrTooFewCases) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		tracker := m.NewTracker()
		for _, c := range cases[:10] {
			for k, e := range c.Events {
				prefix := c
				prefix.Events = c.Events[:k+1]
				d := m.Predict(prefix, tracker.Observe(c.Key, e))
				checkFinite(t, d)
				checkFinite(t, d.After(time.Duration(seed)))
			}
		}
	})
}

func fuzzedCases(data []byte, seed uint64) []Case {
	at := 0
	next := func() uint64 {
		seed = mix(seed + uint64(data[at%len(data)]))
		at++
		return seed
	}
	cases := make([]Case, 0, MinCases+60)
	for i := range MinCases + 60 {
		c := Case{Key: strconv.Itoa(i)}
		for range next() % 6 {
			b := data[at%len(data):]
			var wide [8]byte
			copy(wide[:], b)
			e := Event{Status: string(b[:min(len(b), 1)]), Time: time.Unix(int64(next()>>(next()%40+20)), int64(next()%1e9))}
			if next()%16 == 0 {
				e.Time = time.Unix(int64(binary.LittleEndian.Uint64(wide[:])>>9), 0)
			}
			e.Attrs = []order.Attr{{Name: string(b[:min(len(b), 2)]), Value: strconv.Itoa(int(b[0]))}, {Name: "n", Value: "1e300"}}
			c.Events = append(c.Events, e)
		}
		cases = append(cases, c)
	}
	return cases
}

// FuzzRead holds that no bytes make Read panic, nor a model that it accepts.
func FuzzRead(f *testing.F) {
	m, err := Train(context.Background(), workshop(MinCases, 1), Options{MaxRows: 20, Trees: 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytesOf(f, m))
	f.Fuzz(func(_ *testing.T, data []byte) {
		read, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		read.Predict(workshop(1, 1)[0], Load{}).Quantile(0.9)
	})
}
