package testbed

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alexandrite/orderwatch/order"
)

// minWithin is the shortest deadline CompressFlow writes. Flow files count in whole seconds, and
// what real servers need for a step does not shrink with the factor.
const minWithin = 2 * time.Second

// CompressFlow returns a flow file for a company whose durations are divided by factor: every
// `within` and `close_after` is divided by it too, but not below two seconds, and counts in every
// calendar as if it were always open. A working day counts as 24 hours. Comments are kept.
func CompressFlow(text []byte, factor float64) ([]byte, error) {
	if math.IsNaN(factor) || math.IsInf(factor, 0) || factor < 1 {
		return nil, fmt.Errorf("compress flow: factor %v is not a number of 1 or more", factor)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("compress flow: %w", err)
	}
	if err := compressNode(&doc, factor); err != nil {
		return nil, fmt.Errorf("compress flow: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, fmt.Errorf("compress flow: %w", err)
	}
	return out.Bytes(), nil
}

func compressNode(node *yaml.Node, factor float64) error {
	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			if err := compressNode(child, factor); err != nil {
				return err
			}
		}
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		switch {
		case value.Kind != yaml.ScalarNode:
			if err := compressNode(value, factor); err != nil {
				return err
			}
		case key == "within" || key == "close_after":
			d, err := elapsed(value.Value)
			if err != nil {
				return fmt.Errorf("line %d: %s: %w", value.Line, key, err)
			}
			seconds := max(minWithin.Seconds(), math.Ceil(d.Seconds()/factor))
			value.SetString(strconv.FormatFloat(seconds, 'f', 0, 64) + "s")
		case key == "calendar":
			value.SetString("always")
		}
	}
	return nil
}

// elapsed reads a duration of a flow file as time that passes by day and night.
func elapsed(text string) (time.Duration, error) {
	span, err := order.ParseSpan(text)
	if span.Unit == order.WorkingDays {
		return time.Duration(span.Days) * order.Day, err
	}
	return span.Amount, err
}
