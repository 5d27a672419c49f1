package testbed

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options says what company to start. The zero Options are a company at its real pace without
// customers or faults.
type Options struct {
	Command     []string           // The program whose sub-commands are the applications. Defaults to our own executable and "testbed".
	Folder      string             // Of the servers. Defaults to server.DefaultFolder().
	TruthPath   string             // The file of the ground truth. Defaults to one that Stop removes.
	Compress    float64            // Divides every duration. Defaults to 1.
	Seed        uint64             // Of everything random.
	Orders      int                // That the customers place. Defaults to 0, without end, where Rate is set.
	Rate        float64            // Orders a second. Defaults to 0: no customers.
	B2BShare    float64            // Of the customers' orders, 0 to 1.
	Partners    []string           // With a token for the partner API. Defaults to acme, bijou and carat.
	CancelShare float64            // Of the orders, 0 to 1, at the approval.
	FaultShare  map[string]float64 // Of the orders, 0 to 1, by fault.
	Calculators int                // Calculations at a time. Defaults to 1.
	Operators   int                // Who claim orders. Defaults to 4.
	LookEvery   time.Duration      // An operator's mean time between looks at the list. Defaults to 1 h, before compression.
	NewestFirst bool               // The list that operators claim from.
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		path, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("find our executable: %w", err)
		}
		o.Command = []string{path, "testbed"}
	}
	if o.Compress == 0 {
		o.Compress = 1
	}
	if len(o.Partners) == 0 {
		o.Partners = []string{"acme", "bijou", "carat"}
	}
	if o.Calculators == 0 {
		o.Calculators = 1
	}
	if o.Operators == 0 {
		o.Operators = 4
	}
	if o.LookEvery == 0 {
		o.LookEvery = time.Hour
	}
	return o, nil
}

// shares is the flag form of fault shares: message_lost=0.02,nobody_claims=0.01.
type shares map[string]float64

func (s shares) String() string {
	parts := make([]string, 0, len(s))
	for _, name := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, name+"="+strconv.FormatFloat(s[name], 'g', -1, 64))
	}
	return strings.Join(parts, ",")
}

// Set implements flag.Value.
func (s shares) Set(text string) error {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(part, "=")
		share, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return fmt.Errorf("%q is not fault=share", part)
		}
		s[name] = share
	}
	return nil
}

// names is the flag form of a list: acme,bijou.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

// Set implements flag.Value.
func (n *names) Set(text string) error {
	*n = nil
	if text != "" {
		*n = strings.Split(text, ",")
	}
	return nil
}
