package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Finding is something to know before the sidecar runs.
type Finding struct {
	Refused bool   // the sidecar will not do this
	Field   string // its path below rabbitmq
	Reason  string
}

// Preflight looks at the broker and changes nothing. No finding means that all is well.
func (s *Source) Preflight(ctx context.Context) []Finding {
	p := &preflight{Source: s}
	conn, err := dial(ctx, &s.config, "orderwatch "+s.name+" preflight")
	if err != nil {
		p.add("url", "%v", err)
		return p.findings
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	m, err := newManagement(&s.config)
	if err != nil {
		p.add("management_url", "%v", err)
	}
	if m != nil {
		defer m.close()
	}
	for i, t := range s.taps {
		p.tap(ctx, conn, m, fmt.Sprintf("taps[%d]", i), t)
	}
	p.policies(ctx, m)
	w := newWatcher(s, m)
	for _, list := range []struct {
		field string
		names []string
	}{{"queues", s.config.Queues}, {"dead_letter_queues", s.config.DeadLetterQueues}} {
		for i, name := range list.names {
			p.queue(ctx, conn, w, fmt.Sprintf("%s[%d]", list.field, i), name)
		}
	}
	return p.findings
}

type preflight struct {
	*Source
	findings []Finding
}

func (p *preflight) add(field, format string, args ...any) {
	p.findings = append(p.findings, Finding{Field: field, Reason: fmt.Sprintf(format, args...)})
}

func (p *preflight) tap(ctx context.Context, conn *amqp.Connection, m *management, path string, t *tapState) {
	x := session{consume: conn}
	var err error
	if x.control, err = conn.Channel(); err != nil {
		p.add(path, "%v", err)
		return
	}
	exists, err := x.exchangeExists(t.Exchange)
	if err != nil {
		p.add(path+".exchange", "%v", err)
		return
	}
	if !exists {
		p.add(path+".exchange", "exchange %s does not exist; it is the application's to create, and the sidecar waits for it", t.Exchange)
		return
	}
	if slices.Contains(t.RoutingKeys, "#") {
		p.add(path+".routing_keys", "# also matches messages that reach none of the application's queues: they will look routed; use the application's own keys, or mirror")
	}
	if m == nil {
		return
	}
	f, err := newWatcher(p.Source, m).ask(ctx, &t.Tap)
	switch {
	case err != nil:
		p.add(path, "%v", err)
	case f.refused != "":
		p.findings = append(p.findings, Finding{Refused: true, Field: path + ".exchange", Reason: f.refused})
	case t.ExchangeType != "" && t.ExchangeType != f.kind:
		p.add(path+".exchange_type", "the exchange is of type %s", f.kind)
	}
}

// limiting are the keys of policies that would make a tap smaller than it is configured, or copy
// it to other nodes. The others are overruled by the tap's own arguments.
var limiting = []string{"max-length", "max-length-bytes", "message-ttl", "expires", "ha-mode"}

// policies reports those that reach the taps. The sidecar never makes or changes a policy: one
// that is applied to a queue replaces the customer's own.
func (p *preflight) policies(ctx context.Context, m *management) {
	if m == nil {
		return
	}
	list, err := m.policies(ctx)
	if err != nil {
		p.add("management_url", "%v", err)
		return
	}
	for i, t := range p.taps {
		for _, x := range list {
			if keys := x.reaches(t.queue); len(keys) > 0 {
				p.add(fmt.Sprintf("taps[%d]", i), "policy %s also applies to %s (%s): exclude names that begin with orderwatch.", x.Name, t.queue, strings.Join(keys, ", "))
			}
		}
	}
}

func (x *policy) reaches(queue string) []string {
	pattern, err := regexp.Compile(x.Pattern)
	if x.ApplyTo == "exchanges" || err == nil && !pattern.MatchString(queue) {
		return nil
	}
	var keys []string
	for _, key := range limiting {
		if _, ok := x.Definition[key]; ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func (p *preflight) queue(ctx context.Context, conn *amqp.Connection, w *watcher, path, name string) {
	_, err := w.inspect(ctx, conn, name)
	switch {
	case errors.Is(err, errNotFound) || isCode(err, amqp.NotFound):
		p.add(path, "queue %s does not exist", name)
	case err != nil && !errors.Is(err, errNoStatistics):
		p.add(path, "%v", err)
	case w.management == nil:
		p.add(path, "without management_url only ready messages are counted, and if %s expires when unused (x-expires) the counting keeps it alive", name)
	}
}
