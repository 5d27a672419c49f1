package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"

	"github.com/alexandrite/orderwatch/replay"
)

// flowFile works on flow files.
func flowFile(ctx context.Context, c *console, args []string) int {
	if len(args) == 0 || args[0] != "discover" {
		c.errorf("usage: orderwatch flow discover [flags] FILE…")
		return exitUsage
	}
	return discoverFlow(ctx, c, args[1:])
}

// discoverFlow drafts a flow file from a log and prints it.
func discoverFlow(ctx context.Context, c *console, args []string) int {
	f := c.flags("flow discover", "FILE…")
	mappingPath := f.String("mapping", "", "the mapping `file`: which column says what (XES logs do without)")
	system := f.String("system", "", "the `name` of the system whose statuses these are, where there is no mapping (default: the file's name)")
	files, code, ok := operands(f, args)
	if !ok {
		return code
	}
	if len(files) == 0 || *mappingPath != "" && *system != "" {
		c.errorf("orderwatch flow discover: at least one file is needed, and --mapping or --system, not both")
		f.Usage()
		return exitUsage
	}
	name := logName(files[0])
	if *system == "" {
		*system = name
	}
	mapping := replay.StandardXES(*system)
	if *mappingPath != "" {
		data, err := os.ReadFile(*mappingPath)
		if err == nil {
			mapping, err = replay.ParseMapping(*mappingPath, data)
		}
		if err != nil {
			c.errorf("%v", err)
			return exitUsage
		}
	}
	relaxCollector()
	show, done := c.progress()
	text, rejected, err := replay.Discover(ctx, replay.DiscoverOptions{Name: name, Mapping: mapping, Files: files, Progress: show})
	done()
	if rejected != nil {
		_ = rejected.WriteText(c.stderr) // where stderr is gone nobody reads
	}
	if err == nil {
		_, err = c.stdout.Write(text)
	}
	if err == nil {
		err = rejected.Err()
	}
	if err != nil {
		c.errorf("orderwatch: %v", err)
		return exitFailed
	}
	return exitDone
}

// logName is a log's file name without its endings, fit for a name in a flow file.
func logName(path string) string {
	base, _, _ := strings.Cut(strings.ToLower(filepath.Base(path)), ".")
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, base)
	name = strings.Trim(name[:min(len(name), 50)], "-_")
	if name == "" {
		return "log"
	}
	return name
}

// operands parses flags that may stand before, between and after the operands.
func operands(f *flag.FlagSet, args []string) (files []string, code int, ok bool) {
	for {
		if code, ok := parse(f, args); !ok {
			return nil, code, false
		}
		if f.NArg() == 0 {
			return files, exitDone, true
		}
		files, args = append(files, f.Arg(0)), f.Args()[1:]
	}
}
