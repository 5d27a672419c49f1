package testbed

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alexandrite/orderwatch/testbed/crm"
	"github.com/alexandrite/orderwatch/testbed/customer"
	"github.com/alexandrite/orderwatch/testbed/mes"
	"github.com/alexandrite/orderwatch/testbed/pace"
	"github.com/alexandrite/orderwatch/testbed/shop"
	"github.com/alexandrite/orderwatch/testbed/truth"
)

const usage = `usage: orderwatch testbed COMMAND [flags]

  run         start the whole company on throwaway servers, with customers, until interrupted
  flow FILE   print a flow file compressed like the company (--compress)
  shop, crm, mes, customers
              one application on its own, as run starts them

orderwatch testbed COMMAND --help lists a command's flags.
`

// errUsage is wrapped by errors of the command line.
var errUsage = errors.New("wrong usage")

// Main is `orderwatch testbed`: args are what follows. It works until done or ctx ends and returns
// the exit code: 0 done, 1 failed, 2 wrong usage.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, *command) error{
		"run": runCompany, "flow": printFlow,
		"shop": runShop, "crm": runCRM, "mes": runMES, "customers": runCustomers,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		_, _ = io.WriteString(stderr, usage)
		return 2
	}
	c := &command{
		args: args[1:], flags: flag.NewFlagSet("orderwatch testbed "+args[0], flag.ContinueOnError),
		stdout: stdout, log: slog.New(slog.NewTextHandler(stderr, nil)).With("application", args[0]),
	}
	c.flags.SetOutput(stderr)
	switch err := commands[args[0]](ctx, c); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "orderwatch testbed %s: %v\n", args[0], err)
		return 2
	default:
		_, _ = fmt.Fprintf(stderr, "orderwatch testbed %s: %v\n", args[0], err)
		return 1
	}
}

// command is one run of a sub-command.
type command struct {
	args   []string
	flags  *flag.FlagSet
	stdout io.Writer
	log    *slog.Logger
}

// parse parses the flags and, where operands is not negative, wants that many arguments after them.
func (c *command) parse(operands int) error {
	if err := c.flags.Parse(c.args); err != nil {
		return errors.Join(errUsage, err)
	}
	if c.flags.NArg() != operands {
		return fmt.Errorf("%d arguments, want %d: %w", c.flags.NArg(), operands, errUsage)
	}
	return nil
}

// application holds what every application has flags for.
type application struct {
	listen, dsn, rabbit, truthPath string
	compress                       float64
	seed                           uint64
}

func (c *command) application() *application {
	var a application
	c.flags.StringVar(&a.listen, "listen", "127.0.0.1:0", "address to serve on")
	c.flags.StringVar(&a.dsn, "dsn", "", "connection string of the application's database")
	c.flags.StringVar(&a.rabbit, "rabbitmq", "", "AMQP address")
	c.flags.StringVar(&a.truthPath, "truth", os.DevNull, "file to append the ground truth to")
	c.pace(&a)
	return &a
}

func (c *command) pace(a *application) {
	c.flags.Float64Var(&a.compress, "compress", 1, "factor that divides every duration")
	c.flags.Uint64Var(&a.seed, "seed", 1, "of everything random")
}

// run opens truth and pace for an application and runs it.
func (a *application) run(name string, do func(*truth.Writer, *pace.Pace) error) error {
	p, err := pace.New(a.compress, a.seed, name)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	w, err := truth.Open(a.truthPath)
	if err != nil {
		return err
	}
	return errors.Join(do(w, p), w.Close())
}

func runShop(ctx context.Context, c *command) error {
	a := c.application()
	mesURL := c.flags.String("mes", "", "the MES's URL")
	if err := c.parse(0); err != nil {
		return err
	}
	return a.run("shop", func(w *truth.Writer, _ *pace.Pace) error {
		return shop.Run(ctx, shop.Options{Listen: a.listen, DSN: a.dsn, MES: *mesURL, Truth: w, Log: c.log})
	})
}

func runCRM(ctx context.Context, c *command) error {
	a := c.application()
	cancel := c.flags.Float64("cancel-share", 0, "share of the orders that are cancelled, 0 to 1")
	if err := c.parse(0); err != nil {
		return err
	}
	return a.run("crm", func(w *truth.Writer, p *pace.Pace) error {
		return crm.Run(ctx, crm.Options{
			Listen: a.listen, DSN: a.dsn, Rabbit: a.rabbit, Pace: p, Seed: a.seed, CancelShare: *cancel, Truth: w, Log: c.log,
		})
	})
}

func runMES(ctx context.Context, c *command) error {
	a := c.application()
	var staff Options
	var partners names
	c.flags.Var(&partners, "partners", "partners with a token, separated by commas")
	c.staff(&staff)
	if err := c.parse(0); err != nil {
		return err
	}
	staff, err := staff.withDefaults()
	if err != nil {
		return err
	}
	return a.run("mes", func(w *truth.Writer, p *pace.Pace) error {
		return mes.Run(ctx, mes.Options{
			Listen: a.listen, DSN: a.dsn, Rabbit: a.rabbit, Partners: partners, Pace: p, Seed: a.seed,
			Calculators: staff.Calculators, Operators: staff.Operators, LookEvery: staff.LookEvery,
			NewestFirst: staff.NewestFirst, FaultShare: staff.FaultShare, Truth: w, Log: c.log,
		})
	})
}

// staff adds the flags about the MES's people, machines and faults.
func (c *command) staff(o *Options) {
	o.FaultShare = map[string]float64{}
	c.flags.IntVar(&o.Calculators, "calculators", 1, "calculations at a time")
	c.flags.IntVar(&o.Operators, "operators", 4, "operators who claim orders")
	c.flags.DurationVar(&o.LookEvery, "look-every", 0, "mean time between an operator's looks at the list, before compression (default 1h)")
	c.flags.BoolVar(&o.NewestFirst, "newest-first", false, "operators see the newest order first")
	c.flags.Var(shares(o.FaultShare), "fault-share", fmt.Sprintf("shares of the orders, as fault=share,…; the faults are %v", truth.Faults()))
}

func runCustomers(ctx context.Context, c *command) error {
	var a application
	var o Options
	c.pace(&a)
	c.crowd(&o)
	shopURL := c.flags.String("shop", "", "the shop's URL")
	mesURL := c.flags.String("mes", "", "the MES's URL")
	if err := c.parse(0); err != nil {
		return err
	}
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	p, err := pace.New(a.compress, a.seed, "customers")
	if err != nil {
		return errors.Join(errUsage, err)
	}
	crowd := customer.Crowd{Seed: a.seed, Orders: o.Orders, Rate: o.Rate, B2BShare: o.B2BShare, Partners: o.Partners}
	return crowd.Run(ctx, customer.Market{Shop: *shopURL, MES: *mesURL, Pace: p}, c.log)
}

// crowd adds the flags about the customers.
func (c *command) crowd(o *Options) {
	c.flags.IntVar(&o.Orders, "orders", 0, "orders to place (default 0: without end)")
	c.flags.Float64Var(&o.Rate, "rate", 1, "orders a second on average")
	c.flags.Float64Var(&o.B2BShare, "b2b-share", 0.3, "share of the orders that partners place, 0 to 1")
	c.flags.Var((*names)(&o.Partners), "partners", "partners, the one with most orders first (default acme,bijou,carat)")
}
