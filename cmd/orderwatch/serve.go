package main

import (
	"context"
	"log/slog"

	"github.com/alexandrite/orderwatch/app"
	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/telemetry"
)

// serve runs collector, engine, pages, API and metrics until it is interrupted.
func serve(ctx context.Context, c *console, args []string) int {
	f := c.flags("serve", "")
	path := f.String("c", "orderwatch.yaml", "the config `file`")
	if code, ok := parse(f, args); !ok {
		return code
	}
	cfg, err := config.LoadServer(*path)
	if err != nil {
		c.errorf("%v", err)
		return exitUsage
	}
	flow, err := app.LoadFlow(cfg.Flow)
	if err != nil {
		c.errorf("%v", err)
		return exitUsage
	}
	log := cfg.Log.Logger(c.stderr)
	for _, w := range flow.Warnings {
		log.Warn("flow file", "warning", w.String())
	}
	a, err := app.New(app.Options{Config: cfg, Flow: flow, Registry: telemetry.NewRegistry(), Logger: log, Ready: ready(log)})
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil {
		c.errorf("orderwatch serve: %v", err)
		return exitFailed
	}
	return exitDone
}

// ready says where an app listens.
func ready(log *slog.Logger) func(app.Addresses) {
	return func(a app.Addresses) {
		log.Info("ready", "pages", "http://"+a.Web.String(), "otlp_grpc", text(a.GRPC), "otlp_http", text(a.HTTP))
	}
}

func text(a interface{ String() string }) string {
	if a == nil {
		return "closed"
	}
	return a.String()
}
