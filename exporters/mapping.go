package exporters

import (
	"strings"

	"github.com/alexandrite/orderwatch/order"
)

// Statuses renames what a system says to the flow's names. A value it does not hold passes
// through; one renamed to "" is dropped.
type Statuses map[string]string

// Name returns the flow's name for a raw status and whether it makes an event.
func (s Statuses) Name(raw string) (string, bool) {
	name, ok := s[raw]
	if !ok {
		name = raw
	}
	return name, name != ""
}

// MaxValue bounds one key or attribute value in bytes; longer ones are cut so that a record stays
// far below order.MaxEventBytes.
const MaxValue = 1024

// Cut returns value as valid UTF-8, which OTLP requires, no longer than MaxValue bytes.
func Cut(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if len(value) <= MaxValue {
		return value
	}
	end := MaxValue
	for end > 0 && value[end]&0xC0 == 0x80 {
		end--
	}
	return value[:end]
}

// AddKey appends a key that has a value.
func AddKey(keys []order.Key, name, value string) []order.Key {
	if value == "" {
		return keys
	}
	return append(keys, order.Key{Name: name, Value: Cut(value)})
}

// AddAttr appends an attribute that has a value.
func AddAttr(attrs []order.Attr, name, value string) []order.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, order.Attr{Name: name, Value: Cut(value)})
}
