package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
	_ "modernc.org/sqlite"             // the database/sql driver "sqlite"

	"github.com/alexandrite/orderwatch/order"
)

// kept is what a store holds after the process that wrote it has ended, without what may differ from run
// to run: order ids, the times of verdicts, evidence.
type kept struct {
	journal  map[string]int    // how often each event is there
	orders   map[string]string // all that is said of an order, by its keys
	stuck    map[visitKey]int  // how often it was said
	other    map[string]int    // audit entries of other kinds
	open     map[string]stageCount
	totals   map[string]int // by state, and "late"
	last     int64          // of the journal
	applied  int64
	repeated []string // orders absorbed twice
}

// readKept reads the tables as an analyst would: by SQL that both databases understand.
func readKept(t *testing.T, driver, dsn string) *kept {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	k := &kept{journal: map[string]int{}, orders: map[string]string{}, stuck: map[visitKey]int{}, other: map[string]int{},
		open: map[string]stageCount{}, totals: map[string]int{}}
	k.readJournal(t, db)
	k.readOrders(t, db)
	return k
}

// awaitApplied waits until the read model has folded so many events, as no gauge can say.
func awaitApplied(t *testing.T, driver, dsn string, events int64) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s := &stack{t: t}
	s.eventually(time.Minute, "the read model has everything", func() bool {
		var applied int64
		if err := db.QueryRowContext(t.Context(), "SELECT applied FROM progress").Scan(&applied); err != nil {
			t.Logf("read progress: %v", err)
		}
		return applied == events
	})
}

