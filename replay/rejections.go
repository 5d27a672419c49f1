package replay

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// maxRejections bounds the list of rejections; the totals count them all.
const maxRejections = 100

// Rejections is what could not be used.
type Rejections struct {
	First  []Rejection // in reading order, at most 100, without what the mapping leaves out
	Totals map[Reason]int
}

func (r *Rejections) add(one Rejection) {
	if r.Totals == nil {
		r.Totals = map[Reason]int{}
	}
	r.Totals[one.Reason]++
	if len(r.First) < maxRejections && !one.leftOut() {
		r.First = append(r.First, one)
	}
}

// Len returns the number of all rejections.
func (r *Rejections) Len() int {
	n := 0
	for _, count := range r.Totals {
		n += count
	}
	return n
}

// listable is the number of those that First would list if it had room.
func (r *Rejections) listable() int {
	return r.Len() - r.Totals[ReasonLifecycle] - r.Totals[ReasonNoOrder]
}

// Err returns an error if a file broke off: what was read of it is in the report, the rest is not.
func (r *Rejections) Err() error {
	if n := r.Totals[ReasonCut]; n > 0 {
		return fmt.Errorf("%d of the files could not be read to the end", n)
	}
	return nil
}

// WriteText lists the rejections for a person: totals by reason, then the first ones with their
// rows. It writes nothing where there are none.
func (r *Rejections) WriteText(w io.Writer) error {
	if r.Len() == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "Not used: %d\n", r.Len()); err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Totals)) {
		if _, err := fmt.Fprintf(w, "  %7d  %s\n", r.Totals[reason], reason); err != nil {
			return err
		}
	}
	for i := range r.First {
		if _, err := fmt.Fprintf(w, "  %s\n", r.First[i].Error()); err != nil {
			return err
		}
	}
	if more := r.listable() - len(r.First); more > 0 {
		if _, err := fmt.Fprintf(w, "  and %d more\n", more); err != nil {
			return err
		}
	}
	return nil
}
