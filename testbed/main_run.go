package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// runCompany is `orderwatch testbed run`.
func runCompany(ctx context.Context, c *command) error {
	var a application
	var o Options
	c.flags.Float64Var(&a.compress, "compress", 100_000, "factor that divides every duration")
	c.flags.Uint64Var(&a.seed, "seed", 1, "of everything random")
	c.crowd(&o)
	c.staff(&o)
	c.flags.Float64Var(&o.CancelShare, "cancel-share", 0.03, "share of the orders that are cancelled, 0 to 1")
	c.flags.StringVar(&o.TruthPath, "truth", "", "file of the ground truth (default: a temporary one)")
	if err := c.parse(0); err != nil {
		return err
	}
	o.Compress, o.Seed = a.compress, a.seed
	_, _ = fmt.Fprintln(c.stdout, "starting two PostgreSQL servers, RabbitMQ, shop, CRM, MES and customers …")
	company, err := Start(ctx, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, `the company is at work, %v times as fast as in life

  shop DB     %s
  MES DB      %s
  RabbitMQ    %s
  management  %s (guest, guest)
  shop        %s
  MES         %s
  truth       %s

switch a fault on for the order of a model file:
  curl -X PUT %s/testbed/faults/FILE -d '{"fault": "message_lost"}'
and off again:
  curl -X DELETE %s/testbed/faults/FILE

Ctrl-C ends and removes everything.
`, o.Compress, company.WatchShopDSN(), company.WatchMESDSN(), company.RabbitURL(), company.ManagementURL(),
		company.ShopURL(), company.MESURL(), company.truthPath, company.MESURL(), company.MESURL())
	if err == nil {
		err = company.Wait(ctx)
	}
	return errors.Join(err, company.Stop())
}

// printFlow is `orderwatch testbed flow FILE`.
func printFlow(_ context.Context, c *command) error {
	factor := c.flags.Float64("compress", 100_000, "factor that divides every duration")
	if err := c.parse(1); err != nil {
		return err
	}
	text, err := os.ReadFile(c.flags.Arg(0))
	if err != nil {
		return fmt.Errorf("read flow: %w", err)
	}
	compressed, err := CompressFlow(text, *factor)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	_, err = c.stdout.Write(compressed)
	return err
}
