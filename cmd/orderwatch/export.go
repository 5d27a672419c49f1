package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/postgres"
	"github.com/alexandrite/orderwatch/exporters/rabbitmq"
	"github.com/alexandrite/orderwatch/telemetry"
)

// sidecar is a source and a way to look before it leaps.
type sidecar struct {
	source    exporters.Source
	preflight func(ctx context.Context) (findings string, ready bool, err error)
}

// sidecarKinds says how to make each kind of sidecar.
var sidecarKinds = map[string]func(*config.Sidecar, *slog.Logger, prometheus.Registerer) (sidecar, error){
	"postgres": postgresSidecar,
	"rabbitmq": rabbitSidecar,
}

// export runs a sidecar until it is interrupted.
func export(ctx context.Context, c *console, args []string) int {
	f := c.flags("export postgres|rabbitmq", "")
	path := f.String("c", "sidecar.yaml", "the config `file`")
	onlyLook := f.Bool("preflight", false, "say what would keep the sidecar from working, change nothing, and end")
	if len(args) == 0 {
		f.Usage()
		return exitUsage
	}
	newSidecar, known := sidecarKinds[args[0]]
	if !known && !strings.HasPrefix(args[0], "-") {
		c.errorf("orderwatch export: there is no sidecar for %q", args[0])
		f.Usage()
		return exitUsage
	}
	if code, ok := parse(f, args[min(1, len(args)):]); !ok || !known {
		return code
	}
	cfg, err := config.LoadSidecar(*path)
	if err == nil && cfg.Kind() != args[0] {
		err = fmt.Errorf("%s: configures a %s sidecar, not a %s sidecar", *path, cfg.Kind(), args[0])
	}
	if err != nil {
		c.errorf("%v", err)
		return exitUsage
	}
	log := cfg.Log.Logger(c.stderr)
	registry := telemetry.NewRegistry()
	watch, err := newSidecar(cfg, log, registry)
	if err != nil {
		c.errorf("orderwatch export: %v", err)
		return exitUsage
	}
	if *onlyLook {
		return preflight(ctx, c, watch)
	}
	runner, err := exporters.New(exporters.Options{Config: cfg.Config, Source: watch.source, Log: log, Registerer: registry, Gatherer: registry})
	if err == nil {
		err = runner.Run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		c.errorf("orderwatch export: %v", err)
		return exitFailed
	}
	return exitDone
}

func preflight(ctx context.Context, c *console, s sidecar) int {
	text, ready, err := s.preflight(ctx)
	_, _ = fmt.Fprint(c.stdout, text)
	if err != nil {
		c.errorf("orderwatch export: %v", err)
	}
	if err != nil || !ready {
		return exitFailed
	}
	return exitDone
}

func postgresSidecar(c *config.Sidecar, log *slog.Logger, _ prometheus.Registerer) (sidecar, error) {
	source, err := postgres.New(postgres.Options{Config: *c.Postgres, StateDir: c.StateDir(), Log: log})
	return sidecar{source, func(ctx context.Context) (string, bool, error) {
		report, err := postgres.Preflight(ctx, *c.Postgres)
		if err != nil {
			return "", false, err
		}
		return report.String(), len(report.Problems) == 0, nil
	}}, err
}

func rabbitSidecar(c *config.Sidecar, log *slog.Logger, r prometheus.Registerer) (sidecar, error) {
	source, err := rabbitmq.New(rabbitmq.Options{Name: c.Source, Config: *c.RabbitMQ, Log: log, Registerer: r})
	return sidecar{source, func(ctx context.Context) (string, bool, error) {
		findings := source.Preflight(ctx)
		var text strings.Builder
		for _, x := range findings {
			word := "note"
			if x.Refused {
				word = "problem"
			}
			fmt.Fprintf(&text, "%s: rabbitmq.%s: %s\n", word, x.Field, x.Reason)
		}
		ready := !slices.ContainsFunc(findings, func(x rabbitmq.Finding) bool { return x.Refused })
		if ready {
			text.WriteString("ready: the sidecar can watch this broker\n")
		}
		return text.String(), ready, nil
	}}, err
}
