package web

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

const (
	maxNear    = 8 // orders offered where a key is not exact
	maxLookups = 5 // prefixes tried to find them
)

// orderRef is an order as something to click on.
type orderRef struct {
	Name string // name:value of the key it goes by
	Path string
}

// resolve returns the one order that path key names: the value of any of its keys, or name:value.
// Anything else is a keyError with what was perhaps meant.
func (s *Server) resolve(ctx context.Context, key string) (sla.Order, error) {
	if key == "" || !plainText(key) {
		return sla.Order{}, &keyError{key: key}
	}
	name, value, named := strings.Cut(key, ":")
	if named && slices.Contains(s.flow.Keys, name) {
		found, err := s.holders(ctx, value, name)
		if err != nil || len(found) > 0 {
			return oneOrder(key, found, err)
		}
	}
	found, err := s.holders(ctx, key, "")
	if err == nil && len(found) == 0 {
		near, err := s.near(ctx, key)
		if err != nil {
			return sla.Order{}, err
		}
		return sla.Order{}, &keyError{key: key, near: near}
	}
	return oneOrder(key, found, err)
}

func oneOrder(key string, found []sla.Order, err error) (sla.Order, error) {
	if err != nil || len(found) == 1 {
		return first(found), err
	}
	e := &keyError{key: key, ambiguous: true}
	for _, o := range found {
		for _, k := range o.Keys {
			if k.Value == key {
				e.near = append(e.near, orderRef{Name: k.Name + ":" + k.Value, Path: namedPath("/orders/", k)})
				break
			}
		}
	}
	return sla.Order{}, e
}

func first(found []sla.Order) sla.Order {
	if len(found) == 0 {
		return sla.Order{}
	}
	return found[0]
}

// holders returns the orders that hold the value, under the given name where one is given.
func (s *Server) holders(ctx context.Context, value, name string) ([]sla.Order, error) {
	ids, err := s.reader.FindKey(ctx, value)
	if err != nil {
		return nil, err
	}
	var found []sla.Order
	for _, id := range ids[:min(len(ids), maxNear)] {
		o, err := s.reader.Order(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // merged or pruned between the two reads
		}
		if err != nil {
			return nil, err
		}
		if name == "" || slices.Contains(o.Keys, order.Key{Name: name, Value: value}) {
			found = append(found, o)
		}
	}
	return found, nil
}

// near returns orders with a key that shares a long prefix with the given one.
func (s *Server) near(ctx context.Context, key string) ([]orderRef, error) {
	runes := []rune(key)
	for range maxLookups {
		page, err := s.reader.Orders(ctx, sla.OrderFilter{Prefix: string(runes), Limit: maxNear})
		if err != nil {
			return nil, err
		}
		var refs []orderRef
		for _, row := range page.Items {
			refs = append(refs, refWithPrefix(s.flow, row, string(runes)))
		}
		if len(refs) > 0 {
			return refs, nil
		}
		// The last characters are the likeliest typing errors; then give way faster.
		runes = runes[:len(runes)-max(1, len(runes)/3)]
		if len(runes) == 0 {
			return nil, nil
		}
	}
	return nil, nil
}

func refWithPrefix(flow *order.Flow, row sla.OrderRow, prefix string) orderRef {
	keys := rowKeys(flow, row)
	for _, k := range keys {
		if strings.HasPrefix(k.Value, prefix) {
			return refOf(k)
		}
	}
	return refOf(keys[0])
}

func refOf(k order.Key) orderRef {
	return orderRef{Name: k.Name + ":" + k.Value, Path: keyPath("/orders/", k)}
}

// keyPath returns the address of the order with this key. The bare value reads best; where it
// could be taken for a path or for name:value, the name goes before it.
func keyPath(prefix string, k order.Key) string {
	if strings.ContainsAny(k.Value, ":/") || strings.Trim(k.Value, ".") == "" {
		return namedPath(prefix, k)
	}
	return prefix + url.PathEscape(k.Value)
}

func namedPath(prefix string, k order.Key) string { return prefix + url.PathEscape(k.Name+":"+k.Value) }

// rowKeys returns the keys of a row in the flow's order, never none.
func rowKeys(flow *order.Flow, row sla.OrderRow) []order.Key {
	var keys []order.Key
	for _, name := range flow.Keys {
		if v, ok := row.Keys[name]; ok {
			keys = append(keys, order.Key{Name: name, Value: v})
		}
	}
	for name, v := range row.Keys {
		if !slices.Contains(flow.Keys, name) {
			keys = append(keys, order.Key{Name: name, Value: v})
		}
	}
	if len(keys) == 0 {
		keys = []order.Key{{Name: "order", Value: "?"}}
	}
	return keys
}
