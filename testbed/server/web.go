package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// webServer describes a server that takes flags, reads files and says over HTTP when it is ready.
type webServer struct {
	name     string
	folder   string
	files    map[string]string
	argv     func(dir, listen string) []string
	env      []string
	readyURL string // path, after the address
	patience time.Duration
}

func startWeb(ctx context.Context, w webServer) (*Process, string, error) {
	port, err := FreePort()
	if err != nil {
		return nil, "", err
	}
	if w.folder == "" {
		w.folder = DefaultFolder()
	}
	dir, err := newDirectory(w.folder, w.name)
	if err != nil {
		return nil, "", err
	}
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	if err := writeFiles(dir, w.files, placeholders(dir, listen)); err != nil {
		return nil, "", errors.Join(fmt.Errorf("start %s: %w", w.name, err), removeAll(dir))
	}
	p := &Process{
		name: w.name, patience: w.patience,
		spec: childSpec{dir: dir, argv: w.argv(dir, listen), env: append(os.Environ(), w.env...), death: syscall.SIGKILL, log: logFile},
		// Commands may have something to close, so they are asked even the last time.
		graceful: syscall.SIGTERM, final: syscall.SIGTERM,
		ready: func(ctx context.Context) error {
			if w.readyURL == "" {
				return nil
			}
			return getOK(ctx, "http://"+listen+w.readyURL, func(*http.Request) {})
		},
	}
	return p, "http://" + listen, p.startOrRemove(ctx)
}

// placeholders replaces {listen} and {dir}.
func placeholders(dir, listen string) *strings.Replacer {
	return strings.NewReplacer("{listen}", listen, "{dir}", dir)
}

func writeFiles(dir string, files map[string]string, fill *strings.Replacer) error {
	for name, text := range files {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("write file %q: not below the server's directory", name)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func getOK(ctx context.Context, url string, prepare func(*http.Request)) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true // a poll keeps no connection open
	prepare(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
	}
	return err
}
