package main

import (
	"bufio"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/alexandrite/orderwatch/forecast/remaining"
	"github.com/alexandrite/orderwatch/replay"
)

// surveyed is the number of events in which the names of a log's attributes are looked for.
const surveyed = 20_000

// readLog reads the cases of an XES log in file order with all attributes of its events and those of its
// traces that are named. It also returns how many events could not be read.
func readLog(name string, traceAttributes []string) ([]remaining.Case, int, error) {
	names, err := eventAttributes(name)
	if err != nil {
		return nil, 0, err
	}
	m := &replay.Mapping{
		Layout: replay.LayoutXES, System: "log", Key: replay.KeyColumn{Name: "case"}, Timezone: time.UTC,
	}
	for _, n := range names {
		m.Attributes = append(m.Attributes, replay.AttributeColumn{Column: n, Name: n, Scope: replay.ScopeEvent})
	}
	for _, n := range traceAttributes {
		m.Attributes = append(m.Attributes, replay.AttributeColumn{Column: n, Name: "case:" + n, Scope: replay.ScopeTrace})
	}
	text, file, err := open(name)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	r, err := replay.NewXES(name, text, m, nil)
	if err != nil {
		return nil, 0, err
	}
	return readCases(r)
}

func readCases(r replay.Reader) ([]remaining.Case, int, error) {
	var cases []remaining.Case
	places := map[string]int{}
	rejected := 0
	for {
		e, err := r.Next()
		var rejection *replay.Rejection
		switch {
		case errors.Is(err, io.EOF):
			return cases, rejected, nil
		case errors.As(err, &rejection):
			rejected++
			continue
		case err != nil:
			return nil, 0, err
		}
		place, known := places[e.Key]
		if !known {
			place = len(cases)
			places[e.Key] = place
			cases = append(cases, remaining.Case{Key: e.Key})
		}
		c := &cases[place]
		c.Events = append(c.Events, remaining.Event{Time: e.Time, Status: e.Status, Attrs: e.Attrs})
	}
}

// open opens a file that may be packed.
func open(name string) (io.Reader, io.Closer, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("open log: %w", err)
	}
	text := bufio.NewReaderSize(file, 64<<10)
	if start, _ := text.Peek(2); len(start) < 2 || start[0] != 0x1f || start[1] != 0x8b {
		return text, file, nil
	}
	unpacked, err := gzip.NewReader(text)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open log %s: %w", name, err), file.Close())
	}
	return unpacked, file, nil
}

// eventAttributes returns the names of the attributes that stand directly in a log's first events, in order
// of appearance. What is wrong with the file, its reader says.
func eventAttributes(name string) ([]string, error) {
	text, file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	d := xml.NewDecoder(text)
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	standard := []string{"concept:name", "time:timestamp", "lifecycle:transition"}
	var names []string
	for events, depth := 0, -1; events < surveyed; {
		token, err := d.RawToken()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			key := attributeKey(t)
			if depth == 0 && key != "" && !slices.Contains(standard, key) && !slices.Contains(names, key) {
				names = append(names, key)
			}
			if t.Name.Local == "event" {
				depth = 0
				events++
			} else if depth >= 0 {
				depth++
			}
		case xml.EndElement:
			if depth >= 0 {
				depth--
			}
		}
	}
	return names, nil
}

func attributeKey(t xml.StartElement) string {
	for _, a := range t.Attr {
		if a.Name.Local == "key" {
			return a.Value
		}
	}
	return ""
}
