package order_test

import (
	"testing"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
)

func exampleFlow(t *testing.T) *order.Flow {
	t.Helper()
	f, err := order.ParseFlow(examples.FlowName, examples.Flow())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheExampleFlowIsValidWithoutWarnings(t *testing.T) {
	for _, w := range exampleFlow(t).Warnings {
		t.Errorf("warning: %s", w)
	}
}
