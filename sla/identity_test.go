package sla

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/alexandrite/orderwatch/order"
)

// identityStore is what a store keeps of identities.
type identityStore struct {
	owner map[order.Key]OrderID
	held  map[OrderID][]order.Key
}

func (s *identityStore) save(keys []KeyOwner) {
	for _, k := range keys {
		if from, ok := s.owner[k.Key]; ok {
			s.held[from] = slices.DeleteFunc(s.held[from], func(x order.Key) bool { return x == k.Key })
		}
		s.owner[k.Key] = k.Order
		s.held[k.Order] = append(s.held[k.Order], k.Key)
	}
}

func keys(text ...string) []order.Key {
	list := make([]order.Key, 0, len(text)/2)
	for i := 0; i+1 < len(text); i += 2 {
		list = append(list, order.Key{Name: text[i], Value: text[i+1]})
	}
	return list
}

func TestResolveKeepsOneValueAKeyName(t *testing.T) {
	type step struct {
		system string
		keys   []order.Key
		want   OrderID
		absorb []OrderID
		refuse []order.Key
	}
	for name, steps := range map[string][]step{
		"a key that is new makes an order, one that is known finds it": {
			{keys: keys("shop", "1"), want: 1},
			{keys: keys("shop", "2"), want: 2},
			{keys: keys("shop", "1"), want: 1},
		},
		"a new key joins the order of the known one": {
			{keys: keys("shop", "1"), want: 1},
			{keys: keys("mes", "9", "shop", "1"), want: 1},
			{keys: keys("mes", "9"), want: 1},
		},
		"two orders become one and the older survives": {
			{keys: keys("mes", "9"), want: 1},
			{keys: keys("shop", "1"), want: 2},
			{keys: keys("mes", "9", "shop", "1"), want: 1, absorb: []OrderID{2}},
			{keys: keys("shop", "1"), want: 1},
		},
		"what a system says of its own order holds against another's key": {
			{keys: keys("shop", "1", "mes", "5"), want: 1},
			{system: "mes", keys: keys("shop", "1", "mes", "7"), want: 2, refuse: keys("shop", "1")},
			{system: "mes", keys: keys("mes", "7"), want: 2},
			{system: "shop", keys: keys("shop", "1"), want: 1},
		},
		"two orders that contradict each other are not merged": {
			{keys: keys("shop", "1", "mes", "5"), want: 1},
			{keys: keys("shop", "2", "mes", "6"), want: 2},
			{system: "mes", keys: keys("shop", "1", "mes", "6"), want: 2, refuse: keys("shop", "1")},
			{system: "crm", keys: keys("mes", "6", "shop", "1"), want: 1, refuse: keys("mes", "6")},
		},
		"where nobody speaks of its own the known key goes before the new one": {
			{keys: keys("shop", "1", "mes", "5"), want: 1},
			{system: "crm", keys: keys("shop", "3", "mes", "5"), want: 1, refuse: keys("shop", "3")},
		},
		"compatible keys of a refused link still join": {
			{keys: keys("shop", "1", "mes", "5"), want: 1},
			{system: "shop", keys: keys("shop", "1", "mes", "6", "crm", "8"), want: 1, refuse: keys("mes", "6")},
			{keys: keys("crm", "8"), want: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewResolver([]string{"shop", "mes", "crm"}, 1)
			st := identityStore{map[order.Key]OrderID{}, map[OrderID][]order.Key{}}
			for i, s := range steps {
				r.Load(st.owner, st.held)
				got := r.Resolve(&order.Event{System: s.system, Keys: s.keys})
				staged, merges := r.Staged()
				st.save(staged)
				r.Commit()
				if got.Order != s.want || !slices.Equal(got.Link.Absorbed, s.absorb) || !slices.Equal(got.Link.Refused, s.refuse) || len(merges) != len(s.absorb) {
					t.Fatalf("step %d: got %+v, want order %d, absorbed %v, refused %v", i, got, s.want, s.absorb, s.refuse)
				}
			}
		})
	}
}

func TestRollbackGivesTheSameIDsAgain(t *testing.T) {
	r := NewResolver([]string{"shop"}, 7)
	e := &order.Event{Keys: keys("shop", "1")}
	first := r.Resolve(e)
	r.Rollback()
	if keys, merges := r.Staged(); len(keys)+len(merges) != 0 {
		t.Fatalf("staged after rollback: %v %v", keys, merges)
	}
	if second := r.Resolve(e); !reflect.DeepEqual(first, second) || second.Order != 7 {
		t.Fatalf("first %+v, then %+v", first, second)
	}
}

// Where nothing contradicts, orders are the connected components of keys, whatever the order of
// events and however they are cut into batches.
func TestResolveIsUnionFind(t *testing.T) {
	names := []string{"shop", "mes", "crm", "pay"}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var events []*order.Event
		for range 40 {
			entity := strconv.Itoa(rng.IntN(8))
			e := &order.Event{System: names[rng.IntN(4)]}
			for _, i := range rng.Perm(4)[:1+rng.IntN(2)] {
				e.Keys = append(e.Keys, order.Key{Name: names[i], Value: entity})
			}
			events = append(events, e)
		}
		want := components(events)
		for range 3 {
			rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			st := resolveAll(t, rng, names, events)
			for a, ca := range want {
				for b, cb := range want {
					if (ca == cb) != (st.owner[a] == st.owner[b]) {
						t.Fatalf("seed %d: %v and %v: together in the model %v, here %v", seed, a, b, ca == cb, st.owner[a] == st.owner[b])
					}
				}
			}
		}
	}
}

func resolveAll(t *testing.T, rng *rand.Rand, names []string, events []*order.Event) identityStore {
	st := identityStore{map[order.Key]OrderID{}, map[OrderID][]order.Key{}}
	r := NewResolver(names, 1)
	for len(events) > 0 {
		n := min(len(events), 1+rng.IntN(5))
		owners, held := map[order.Key]OrderID{}, map[OrderID][]order.Key{}
		for _, e := range events[:n] {
			for _, k := range e.Keys {
				if id, ok := st.owner[k]; ok {
					owners[k], held[id] = id, st.held[id]
				}
			}
		}
		r.Load(owners, held)
		for _, e := range events[:n] {
			if res := r.Resolve(e); len(res.Link.Refused) > 0 {
				t.Fatalf("refused %v without a contradiction", res.Link.Refused)
			}
		}
		staged, _ := r.Staged()
		if rng.IntN(4) == 0 { // the store was down: the batch comes again
			r.Rollback()
			continue
		}
		st.save(staged)
		r.Commit()
		events = events[n:]
	}
	return st
}

// components is the naive model: relabel until nothing changes.
func components(events []*order.Event) map[order.Key]int {
	label := map[order.Key]int{}
	for _, e := range events {
		for _, k := range e.Keys {
			if _, ok := label[k]; !ok {
				label[k] = len(label)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, e := range events {
			least := label[e.Keys[0]]
			for _, k := range e.Keys {
				least = min(least, label[k])
			}
			for _, k := range e.Keys {
				changed = changed || label[k] != least
				label[k] = least
			}
		}
	}
	return label
}
