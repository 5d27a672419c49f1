package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alexandrite/orderwatch/exporters"
)

// Config is the postgres section of sidecar.yaml.
type Config struct {
	DSN               string        `yaml:"dsn"`                // URL or keyword form; the password may come from PGPASSWORD or a passfile
	Slot              string        `yaml:"slot"`               // replication slot, ours alone
	Publication       string        `yaml:"publication"`        // made by the administrator
	WatermarkInterval time.Duration `yaml:"watermark_interval"` // how often the database's clock is read
	Margin            time.Duration `yaml:"margin"`             // taken off the clock; see watermark.go
	RememberRows      int           `yaml:"remember_rows"`      // rows whose last status is kept
	Tables            []Table       `yaml:"tables"`
}

// Table says which column of a table is a status. Several entries may watch the same table.
type Table struct {
	Table         string             `yaml:"table"` // schema.table; public without a schema
	System        string             `yaml:"system"`
	Status        string             `yaml:"status"`         // column whose change is an event
	Keys          map[string]string  `yaml:"keys"`           // key name → column
	Attributes    map[string]string  `yaml:"attributes"`     // attribute name → column; no other column travels
	Time          string             `yaml:"time"`           // column with the row's own time, sent as the attribute row_time
	Statuses      exporters.Statuses `yaml:"statuses"`       // raw value → status; "" drops; others pass through
	SnapshotWhere string             `yaml:"snapshot_where"` // SQL condition that bounds the first snapshot
}

// AttrRowTime is the attribute that carries the row's own time, in RFC 3339.
const AttrRowTime = "row_time"

// DefaultConfig returns what applies where sidecar.yaml says nothing.
func DefaultConfig() Config {
	return Config{WatermarkInterval: time.Second, Margin: 100 * time.Millisecond, RememberRows: 200_000}
}

var (
	slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	wireName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// Validate returns every problem, each with its field path below the section's own.
func (c *Config) Validate() []error {
	var out []error
	bad := func(field, format string, args ...any) {
		out = append(out, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.DSN == "" {
		bad("dsn", "is required")
	} else if _, err := pgx.ParseConfig(c.DSN); err != nil {
		bad("dsn", "%v", err)
	}
	if !slotName.MatchString(c.Slot) {
		bad("slot", "%q must be 1 to 63 lower-case letters, digits and underscores", c.Slot)
	}
	if c.Publication == "" {
		bad("publication", "is required")
	}
	if c.WatermarkInterval < 10*time.Millisecond || c.WatermarkInterval > time.Minute {
		bad("watermark_interval", "%v is not between 10ms and 1m", c.WatermarkInterval)
	}
	if c.Margin < 0 || c.Margin > time.Minute {
		bad("margin", "%v is not between 0 and 1m", c.Margin)
	}
	if c.RememberRows < 1000 {
		bad("remember_rows", "%d is too small, at least 1000", c.RememberRows)
	}
	if len(c.Tables) == 0 {
		bad("tables", "is required")
	}
	seen := map[string]bool{}
	for i, t := range c.Tables {
		at := fmt.Sprintf("tables[%d].", i)
		t.validate(func(field, format string, args ...any) { bad(at+field, format, args...) })
		id := strings.Join([]string{t.Table, t.System, t.Status}, "\x00")
		if seen[id] {
			bad(strings.TrimSuffix(at, "."), "repeats an entry with the same table, system and status")
		}
		seen[id] = true
	}
	return out
}

func (t *Table) validate(bad func(field, format string, args ...any)) {
	schema, name := t.split()
	if schema == "" || name == "" || strings.Contains(name, ".") {
		bad("table", "%q is not table or schema.table", t.Table)
	}
	if t.System == "" {
		bad("system", "is required")
	}
	if t.Status == "" {
		bad("status", "is required")
	}
	if len(t.Keys) == 0 {
		bad("keys", "is required: an event without a key belongs to no order")
	}
	names := func(field string, columns map[string]string) {
		for _, name := range sortedNames(columns) {
			if !wireName.MatchString(name) {
				bad(field, "%q is not a name of lower-case letters, digits and underscores", name)
			}
			if columns[name] == "" {
				bad(field+"."+name, "names no column")
			}
		}
	}
	names("keys", t.Keys)
	names("attributes", t.Attributes)
	if _, taken := t.Attributes[AttrRowTime]; taken && t.Time != "" {
		bad("attributes."+AttrRowTime, "is what time is sent as")
	}
}

// split returns schema and table name.
func (t *Table) split() (schema, name string) {
	if schema, name, ok := strings.Cut(t.Table, "."); ok {
		return schema, name
	}
	return "public", t.Table
}

func sortedNames(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
