package main

import (
	"context"

	"github.com/alexandrite/orderwatch/app"
	"github.com/alexandrite/orderwatch/telemetry"
)

// demo shows everything with nothing installed until it is interrupted.
func demo(ctx context.Context, c *console, args []string) int {
	f := c.flags("demo", "")
	listen := f.String("listen", app.DemoListen, "`address` of the pages")
	data := f.String("data", "", "`folder` to keep the company in and to go on from later; a temporary one if not given")
	if code, ok := parse(f, args); !ok {
		return code
	}
	log := telemetry.LogConfig{Level: "warn"}
	err := app.Demo(ctx, app.DemoOptions{
		Listen: *listen, Data: *data, Registry: telemetry.NewRegistry(), Logger: log.Logger(c.stderr), Out: c.stdout,
	})
	if err != nil {
		c.errorf("orderwatch demo: %v", err)
		return exitFailed
	}
	return exitDone
}
