package order

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// flowHash returns the hex SHA-256 of what the flow says, however its file is written. Orders
// remember it, so a new field of Flow gives every flow a new hash, and open orders are refolded.
func flowHash(f *Flow) (string, error) {
	type hours struct {
		Week     [7][]opening
		Holidays []dateRange
	}
	calendars := map[string]hours{}
	for name, c := range f.Calendars {
		if c != nil {
			calendars[name] = hours{c.week, c.holidays}
		}
	}
	canonical := *f
	canonical.Calendars, canonical.Warnings, canonical.Timezone = nil, nil, nil
	text, err := json.Marshal(struct {
		Flow      Flow
		Timezone  string
		Calendars map[string]hours
	}{canonical, f.Timezone.String(), calendars})
	if err != nil {
		return "", fmt.Errorf("hash flow: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
