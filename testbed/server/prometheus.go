package server

import "context"

// PrometheusOptions says what Prometheus is to do.
type PrometheusOptions struct {
	Folder string            // Defaults to DefaultFolder().
	Config string            // The text of prometheus.yml.
	Files  map[string]string // Rule files and the like, named relative to prometheus.yml.
}

// Prometheus is a throwaway Prometheus that takes remote writes and reloads, and repeats firing
// alerts to its Alertmanager every second.
type Prometheus struct {
	*Process
	url string
}

// StartPrometheus starts a Prometheus and returns when it is ready. ctx bounds the start only.
func StartPrometheus(ctx context.Context, opts PrometheusOptions) (*Prometheus, error) {
	bin, err := find("apt-get install prometheus", "prometheus")
	if err != nil {
		return nil, err
	}
	p, url, err := startWeb(ctx, webServer{
		name: "prometheus", folder: opts.Folder, files: with(opts.Files, "prometheus.yml", opts.Config), readyURL: "/-/ready",
		argv: func(dir, listen string) []string {
			return []string{bin, "--config.file=" + dir + "/prometheus.yml", "--storage.tsdb.path=" + dir + "/data",
				"--web.listen-address=" + listen, "--web.enable-lifecycle", "--web.enable-remote-write-receiver",
				"--rules.alert.resend-delay=1s", "--log.level=warn"}
		},
	})
	if err != nil {
		return nil, err
	}
	return &Prometheus{Process: p, url: url}, nil
}

// URL returns http://127.0.0.1:port, without a final slash.
func (p *Prometheus) URL() string { return p.url }

// AlertmanagerOptions says what Alertmanager is to do.
type AlertmanagerOptions struct {
	Folder string            // Defaults to DefaultFolder().
	Config string            // The text of alertmanager.yml.
	Files  map[string]string // Templates and the like, named relative to alertmanager.yml.
}

// Alertmanager is a throwaway Alertmanager without a cluster.
type Alertmanager struct {
	*Process
	url string
}

// StartAlertmanager starts an Alertmanager and returns when it is ready. ctx bounds the start only.
func StartAlertmanager(ctx context.Context, opts AlertmanagerOptions) (*Alertmanager, error) {
	bin, err := find("apt-get install prometheus-alertmanager", "prometheus-alertmanager", "alertmanager")
	if err != nil {
		return nil, err
	}
	p, url, err := startWeb(ctx, webServer{
		name: "alertmanager", folder: opts.Folder, files: with(opts.Files, "alertmanager.yml", opts.Config), readyURL: "/-/ready",
		argv: func(dir, listen string) []string {
			return []string{bin, "--config.file=" + dir + "/alertmanager.yml", "--storage.path=" + dir + "/data",
				"--web.listen-address=" + listen, "--cluster.listen-address=", "--log.level=warn"}
		},
	})
	if err != nil {
		return nil, err
	}
	return &Alertmanager{Process: p, url: url}, nil
}

// URL returns http://127.0.0.1:port, without a final slash.
func (a *Alertmanager) URL() string { return a.url }

func with(files map[string]string, name, text string) map[string]string {
	all := map[string]string{name: text}
	for other, text := range files {
		all[other] = text
	}
	return all
}
