package exportertest

import (
	"fmt"
	"reflect"

	"github.com/alexandrite/orderwatch/order"
)

// Check returns what is wrong with a stream as it arrived: numbers that are not contiguous from 1
// in each epoch, epochs that go back, a number given to two facts, or a watermark that claims
// numbers which had not arrived.
func Check(arrivals []order.Event) error {
	var last order.Position
	known := map[order.Position]order.Event{}
	for i, e := range arrivals {
		if before, ok := known[e.Position]; ok {
			if !reflect.DeepEqual(before, e) {
				return fmt.Errorf("arrival %d: number %d of epoch %d was given twice: %+v and %+v", i, e.Seq, e.Epoch, before, e)
			}
			continue
		}
		known[e.Position] = e
		if e.Epoch < last.Epoch {
			return fmt.Errorf("arrival %d: epoch %d after %d", i, e.Epoch, last.Epoch)
		}
		if e.Epoch > last.Epoch {
			last = order.Position{Source: e.Source, Epoch: e.Epoch}
		}
		if e.Seq != last.Seq+1 {
			return fmt.Errorf("arrival %d: number %d after %d in epoch %d", i, e.Seq, last.Seq, e.Epoch)
		}
		last = e.Position
		if e.Kind == order.KindWatermark && e.Watermark.Through >= e.Seq {
			return fmt.Errorf("arrival %d: watermark %d claims number %d", i, e.Seq, e.Watermark.Through)
		}
	}
	return nil
}
