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
	First  []Rejection // in reading order, at most 100
	Totals map[Reason]int
}

func (r *Rejections) add(one Rejection) {
	if r.Totals == nil {
		r.Totals = map[Reason]int{}
	}
	r.Totals[one.Reason]++
	if len(r.First) < maxRejections {
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
	if more := r.Len() - len(r.First); more > 0 {
		if _, err := fmt.Fprintf(w, "  and %d more\n", more); err != nil {
			return err
		}
	}
	return nil
}
