package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/alexandrite/orderwatch/testbed/customer"
	"github.com/alexandrite/orderwatch/testbed/endpoint"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/server"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

// Company is a running company. Stop must be called.
type Company struct {
	opts         Options
	truthPath    string
	pace         *pace.Pace
	shopDB       *server.Postgres
	mesDB        *server.Postgres
	rabbit       *server.RabbitMQ
	mes          *server.Command
	shop         *server.Command
	crm          *server.Command
	customers    *server.Command // nil without customers
	applications []*server.Command
}

// Start starts servers and applications and returns when all are ready, after some seconds. ctx
// bounds the start only.
func Start(ctx context.Context, opts Options) (*Company, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	p, err := pace.New(opts.Compress, opts.Seed, "placed by hand")
	if err != nil {
		return nil, err
	}
	c := &Company{opts: opts, pace: p}
	for _, step := range []func(context.Context) error{c.startServers, c.startApplications, c.startCustomers} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("start company: %w", err), c.Stop())
		}
	}
	return c, nil
}

func (c *Company) startServers(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		c.shopDB, err = startDatabase(ctx, c.opts.Folder, shopDatabase())
		return err
	})
	group.Go(func() (err error) {
		c.mesDB, err = startDatabase(ctx, c.opts.Folder, mesDatabase())
		return err
	})
	group.Go(func() (err error) {
		c.rabbit, err = server.StartRabbitMQ(ctx, server.RabbitMQOptions{Folder: c.opts.Folder})
		return err
	})
	return group.Wait()
}

func (c *Company) startApplications(ctx context.Context) (err error) {
	o := c.opts
	c.truthPath = "{dir}/truth.jsonl"
	if o.TruthPath != "" {
		if c.truthPath, err = filepath.Abs(o.TruthPath); err != nil {
			return fmt.Errorf("find truth: %w", err)
		}
	}
	c.mes, err = c.application(ctx, "mes", "--dsn", c.MESDSN(), "--rabbitmq", c.RabbitURL(),
		"--partners", strings.Join(o.Partners, ","), "--calculators", fmt.Sprint(o.Calculators),
		"--operators", fmt.Sprint(o.Operators), "--look-every", o.LookEvery.String(),
		fmt.Sprintf("--newest-first=%v", o.NewestFirst), "--fault-share", shares(o.FaultShare).String())
	if err != nil {
		return err
	}
	if o.TruthPath == "" {
		c.truthPath = filepath.Join(c.mes.Dir(), "truth.jsonl")
	}
	c.shop, err = c.application(ctx, "shop", "--dsn", c.ShopDSN(), "--mes", c.MESURL())
	if err != nil {
		return err
	}
	c.crm, err = c.application(ctx, "crm", "--dsn", c.ShopDSN(), "--rabbitmq", c.RabbitURL(),
		"--cancel-share", fmt.Sprint(o.CancelShare))
	return err
}

func (c *Company) application(ctx context.Context, name string, flags ...string) (*server.Command, error) {
	argv := append(append([]string{}, c.opts.Command...), name, "--listen", "{listen}", "--truth", c.truthPath)
	argv = append(append(argv, c.common()...), flags...)
	app, err := server.StartCommand(ctx, server.CommandOptions{
		Folder: c.opts.Folder, Name: name, Argv: argv, Ready: "/healthz",
	})
	if err == nil {
		c.applications = append(c.applications, app)
	}
	return app, err
}

func (c *Company) common() []string {
	return []string{"--compress", fmt.Sprint(c.opts.Compress), "--seed", fmt.Sprint(c.opts.Seed)}
}

func (c *Company) startCustomers(ctx context.Context) (err error) {
	o := c.opts
	if o.Rate == 0 {
		return nil
	}
	argv := append(append([]string{}, o.Command...), "customers", "--shop", c.ShopURL(), "--mes", c.MESURL(),
		"--orders", fmt.Sprint(o.Orders), "--rate", fmt.Sprint(o.Rate),
		"--b2b-share", fmt.Sprint(o.B2BShare), "--partners", strings.Join(o.Partners, ","))
	c.customers, err = server.StartCommand(ctx, server.CommandOptions{
		Folder: o.Folder, Name: "customers", Argv: append(argv, c.common()...),
	})
	return err
}

// Stop ends everything and removes it, the truth too unless it has a path of its own.
func (c *Company) Stop() error {
	var errs []error
	if c.customers != nil {
		errs = append(errs, c.customers.Stop())
	}
	for _, app := range c.applications {
		errs = append(errs, app.Stop())
	}
	if c.rabbit != nil {
		errs = append(errs, c.rabbit.Stop())
	}
	for _, db := range []*server.Postgres{c.shopDB, c.mesDB} {
		if db != nil {
			errs = append(errs, db.Stop())
		}
	}
	return errors.Join(errs...)
}

// Wait returns nil when ctx ends, or an error with its log when an application ends before.
func (c *Company) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.shop.Done():
		return fmt.Errorf("shop ended:\n%s", c.shop.Log())
	case <-c.crm.Done():
		return fmt.Errorf("crm ended:\n%s", c.crm.Log())
	case <-c.mes.Done():
		return fmt.Errorf("mes ended:\n%s", c.mes.Log())
	}
}

// Place lets a customer place an order, with a fault where one of package truth's is given, and
// returns once it is submitted. It is in the systems under the order's FileID.
func (c *Company) Place(ctx context.Context, o customer.Order, fault string) error {
	if fault != "" {
		if err := c.BeginFault(ctx, o.FileID, fault); err != nil {
			return err
		}
	}
	return customer.Market{Shop: c.ShopURL(), MES: c.MESURL(), Pace: c.pace}.Place(ctx, o)
}

// BeginFault gives the order of a model file a fault, which takes effect when the order comes to
// that place; the order need not exist yet.
func (c *Company) BeginFault(ctx context.Context, file, fault string) error {
	return endpoint.Call(ctx, http.MethodPut, c.MESURL()+"/testbed/faults/"+file, nil, map[string]string{"fault": fault}, nil)
}

// EndFault takes the order's fault away: a lost message is published, a hung calculation
// finishes, operators see the order again.
func (c *Company) EndFault(ctx context.Context, file string) error {
	return endpoint.Call(ctx, http.MethodDelete, c.MESURL()+"/testbed/faults/"+file, nil, struct{}{}, nil)
}

// Truth returns what the applications have done so far.
func (c *Company) Truth() (*truth.Truth, error) { return truth.Read(c.truthPath) }

// Log returns what the applications logged, for a test that failed.
func (c *Company) Log() string {
	var log strings.Builder
	for _, app := range c.applications {
		log.WriteString(app.Log())
	}
	return log.String()
}
