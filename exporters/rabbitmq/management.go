package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var (
	errNotFound     = errors.New("not found")
	errNoStatistics = errors.New("the broker has no statistics of the queue yet")
)

const maxAnswerBytes = 8 << 20

// management reads from the broker's HTTP API. It only ever sends GET.
type management struct {
	base           string
	user, password string
	vhost          string
	client         *http.Client
}

// newManagement returns nil where no address is configured.
func newManagement(c *Config) (*management, error) {
	if c.ManagementURL == "" {
		return nil, nil
	}
	u, err := url.Parse(c.ManagementURL)
	if err != nil {
		return nil, errors.New("parse management_url: not an address")
	}
	uri, err := amqp.ParseURI(c.URL)
	if err != nil {
		return nil, errors.New("parse url: not an address")
	}
	m := &management{user: uri.Username, password: uri.Password, vhost: c.VHost,
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}}
	if u.User != nil {
		m.user = u.User.Username()
		m.password, _ = u.User.Password()
		u.User = nil
	}
	m.base = strings.TrimSuffix(u.String(), "/")
	return m, nil
}

func (m *management) close() { m.client.CloseIdleConnections() }

// get decodes the answer at /api/ + the escaped parts.
func (m *management) get(ctx context.Context, into any, query string, parts ...string) error {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	path := "/api/" + strings.Join(parts, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+path+query, nil)
	if err != nil {
		return fmt.Errorf("ask management: %w", err)
	}
	req.SetBasicAuth(m.user, m.password)
	res, err := m.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask management: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return fmt.Errorf("ask management %s: %w", path, errNotFound)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("ask management %s: %s: the user needs the tag management and rights in the virtual host", path, res.Status)
	default:
		return fmt.Errorf("ask management %s: %s", path, res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswerBytes)).Decode(into); err != nil {
		return fmt.Errorf("decode management %s: %w", path, err)
	}
	return nil
}

func (m *management) exchangeType(ctx context.Context, exchange string) (string, error) {
	var x struct {
		Type string `json:"type"`
	}
	err := m.get(ctx, &x, "", "exchanges", m.vhost, exchange)
	return x.Type, err
}

// bindingKeys returns the keys that bind the queue to the exchange, without repeats.
func (m *management) bindingKeys(ctx context.Context, queue, exchange string) ([]string, error) {
	var list []struct {
		Source string `json:"source"`
		Key    string `json:"routing_key"`
	}
	if err := m.get(ctx, &list, "", "queues", m.vhost, queue, "bindings"); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for _, b := range list {
		if b.Source == exchange {
			keys[b.Key] = ""
		}
	}
	return sortedNames(keys), nil
}

// queueState is what the management API says of a queue. The broker refreshes it every
// collect_statistics_interval, 5 s unless configured.
type queueState struct {
	Messages  *int64 `json:"messages"` // absent until the broker has counted a new queue
	Unacked   int64  `json:"messages_unacknowledged"`
	Consumers int64  `json:"consumers"`
}

func (m *management) queue(ctx context.Context, name string) (queueState, error) {
	var q queueState
	// With name among the columns: of a queue without statistics the answer were [] else.
	err := m.get(ctx, &q, "?columns=name,messages,messages_unacknowledged,consumers", "queues", m.vhost, name)
	if err == nil && q.Messages == nil {
		err = errNoStatistics
	}
	return q, err
}

type policy struct {
	Name       string         `json:"name"`
	Pattern    string         `json:"pattern"`
	ApplyTo    string         `json:"apply-to"`
	Definition map[string]any `json:"definition"`
}

func (m *management) policies(ctx context.Context) ([]policy, error) {
	var all []policy
	for _, kind := range []string{"policies", "operator-policies"} {
		var list []policy
		if err := m.get(ctx, &list, "", kind, m.vhost); err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}
