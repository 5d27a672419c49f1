package row

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// pair has the shape of order.Key and order.Attr.
type pair struct{ Name, Value string }

// Pairs writes a list as one JSON object in the list's order, or nil (NULL) where it is empty.
// The order and a repeated name survive the way back, and SQL can still ask for a name.
func Pairs[T ~struct{ Name, Value string }](list []T) any {
	if len(list) == 0 {
		return nil
	}
	b := make([]byte, 0, 24*len(list))
	for i, item := range list {
		b = append(b, "{,"[min(i, 1)])
		p := pair(item)
		b = appendString(b, p.Name)
		b = append(b, ':')
		b = appendString(b, p.Value)
	}
	return string(append(b, '}'))
}

func appendString(b []byte, s string) []byte {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) < 0 {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, _ := json.Marshal(s) // a string cannot fail
	return append(b, quoted...)
}

var errPairs = errors.New("not an object of strings as Pairs writes it")

// ScanPairs is the inverse of Pairs.
func ScanPairs[T ~struct{ Name, Value string }](text sql.NullString) ([]T, error) {
	if !text.Valid {
		return nil, nil
	}
	var list []T
	rest, ok := strings.CutPrefix(text.String, "{")
	for ok {
		var p pair
		var err error
		if p.Name, rest, err = cutString(rest); err != nil {
			return nil, err
		}
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			break
		}
		if p.Value, rest, err = cutString(rest); err != nil {
			return nil, err
		}
		list = append(list, T(p))
		if rest == "}" {
			return list, nil
		}
		rest, ok = strings.CutPrefix(rest, ",")
	}
	return nil, fmt.Errorf("read pairs: %w", errPairs)
}

// cutString takes a JSON string off the front.
func cutString(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", fmt.Errorf("read pairs: %w", errPairs)
	}
	escaped := false
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if !escaped {
				return text[1:i], text[i+1:], nil
			}
			err = json.Unmarshal([]byte(text[:i+1]), &value)
			return value, text[i+1:], err
		}
	}
	return "", "", fmt.Errorf("read pairs: %w", errPairs)
}