// each calls fn with the columns of every row, as text.
func each(t *testing.T, db *sql.DB, query string, fn func(c []string)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	texts := make([]string, len(columns))
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for i := range values {
			texts[i] = values[i].String
		}
		fn(texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func (k *kept) readJournal(t *testing.T, db *sql.DB) {
	t.Helper()
	each(t, db, "SELECT journal, applied FROM progress", func(c []string) {
		_, _ = fmt.Sscan(c[0], &k.last)
		_, _ = fmt.Sscan(c[1], &k.applied)
	})
	next := int64(1)
	each(t, db, `SELECT e.seq, src.text, e.epoch, e.source_seq, e.event_id, e.time, e.observed, sys.text, st.text, e.keys, e.attrs, e.kind
		FROM events e LEFT JOIN names src ON src.id = e.source LEFT JOIN names sys ON sys.id = e.system LEFT JOIN names st ON st.id = e.status ORDER BY e.seq`,
		func(c []string) {
			if c[0] != fmt.Sprint(next) {
				t.Fatalf("the journal goes from %d to %s", next-1, c[0])
			}
			next++
			k.journal[strings.Join(c[1:], " ")]++
		})
	if next-1 != k.last {
		t.Errorf("the journal ends at %d and says that it stands at %d", next-1, k.last)
	}
}

// journalLine is an event as readJournal reads it.
func journalLine(e *order.Event) string {
	return strings.Join([]string{e.Source, fmt.Sprint(e.Epoch), fmt.Sprint(e.Seq), e.ID, fmt.Sprint(e.Time.UnixNano()),
		fmt.Sprint(e.Observed.UnixNano()), e.System, e.Status, pairs(e.Keys), pairs(e.Attrs), fmt.Sprint(int(e.Kind))}, " ")
}

func pairs[T ~struct{ Name, Value string }](list []T) string {
	var fields []string
	for _, x := range list {
		p := struct{ Name, Value string }(x)
		fields = append(fields, fmt.Sprintf("%q:%q", p.Name, p.Value))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (k *kept) readOrders(t *testing.T, db *sql.DB) {
	t.Helper()
	keys, text := map[string]string{}, map[string]*strings.Builder{}
	each(t, db, `SELECT o.id, o.keys, o.attrs, s.text, o.created, o.updated, o.ended, o.channel, o.partner, st.text, o.entered, o.deadline,
		v.text, o.rank, CASE WHEN o.late THEN 1 ELSE 0 END, h.text, o.doc FROM orders o LEFT JOIN names s ON s.id = o.state LEFT JOIN names st ON st.id = o.stage
		LEFT JOIN names v ON v.id = o.verdict LEFT JOIN names h ON h.id = o.flow_hash`, func(c []string) {
		keys[c[0]] = c[1]
		text[c[0]] = &strings.Builder{}
		fmt.Fprintln(text[c[0]], strings.Join(c[1:16], " "), k.document(t, c[0], c[16]))
		k.totals[c[3]]++
		k.totals["late"] += int(c[14][0] - '0')
	})
	each(t, db, `SELECT v.order_id, v.pos, s.text, v.n, v.entered, v.left_at, v.deadline, d.text, CASE c.text WHEN 'starved' THEN 'waiting_for_person' ELSE coalesce(c.text, '') END,
		CASE WHEN v.rework THEN 1 ELSE 0 END, CASE WHEN v.inferred THEN 1 ELSE 0 END, CASE WHEN v.stuck_at IS NULL THEN 0 ELSE 1 END, v.rank
		FROM visits v LEFT JOIN names s ON s.id = v.stage LEFT JOIN names d ON d.id = v.verdict LEFT JOIN names c ON c.id = v.cause ORDER BY v.order_id, v.pos`, func(c []string) {
		if text[c[0]] == nil {
			t.Fatalf("a visit of order %s, which is not kept", c[0])
		}
		fmt.Fprintln(text[c[0]], "visit", strings.Join(c[1:], " "))
		if c[5] == "" {
			n := k.open[c[2]]
			n.open++
			switch c[7] {
			case "stuck":
				n.overdue++
			case "unknown":
				n.unknown++
			}
			k.open[c[2]] = n
		}
	})
	each(t, db, `SELECT p.order_id, p.pos, n.text, p.start, p.due, p.stop, v.text, CASE WHEN p.paused THEN 1 ELSE 0 END
		FROM promises p LEFT JOIN names n ON n.id = p.name LEFT JOIN names v ON v.id = p.verdict ORDER BY p.order_id, p.pos`, func(c []string) {
		fmt.Fprintln(text[c[0]], "promise", strings.Join(c[1:], " "))
	})
	for id, b := range text {
		if keys[id] == "" || k.orders[keys[id]] != "" {
			t.Errorf("order %s goes by the keys of another: %q", id, keys[id])
		}
		k.orders[keys[id]] = b.String()
	}
	each(t, db, `SELECT coalesce(m.into_id, a.order_id), k.text, s.text, a.n, a.detail FROM audit a LEFT JOIN merges m ON m.order_id = a.order_id
		LEFT JOIN names k ON k.id = a.kind LEFT JOIN names s ON s.id = a.stage ORDER BY a.id`, func(c []string) {
		if c[1] == "stuck" {
			k.stuck[visitKey{shopKey(keys[c[0]]), c[2]}]++
		} else {
			k.other[strings.Join(c[:4], " ")+" "+c[4]]++
		}
	})
}

// document is an order's doc without the ids of orders.
func (k *kept) document(t *testing.T, id, text string) string {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("order %s: %v", id, err)
	}
	var absorbed []int64
	if raw := doc["absorbed"]; raw != nil {
		if err := json.Unmarshal(raw, &absorbed); err != nil {
			t.Fatalf("order %s: %v", id, err)
		}
	}
	slices.Sort(absorbed)
	if len(slices.Compact(slices.Clone(absorbed))) != len(absorbed) {
		k.repeated = append(k.repeated, fmt.Sprintf("%s: %v", id, absorbed))
	}
	delete(doc, "absorbed")
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		fmt.Fprintf(&b, "%s=%s ", name, doc[name])
	}
	return b.String()
}

// shopKey reads the number in the shop out of an order's keys.
func shopKey(keys string) string {
	var k map[string]string
	_ = json.Unmarshal([]byte(keys), &k) // an order without keys is told elsewhere
	return k["shop"]
}

// holdToStream checks a store against what was sent and what had to come of it.
func (k *kept) holdToStream(t *testing.T, s *stream) {
	t.Helper()
	sent := map[string]bool{}
	for _, sources := range s.parts {
		for _, events := range sources {
			for i := range events {
				if events[i].Kind != order.KindWatermark {
					sent[journalLine(&events[i])] = true
				}
			}
		}
	}
	missing, twice, strange := 0, 0, 0
	for line := range sent {
		switch n := k.journal[line]; {
		case n == 0:
			if missing++; missing == 1 {
				t.Logf("missing: %s", line)
			}
		case n > 1:
			twice++
		}
	}
	for line := range k.journal {
		if !sent[line] {
			if strange++; strange == 1 {
				t.Logf("never sent: %s", line)
			}
		}
	}
	if missing+twice+strange > 0 || len(sent) != s.events {
		t.Errorf("of %d acknowledged events (%d different) the journal lacks %d and has %d more than once, and %d that nobody sent",
			s.events, len(sent), missing, twice, strange)
	}
	if k.applied != k.last {
		t.Errorf("the journal stands at %d, the read model at %d", k.last, k.applied)
	}
	for v := range s.stuck {
		if n := k.stuck[v]; n != 1 {
			t.Errorf("order %s was said to be stuck in %s %d times, want once", v.order, v.stage, n)
		}
	}
	for v := range k.stuck {
		if !s.stuck[v] {
			t.Errorf("order %s was said to be stuck in %s, and is not", v.order, v.stage)
		}
	}
	for said, n := range k.other {
		if kind := strings.Fields(said)[1]; kind != "merged" && kind != "incident_opened" || n > 1 {
			t.Errorf("the audit has %d times: %s", n, said)
		}
	}
	if len(k.repeated) > 0 {
		t.Errorf("%d orders were absorbed more than once: %s", len(k.repeated), k.repeated[0])
	}
	if !maps.Equal(k.open, s.open[1]) {
		t.Errorf("open visits by stage are %v, want %v", k.open, s.open[1])
	}
	for state, want := range s.totals {
		if k.totals[state] != want {
			t.Errorf("%d orders are %s, want %d", k.totals[state], state, want)
		}
	}
}

// equal compares what two runs of one stream left.
func (k *kept) equal(t *testing.T, undisturbed *kept) {
	t.Helper()
	different := 0
	for keys, want := range undisturbed.orders {
		if got := k.orders[keys]; got != want {
			if different++; different <= 3 {
				t.Errorf("order %s is\n%swithout a crash it is\n%s", keys, got, want)
			}
		}
	}
	if different > 0 || len(k.orders) != len(undisturbed.orders) {
		t.Errorf("%d of %d orders differ from the undisturbed run, which has %d", different, len(k.orders), len(undisturbed.orders))
	}
	if !maps.Equal(k.totals, undisturbed.totals) {
		t.Errorf("totals are %v, without a crash %v", k.totals, undisturbed.totals)
	}
}
