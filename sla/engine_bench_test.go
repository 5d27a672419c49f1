package sla

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
)

// life is ten events of an order of the example flow that stays open; the carrier has it.
var life = []struct {
	source, system, status string
	after                  time.Duration
}{
	{"shop-db", "shop", "INITIATED", 0},
	{"shop-db", "shop", "SUBMITTED", 5 * time.Minute},
	{"mes-db", "mes", "SUBMITTED", 6 * time.Minute},
	{"mes-db", "mes", "CALCULATION_STARTED", 10 * time.Minute},
	{"mes-db", "mes", "PRICE_CALCULATED", 13 * time.Minute},
	{"shop-db", "crm", "PRICE_CALCULATED", 14 * time.Minute},
	{"shop-db", "crm", "MANUFACTURING_APPROVED", 20 * time.Hour},
	{"mes-db", "mes", "MANUFACTURING_APPROVED", 20*time.Hour + time.Minute},
	{"mes-db", "mes", "MANUFACTURING_STARTED", 30 * time.Hour},
	{"mes-db", "mes", "MANUFACTURING_COMPLETED", 100 * time.Hour},
}

// benchBatch is the number of records in a batch.
const benchBatch = 500

// benchStream makes the first steps of the lives of that many orders as they happen, a batch at a
// time. One order begins every so often.
type benchStream struct {
	steps  []benchStep
	seq    int64
	every  time.Duration
	source map[string]uint64
}

type benchStep struct{ order, step int32 }

func newBenchStream(orders, steps int, every time.Duration) *benchStream {
	s := &benchStream{every: every, source: map[string]uint64{}, steps: make([]benchStep, 0, orders*steps)}
	for id := range orders {
		for n := range steps {
			s.steps = append(s.steps, benchStep{int32(id), int32(n)})
		}
	}
	slices.SortFunc(s.steps, func(a, b benchStep) int {
		if d := s.at(a).Compare(s.at(b)); d != 0 {
			return d
		}
		return int(a.order) - int(b.order)
	})
	return s
}

func (s *benchStream) at(x benchStep) time.Time {
	return day0.Add(life[x.step].after + time.Duration(x.order)*s.every)
}

// next returns the next batch, nil at the end.
func (s *benchStream) next() *Batch {
	n := min(benchBatch, len(s.steps))
	if n == 0 {
		return nil
	}
	b := &Batch{Records: make([]Record, n)}
	for i, x := range s.steps[:n] {
		step, at := &life[x.step], s.at(x)
		s.seq++
		s.source[step.source]++
		b.Records[i] = Record{Seq: s.seq, Order: OrderID(x.order + 1), Received: at, Event: order.Event{
			Kind: order.KindStatus, Time: at, Observed: at, Service: step.system, Environment: "prod",
			Position: order.Position{Source: step.source, Epoch: 1, Seq: s.source[step.source]},
			System:   step.system, Status: step.status,
			Keys:  []order.Key{{Name: "shop", Value: strconv.Itoa(int(x.order))}},
			Attrs: []order.Attr{{Name: "channel", Value: "b2c"}, {Name: "polygons", Value: "20000"}},
		}}
		b.At = at
	}
	s.steps = s.steps[n:]
	for source, through := range s.source {
		b.Sources = append(b.Sources, SourceState{Name: source, Watermark: b.At, Through: through,
			Epochs: []EpochState{{Epoch: 1, Through: through, Offsets: []OffsetChange{{From: through + 1}}}}})
	}
	return b
}

func benchFlow(b *testing.B) *order.Flow {
	flow, err := order.ParseFlow(examples.FlowName, examples.Flow())
	if err != nil {
		b.Fatal(err)
	}
	return flow
}

// BenchmarkEngine folds and judges the lives of 100,000 orders in batches, as the loop does. It
// reports the processors' time, the garbage collector's included and that for making the records
// not, since a clock tells little on a machine that others use.
func BenchmarkEngine(b *testing.B) {
	const orders = 100_000
	flow := benchFlow(b)
	var spent time.Duration
	for b.Loop() {
		stream := newBenchStream(orders, len(life), 10*time.Second)
		engine := New(Options{Flow: flow})
		for batch := stream.next(); batch != nil; batch = stream.next() {
			before := processorTime()
			engine.Apply(batch)
			engine.Advance(batch.At)
			engine.Flush()
			spent += processorTime() - before
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*orders*len(life)), "cpu-ns/event")
}

// BenchmarkOpenOrders holds orders that each waits in a stage with a deadline, three events old, and
// reports what they take.
func BenchmarkOpenOrders(b *testing.B) {
	flow := benchFlow(b)
	for _, orders := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint("orders=", orders), func(b *testing.B) {
			for b.Loop() {
				free := heapInUse()
				engine := New(Options{Flow: flow})
				stream := newBenchStream(orders, 3, time.Microsecond)
				for batch := stream.next(); batch != nil; batch = stream.next() {
					engine.Apply(batch)
					engine.Advance(batch.At)
					engine.Flush()
				}
				stream = nil
				b.ReportMetric(float64(heapInUse()-free)/float64(orders), "B/order")
				runtime.KeepAlive(engine)
			}
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// processorTime returns what this process has used of the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of this process: cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
