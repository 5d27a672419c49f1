package sla

import (
	"cmp"
	"slices"

	"github.com/alexandrite/orderwatch/order"
)

// pins are the pairs of keys that no order may hold both of. People make them, one by one: all of
// them are in memory.
type pins map[order.Key][]order.Key

func (p pins) add(x Pin) {
	for _, side := range [...][2]order.Key{{x.A, x.B}, {x.B, x.A}} {
		if !slices.Contains(p[side[0]], side[1]) {
			p[side[0]] = append(p[side[0]], side[1])
		}
	}
}

func (p pins) lift(x Pin) {
	for _, side := range [...][2]order.Key{{x.A, x.B}, {x.B, x.A}} {
		rest := slices.DeleteFunc(p[side[0]], func(k order.Key) bool { return k == side[1] })
		if len(rest) == 0 {
			delete(p, side[0])
		} else {
			p[side[0]] = rest
		}
	}
}

// between returns the pins with one key on each side.
func (p pins) between(as, bs []order.Key) []Pin {
	if len(p) == 0 {
		return nil
	}
	var found []Pin
	for _, a := range as {
		for _, b := range p[a] {
			if slices.Contains(bs, b) {
				found = append(found, Pin{A: a, B: b})
			}
		}
	}
	return found
}

// Recall takes in the corrections that people made before, in journal order: the records of
// order.KindLink and order.KindUnlink.
func (r *Resolver) Recall(corrections []Record) {
	for i := range corrections {
		c := corrections[i].Link.Correction
		if c == nil {
			continue
		}
		for _, p := range c.Pins {
			if corrections[i].Event.Kind == order.KindLink {
				r.pins.lift(p)
			} else {
				r.pins.add(p)
			}
		}
	}
}

func compareKeys(a, b order.Key) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}
