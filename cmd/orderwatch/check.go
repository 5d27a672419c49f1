package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/replay"
)

// kinds are the files we know, each by a field that only it has.
var kinds = []struct {
	name  string
	field string
	check func(path string, data []byte) (warnings order.Problems, err error)
}{
	{"flow", "stages", checkFlow},
	{"mapping", "layout", checkMapping},
	{"sidecar", "source", func(path string, data []byte) (order.Problems, error) {
		_, err := config.ParseSidecar(path, data)
		return nil, err
	}},
	{"mapping", "key", checkMapping}, // of XES, which needs no layout
	{"orderwatch", "web", checkServer},
	{"orderwatch", "store", checkServer},
	{"orderwatch", "collector", checkServer},
}

func checkFlow(path string, data []byte) (order.Problems, error) {
	flow, err := order.ParseFlow(path, data)
	if err != nil {
		return nil, err
	}
	return flow.Warnings, nil
}

func checkMapping(path string, data []byte) (order.Problems, error) {
	_, err := replay.ParseMapping(path, data)
	return nil, err
}

func checkServer(path string, data []byte) (order.Problems, error) {
	_, err := config.ParseServer(path, data)
	return nil, err
}

// check says what is wrong with files: everything at once, with file, line and field path.
func check(_ context.Context, c *console, args []string) int {
	f := c.flags("check", "FILE…")
	if code, ok := parse(f, args); !ok {
		return code
	}
	if f.NArg() == 0 {
		f.Usage()
		return exitUsage
	}
	code := exitDone
	for _, path := range f.Args() {
		kind, warnings, err := checkFile(path)
		for _, w := range warnings {
			c.errorf("warning: %s", w)
		}
		if err != nil {
			c.errorf("%v", err)
			code = exitUsage
			continue
		}
		_, _ = fmt.Fprintf(c.stdout, "%s: %s file, ok\n", path, kind)
	}
	return code
}

func checkFile(path string) (kind string, warnings order.Problems, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("read file: %w", err)
	}
	var fields map[string]yaml.Node
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, k := range kinds {
		if _, ok := fields[k.field]; ok {
			warnings, err = k.check(path, data)
			return k.name, warnings, err
		}
	}
	return "", nil, fmt.Errorf("%s: %w", path, errUnknownFile)
}

var errUnknownFile = errors.New("is none of our files: a flow has stages, a mapping a layout, a sidecar's config a source, orderwatch.yaml a store, collector or web section")
