package truth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// Truth is everything known at the time of reading.
type Truth struct {
	Orders []Order // in the order of their first status
	Claims []Claim // in the order they were made
}

// Order is what happened to one order in all systems.
type Order struct {
	File     string
	ShopID   int64 // 0 where the shop has no such order
	CRMID    int64
	MESID    int64
	Channel  string
	Partner  string
	Statuses []Status // by time
	Fault    *Fault   // nil where the order has none
}

// Last returns the last status a system gave the order, "" where it gave none.
func (o *Order) Last(system string) string {
	for _, s := range slices.Backward(o.Statuses) {
		if s.System == system {
			return s.Status
		}
	}
	return ""
}

// At returns when a system first gave the order the status, the zero time where it did not.
func (o *Order) At(system, status string) time.Time {
	for _, s := range o.Statuses {
		if s.System == system && s.Status == status {
			return s.At
		}
	}
	return time.Time{}
}

// Order returns the order of a model file, nil where there is none.
func (t *Truth) Order(file string) *Order {
	for i := range t.Orders {
		if t.Orders[i].File == file {
			return &t.Orders[i]
		}
	}
	return nil
}

// Faulty returns the orders with a fault that began, ended ones included.
func (t *Truth) Faulty() []Order {
	return slices.DeleteFunc(slices.Clone(t.Orders), func(o Order) bool { return o.Fault == nil })
}

// Read reads the file. A last line that is still being written is left out.
func Read(path string) (*Truth, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	t := &Truth{}
	orders := map[string]*Order{}
	var files []string
	find := func(file string) *Order {
		if orders[file] == nil {
			orders[file] = &Order{File: file}
			files = append(files, file)
		}
		return orders[file]
	}
	for number := 1; ; number++ {
		row, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			break
		}
		text = rest
		var l line
		if err := json.Unmarshal(row, &l); err != nil {
			return nil, fmt.Errorf("read truth: line %d: %w", number, err)
		}
		switch {
		case l.Status != nil:
			find(l.Status.File).add(*l.Status)
		case l.Claim != nil:
			t.Claims = append(t.Claims, *l.Claim)
		case l.Fault != nil:
			find(l.Fault.File).Fault = l.Fault
		}
	}
	for _, file := range files {
		slices.SortStableFunc(orders[file].Statuses, func(a, b Status) int { return a.At.Compare(b.At) })
		t.Orders = append(t.Orders, *orders[file])
	}
	return t, nil
}

func (o *Order) add(s Status) {
	o.Statuses = append(o.Statuses, s)
	o.Channel = s.Channel
	if s.Partner != "" {
		o.Partner = s.Partner
	}
	switch s.System {
	case "shop":
		o.ShopID = s.ID
	case "crm":
		o.CRMID = s.ID
	case "mes":
		o.MESID = s.ID
	}
}
