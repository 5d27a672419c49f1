package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/alexandrite/orderwatch/testbed"
)

// company is the simulated company on real servers.
func company(ctx context.Context, c *console, args []string) int {
	return testbed.Main(ctx, args, c.stdout, c.stderr)
}

// version prints the version that the build was given.
func version(_ context.Context, c *console, _ []string) int {
	name := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		name = info.Main.Version
	}
	_, _ = fmt.Fprintln(c.stdout, "orderwatch", name)
	return exitDone
}
