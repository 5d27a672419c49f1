package sla

import (
	"runtime"
	"slices"
	"strconv"
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

const (
	benchOrders = 100_000
	benchBatch  = 500
)

// benchBatches returns the lives of that many orders, one begun every ten seconds, as they happen.
func benchBatches(orders int) []*Batch {
	var records []Record
	for id := range orders {
		for _, step := range life {
			at := day0.Add(step.after + time.Duration(id)*10*time.Second)
			records = append(records, Record{Order: OrderID(id + 1), Received: at, Event: order.Event{
				Kind: order.KindStatus, Time: at, Observed: at, Service: step.system, Environment: "prod",
				Position: order.Position{Source: step.source, Epoch: 1},
				System:   step.system, Status: step.status,
				Keys:  []order.Key{{Name: "shop", Value: strconv.Itoa(id)}},
				Attrs: []order.Attr{{Name: "channel", Value: "b2c"}, {Name: "polygons", Value: "20000"}},
			}})
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int { return a.Received.Compare(b.Received) })
	seq := map[string]uint64{}
	for i := range records {
		p := &records[i].Event.Position
		seq[p.Source]++
		records[i].Seq, p.Seq = int64(i+1), seq[p.Source]
	}
	var batches []*Batch
	for part := range slices.Chunk(records, benchBatch) {
		b := &Batch{Records: slices.Clone(part), At: part[len(part)-1].Received} // an array of its own, as the collector's
		for source, through := range seq {
			b.Sources = append(b.Sources, SourceState{Name: source, Watermark: b.At, Through: through,
				Epochs: []EpochState{{Epoch: 1, Through: through, Offsets: []OffsetChange{{From: through + 1}}}}})
		}
		batches = append(batches, b)
	}
	return batches
}

// BenchmarkEngine folds and judges the lives of 100,000 orders in batches, as the loop does.
func BenchmarkEngine(b *testing.B) {
	flow, err := order.ParseFlow(examples.FlowName, examples.Flow())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batches := benchBatches(benchOrders)
		engine := New(Options{Flow: flow})
		b.StartTimer()
		for i, batch := range batches {
			engine.Apply(batch)
			engine.Advance(batch.At)
			engine.Flush()
			batches[i] = nil
		}
		b.StopTimer()
		held := heapInUse()
		runtime.KeepAlive(engine)
		engine = nil
		b.ReportMetric(float64(held-heapInUse())/benchOrders, "B/order") // with the facts of open orders
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*benchOrders*len(life))/b.Elapsed().Seconds(), "events/s")
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
