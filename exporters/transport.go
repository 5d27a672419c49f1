package exporters

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// transport sends one request. Its error is a *refusal where the receiver's answer says what to do.
type transport interface {
	export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error)
	close() error
}

// refusal is an answer that did not take the request.
type refusal struct {
	err   error
	bad   bool          // these records will never be taken: repeating does not help
	setup bool          // credentials or address are wrong: repeating helps once they are put right
	after time.Duration // do not come back earlier
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func newTransport(c CollectorConfig) (transport, error) {
	if c.Protocol == HTTP {
		return newHTTPTransport(c)
	}
	return newGRPCTransport(c)
}

func tlsConfig(c CollectorConfig) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read collector.ca_file: %w", err)
	}
	out.RootCAs = x509.NewCertPool()
	if !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read collector.ca_file: %s holds no certificate", c.CAFile)
	}
	return out, nil
}

// bearer returns the authorization header's value, "" where no token is configured.
func bearer(c CollectorConfig) (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	token, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read collector.token_file: %w", err)
	}
	return "Bearer " + strings.TrimSpace(string(token)), nil
}
