package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// RabbitMQOptions says what kind of RabbitMQ to start.
type RabbitMQOptions struct {
	Folder  string   // Defaults to DefaultFolder().
	Plugins []string // Beside rabbitmq_management.
	Config  string   // Lines appended to rabbitmq.conf.
}

// RabbitMQ is a throwaway broker with its own epmd, reached as guest with password guest.
type RabbitMQ struct {
	*Process
	epmd  *child
	ports rabbitPorts
}

type rabbitPorts struct{ amqp, management, distribution, epmd int }

// StartRabbitMQ starts a broker with the management plug-in and returns when both answer, after
// about five seconds. ctx bounds the start only.
func StartRabbitMQ(ctx context.Context, opts RabbitMQOptions) (*RabbitMQ, error) {
	const install = "apt-get install rabbitmq-server"
	// Not the wrapper in PATH: as root that changes user and stays between us and the broker.
	bin, err := find(install, "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
		"/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server", "rabbitmq-server")
	if err != nil {
		return nil, err
	}
	epmd, err := find(install, "epmd", "/usr/lib/erlang/erts-*/bin/epmd")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	folder := opts.Folder
	if folder == "" {
		folder = DefaultFolder()
	}
	dir, err := newDirectory(folder, "rabbitmq")
	if err != nil {
		return nil, err
	}
	r := &RabbitMQ{ports: rabbitPorts{ports[0], ports[1], ports[2], ports[3]}}
	r.Process = &Process{
		name:     "rabbitmq",
		spec:     childSpec{dir: dir, argv: []string{bin}, env: r.env(dir), death: syscall.SIGKILL, log: logFile},
		graceful: syscall.SIGTERM, final: syscall.SIGKILL, ready: r.ping,
	}
	if err := r.launch(ctx, epmd, opts); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *RabbitMQ) launch(ctx context.Context, epmd string, opts RabbitMQOptions) error {
	if err := r.configure(opts); err != nil {
		return errors.Join(fmt.Errorf("configure rabbitmq: %w", err), removeAll(r.spec.dir))
	}
	var err error
	r.epmd, err = startChild(childSpec{
		dir: r.spec.dir, argv: []string{epmd, "-port", strconv.Itoa(r.ports.epmd), "-address", "127.0.0.1"},
		env: r.spec.env, death: syscall.SIGKILL, log: "epmd.log",
	})
	if err != nil {
		return errors.Join(err, removeAll(r.spec.dir))
	}
	if err := r.startOrRemove(ctx); err != nil {
		r.epmd.kill()
		return err
	}
	return nil
}

func (r *RabbitMQ) configure(opts RabbitMQOptions) error {
	config := fmt.Sprintf(`listeners.tcp.1 = 127.0.0.1:%d
management.tcp.ip = 127.0.0.1
management.tcp.port = %d
log.file = false
log.console = true
log.console.level = warning
collect_statistics_interval = 1000
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
%s`, r.ports.amqp, r.ports.management, opts.Config)
	plugins := append([]string{"rabbitmq_management"}, opts.Plugins...)
	files := []struct{ name, text string }{
		{"rabbitmq.conf", config},
		{"env.conf", ""}, // an empty one keeps the machine's own out
		{"enabled_plugins", "[" + strings.Join(plugins, ",") + "].\n"},
		{".erlang.cookie", rand.Text()},
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(r.spec.dir, file.name), []byte(file.text), 0o400); err != nil {
			return err
		}
	}
	return nil
}

func (r *RabbitMQ) env(dir string) []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LANG=C.UTF-8", "TZ=UTC",
		fmt.Sprintf("RABBITMQ_NODENAME=orderwatch%d@localhost", r.ports.amqp),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT=" + strconv.Itoa(r.ports.amqp),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(r.ports.distribution),
		"ERL_EPMD_PORT=" + strconv.Itoa(r.ports.epmd),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_MNESIA_BASE=" + dir + "/mnesia",
		"RABBITMQ_LOG_BASE=" + dir + "/log.d",
		"RABBITMQ_CONF_ENV_FILE=" + dir + "/env.conf",
		"RABBITMQ_CONFIG_FILE=" + dir + "/rabbitmq.conf",
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + dir + "/advanced.config",
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + dir + "/enabled_plugins",
		"RABBITMQ_GENERATED_CONFIG_DIR=" + dir + "/generated",
		"RABBITMQ_PID_FILE=" + dir + "/pid",
		"RUNNING_UNDER_SYSTEMD=true", // the script then becomes the broker: its pid is the broker's
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
	}
}

func (r *RabbitMQ) ping(ctx context.Context) error {
	conn, err := amqp.Dial(r.URL())
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	return getOK(ctx, r.ManagementURL()+"/api/whoami", func(req *http.Request) { req.SetBasicAuth("guest", "guest") })
}

// URL returns the AMQP address, with guest's name and password.
func (r *RabbitMQ) URL() string {
	return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", r.ports.amqp)
}

// ManagementURL returns the address of the management API, without a name, password or final slash.
func (r *RabbitMQ) ManagementURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d", r.ports.management)
}

// Stop ends broker and epmd for good and removes their directory. A second call does nothing.
func (r *RabbitMQ) Stop() error {
	// The broker first: it must not come to miss its epmd while it runs.
	err := r.Process.Stop()
	r.epmd.kill()
	return err
}
