package order_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/examples"
	"github.com/alexandrite/orderwatch/order"
)

// base is a flow file with one of everything; bad files are made of it by one replacement.
const base = `version: 1
flow: test
timezone: Europe/Moscow
calendars:
  office:
    hours: {mon-fri: ["09:00-12:00", "13:00-18:00"]}
    holidays: [2026-01-01, "2026-05-01/2026-05-09"]
keys: [shop, mes]
sources:
  - {name: shop-db, reports: [shop/*]}
  - {name: mes-db, reports: [mes/*]}
stages:
  - name: waiting
    kind: queue
    enter: [shop/SUBMITTED]
    leave: [mes/STARTED]
    within: 1wd
    calendar: office
    overrides: [{when: {channel: b2b}, within: 20m}]
  - name: start-to-shop
    kind: handoff
    via: {exchange: mes.events, routing_keys: [start.*], queue: shop.starts, dead_letter: mes.dead}
    enter: [mes/STARTED]
    leave: [shop/STARTED]
    within: 5m
promises:
  - name: soon
    start: [shop/SUBMITTED]
    stop: [mes/SHIPPED]
    within: 21d
    pause_in: [waiting]
    objective: 0.9
  - name: agreed
    start: [shop/SUBMITTED]
    stop: [mes/SHIPPED]
    due: agreed_date
    due_at: end_of_day
finish: [mes/SHIPPED]
cancel: [shop/CANCELLED]
reopen: []
incidents: {group_by: [stage, cause], min_orders: 2, close_after: 1h}
partners: [acme, "Ювелир & Co"]
capacity:
  - {stage: start-to-shop, queue: waiting, servers: 2}
`

// badFile is a replacement in base and the problems it makes: "line path: part of the message".
// refers marks what only the parser sees, since it refers to other places or to how the file is written.
type badFile struct {
	old, new string
	want     []string
	refers   bool
}

var badFiles = map[string]badFile{
	"an unknown field with a near name":     {"    within: 1wd", "    withn: 1wd", []string{`17 stages[0].withn: unknown field: did you mean "within"?`}, false},
	"an unknown field with no near name":    {"partners: [acme, \"Ювелир & Co\"]", "colour: red", []string{"42 colour: unknown field: known are version, flow"}, false},
	"a field given twice":                   {"    calendar: office", "    within: 2wd\n    calendar: office", []string{"18 stages[0].within: given twice, first on line 17"}, true},
	"a missing version":                     {"version: 1\n", "", []string{"1 version: is missing"}, false},
	"another version":                       {"version: 1", "version: 2", []string{"1 version: \"2\": this orderwatch reads version 1"}, false},
	"a version in quotes":                   {"version: 1", `version: "1"`, []string{"1 version: \"1\": this orderwatch reads"}, false},
	"a missing name of the flow":            {"flow: test\n", "", []string{"1 flow: is missing"}, false},
	"a name with a blank":                   {"flow: test", "flow: my test", []string{`2 flow: "my test" is not a name`}, false},
	"a name that is a number":               {"flow: test", "flow: 7", []string{"2 flow: 7 is not text: put it in quotes"}, false},
	"a field without a value":               {"flow: test", "flow:", []string{"2 flow: has no value"}, false},
	"an unknown time zone":                  {"Europe/Moscow", "Europe/Atlantis", []string{`3 timezone: "Europe/Atlantis" is not a time zone`}, true},
	"the machine's own time zone":           {"Europe/Moscow", "Local", []string{"3 timezone: "}, true},
	"calendars as a list":                   {"  office:\n    hours: {mon-fri: [\"09:00-12:00\", \"13:00-18:00\"]}\n    holidays: [2026-01-01, \"2026-05-01/2026-05-09\"]", "  - office", []string{"4 calendars: must be a mapping", `16 stages[0].calendar: no calendar is named "office"`}, false},
	"the calendar always redefined":         {"keys: ", "  always: {hours: {mon: [\"09:00-18:00\"]}}\nkeys: ", []string{"8 calendars.always: is built in"}, false},
	"a calendar without hours":              {`    hours: {mon-fri: ["09:00-12:00", "13:00-18:00"]}` + "\n", "", []string{"5 calendars.office.hours: is missing"}, false},
	"a calendar that never opens":           {`["09:00-12:00", "13:00-18:00"]`, "[]", []string{"6 calendars.office.hours: the calendar never opens"}, true},
	"hours past the day":                    {"18:00", "25:00", []string{`6 calendars.office.hours.mon-fri[1]: "13:00-25:00" is not an interval of hours: write 09:00-18:00, from 00:00 to 24:00`}, false},
	"hours that end before they start":      {"13:00-18:00", "22:00-06:00", []string{"6 calendars.office.hours.mon-fri[1]: \"22:00-06:00\" ends before it starts: split it at midnight, 22:00-24:00 and 00:00-06:00"}, true},
	"hours of no length":                    {"13:00-18:00", "13:00-13:00", []string{`6 calendars.office.hours.mon-fri[1]: "13:00-13:00" is empty`}, true},
	"hours that overlap":                    {"13:00-18:00", "11:00-18:00", []string{`6 calendars.office.hours.mon-fri[1]: "11:00-18:00" overlaps "09:00-12:00"`}, true},
	"hours without a leading zero":          {"09:00", "9:00", []string{"6 calendars.office.hours.mon-fri[0]: \"9:00-12:00\" is not an interval"}, false},
	"a day that does not exist":             {"mon-fri", "mon-friday", []string{`6 calendars.office.hours.mon-friday: "mon-friday" names no days`}, false},
	"a day named twice":                     {`"13:00-18:00"]`, `"13:00-18:00"], fri: ["10:00-11:00"]`, []string{"6 calendars.office.hours.fri: fri has its hours on line 6 already"}, true},
	"a holiday that is no date":             {"2026-01-01", "2026-02-30", []string{`7 calendars.office.holidays[0]: "2026-02-30" is not a date`}, true},
	"a holiday in another notation":         {"2026-01-01", "01.01.2026", []string{`7 calendars.office.holidays[0]: "01.01.2026" is not a date`}, false},
	"holidays that end before they start":   {"2026-05-01/2026-05-09", "2026-05-09/2026-05-01", []string{`7 calendars.office.holidays[1]: "2026-05-09/2026-05-01" ends before`}, true},
	"holidays longer than a year":           {"2026-05-01/2026-05-09", "2026-05-01/2206-05-09", []string{"7 calendars.office.holidays[1]: \"2026-05-01/2206-05-09\" is longer than a year"}, true},
	"no keys":                               {"keys: [shop, mes]", "keys: []", []string{"8 keys: must not be empty"}, false},
	"a key named twice":                     {"keys: [shop, mes]", "keys: [shop, shop]", []string{`8 keys[1]: "shop" is in the list twice`}, false},
	"keys that are no list":                 {"keys: [shop, mes]", "keys: shop", []string{"8 keys: must be a list"}, false},
	"a key that is no text":                 {"keys: [shop, mes]", "keys: [shop, true]", []string{"8 keys[1]: true is not text"}, false},
	"a source without reports":              {", reports: [mes/*]", "", []string{"11 sources[1].reports: is missing"}, false},
	"two sources of one name":               {"name: mes-db", "name: shop-db", []string{`11 sources[1].name: "shop-db" is the name of the one on line 10 too`}, true},
	"no stages":                             {base[strings.Index(base, "stages:"):strings.Index(base, "promises:")], "stages: []\n", []string{"12 stages: must not be empty", `18 promises[0].pause_in[0]: no stage is named "waiting"`, `31 capacity[0].stage: no stage is named "start-to-shop"`, `31 capacity[0].queue: no stage is named "waiting"`}, false},
	"two stages of one name":                {"name: start-to-shop", "name: waiting", []string{`20 stages[1].name: "waiting" is the name of the one on line 13 too`, "44 capacity[0].stage: no stage"}, true},
	"an unknown kind":                       {"kind: queue", "kind: queu", []string{`14 stages[0].kind: "queu" is not known here: did you mean "queue"?`}, false},
	"a stage without kind":                  {"    kind: queue\n", "", []string{"13 stages[0].kind: is missing"}, false},
	"a stage without enter":                 {"    enter: [shop/SUBMITTED]\n    leave", "    leave", []string{"13 stages[0].enter: is missing"}, false},
	"a stage with an empty enter":           {"enter: [shop/SUBMITTED]", "enter: []", []string{"15 stages[0].enter: must not be empty"}, false},
	"a stage without leave":                 {"    leave: [mes/STARTED]\n", "", []string{"13 stages[0].leave: is missing"}, false},
	"a stage left by what enters it":        {"leave: [mes/STARTED]", "leave: [shop/SUBMITTED]", []string{"16 stages[0].leave: shop/SUBMITTED is in enter too"}, true},
	"a status without its system":           {"enter: [shop/SUBMITTED]", "enter: [SUBMITTED]", []string{`15 stages[0].enter[0]: "SUBMITTED" is not a status: write system/STATUS`}, false},
	"a status without its name":             {"enter: [shop/SUBMITTED]", "enter: [shop/]", []string{`15 stages[0].enter[0]: "shop/" is not a status`}, false},
	"a status twice in a list":              {"enter: [shop/SUBMITTED]", "enter: [shop/SUBMITTED, shop/SUBMITTED]", []string{`15 stages[0].enter[1]: "shop/SUBMITTED" is in the list twice`}, false},
	"every status as an enter":              {"enter: [shop/SUBMITTED]", "enter: [shop/*]", []string{`15 stages[0].enter[0]: "shop/*": only a source's reports`}, false},
	"a duration of an unknown unit":         {"within: 1wd", "within: 15x", []string{`17 stages[0].within: "15x" is not a duration: use 30m, 2h, 3d or 2wd`}, false},
	"a duration without a unit":             {"within: 1wd", "within: 15", []string{`17 stages[0].within: "15" is not a duration`}, false},
	"a duration of zero":                    {"within: 1wd", "within: 0m", []string{"17 stages[0].within: \"0m\" is zero"}, false},
	"a negative duration":                   {"within: 1wd", "within: -5m", []string{"17 stages[0].within: \"-5m\" is negative"}, false},
	"a duration that overflows":             {"within: 1wd", "within: 99999999999999999999h", []string{"17 stages[0].within: \"99999999999999999999h\" is too long"}, true},
	"open time that takes for ever":         {"within: 1wd", "within: 30000h", []string{"17 stages[0].within: \"30000h\" of open time takes more than ten years in calendar office"}, true},
	"an unknown calendar":                   {"calendar: office", "calendar: ofice", []string{`18 stages[0].calendar: no calendar is named "ofice": did you mean "office"?`}, true},
	"working days without a calendar":       {"    calendar: office\n", "", []string{"17 stages[0].within: \"1wd\" counts working days, which calendar always has not: name a calendar or use 1d"}, true},
	"working days in the calendar always":   {"calendar: office", "calendar: always", []string{"17 stages[0].within: \"1wd\" counts working days"}, true},
	"working days of an override":           {"within: 1wd\n    calendar: office\n    overrides: [{when: {channel: b2b}, within: 20m}]", "within: 5m\n    overrides: [{when: {channel: b2b}, within: 2wd}]", []string{"18 stages[0].overrides[0].within: \"2wd\" counts"}, true},
	"an override for every order":           {"when: {channel: b2b}", "when: {}", []string{"19 stages[0].overrides[0].when: must name an attribute"}, false},
	"an override without when":              {"when: {channel: b2b}, ", "", []string{"19 stages[0].overrides[0].when: is missing"}, false},
	"an override without within":            {", within: 20m}", "}", []string{"19 stages[0].overrides[0].within: is missing"}, false},
	"an override for a number":              {"channel: b2b", "channel: 2", []string{"19 stages[0].overrides[0].when.channel: 2 is not text: put it in quotes"}, false},
	"an attribute that is no name":          {"channel: b2b", "the channel: b2b", []string{`19 stages[0].overrides[0].when.the channel: "the channel" is not the name of an attribute`}, false},
	"parallel that is neither true nor not": {"    calendar: office", "    calendar: office\n    parallel: maybe", []string{`19 stages[0].parallel: "maybe" must be true or false`}, false},
	"a way of what is no handoff":           {"kind: handoff", "kind: queue", []string{"22 stages[1].via: only a handoff has a way: this is a queue stage"}, false},
	"a way that names nothing":              {"{exchange: mes.events, routing_keys: [start.*], queue: shop.starts, dead_letter: mes.dead}", "{routing_keys: [start.*]}", []string{"22 stages[1].via: names neither an exchange nor a queue"}, false},
	"a handoff that is not parallel":        {"    kind: handoff", "    kind: handoff\n    parallel: false", []string{"22 stages[1].parallel: a handoff always runs beside"}, false},
	"a promise without a deadline":          {"    within: 21d\n", "", []string{"27 promises[0]: needs within, or due"}, false},
	"a promise with two deadlines":          {"    due: agreed_date\n", "    due: agreed_date\n    within: 3d\n", []string{"37 promises[1].within: cannot stand beside due"}, false},
	"a promised instant that pauses":        {"    due: agreed_date\n", "    due: agreed_date\n    pause_in: [waiting]\n", []string{"37 promises[1].pause_in: cannot stand beside due"}, false},
	"due_at another hour":                   {"end_of_day", "noon", []string{`37 promises[1].due_at: "noon" is not known here`}, false},
	"due_at without due":                    {"    due: agreed_date\n", "    within: 3d\n", []string{"37 promises[1].due_at: belongs to due"}, false},
	"a pause in an unknown stage":           {"pause_in: [waiting]", "pause_in: [waitng]", []string{`31 promises[0].pause_in[0]: no stage is named "waitng": did you mean "waiting"?`}, true},
	"an objective of one":                   {"objective: 0.9", "objective: 1", []string{`32 promises[0].objective: "1" must be a number between 0 and 1`}, false},
	"an objective in percent":               {"objective: 0.9", "objective: 95%", []string{`32 promises[0].objective: "95%" must be`}, false},
	"an objective that is no number":        {"objective: 0.9", "objective: .nan", []string{`32 promises[0].objective: ".nan" must be`}, true},
	"two promises of one name":              {"name: agreed", "name: soon", []string{`33 promises[1].name: "soon" is the name of the one on line 27 too`}, true},
	"a promise stopped by its start":        {"stop: [mes/SHIPPED]\n    within", "stop: [shop/SUBMITTED]\n    within", []string{"29 promises[0].stop: shop/SUBMITTED is in start too"}, true},
	"no finish":                             {"finish: [mes/SHIPPED]\n", "", []string{"1 finish: is missing"}, false},
	"an empty finish":                       {"finish: [mes/SHIPPED]", "finish: []", []string{"38 finish: must not be empty"}, false},
	"a status that finishes and cancels":    {"cancel: [shop/CANCELLED]", "cancel: [mes/SHIPPED]", []string{"39 cancel: mes/SHIPPED is in finish too"}, true},
	"a status that cancels and reopens":     {"reopen: []", "reopen: [shop/CANCELLED]", []string{"40 reopen: shop/CANCELLED is in cancel too"}, true},
	"incidents by what they are not":        {"group_by: [stage, cause]", "group_by: [stage, color]", []string{`41 incidents.group_by[1]: "color" is not known here: known are stage, cause, channel, partner`}, false},
	"incidents of no orders":                {"min_orders: 2", "min_orders: 0", []string{`41 incidents.min_orders: "0" must be a whole number from 1`}, false},
	"incidents that close on working days":  {"close_after: 1h", "close_after: 1wd", []string{`41 incidents.close_after: "1wd": an incident closes after elapsed time`}, false},
	"a partner twice":                       {"partners: [acme, \"Ювелир & Co\"]", "partners: [acme, acme]", []string{`42 partners[1]: "acme" is in the list twice`}, false},
	"a capacity of an unknown stage":        {"stage: start-to-shop", "stage: nowhere", []string{`44 capacity[0].stage: no stage is named "nowhere": known are waiting, start-to-shop`}, true},
	"a capacity that queues in itself":      {"queue: waiting", "queue: start-to-shop", []string{`44 capacity[0].queue: "start-to-shop" cannot be its own queue`}, true},
	"a capacity of nobody":                  {"servers: 2", "servers: 0", []string{`44 capacity[0].servers: "0" must be a whole number from 1`}, false},
	"a capacity twice":                      {"servers: 2}", "servers: 2}\n  - {stage: start-to-shop, servers: 3}", []string{`45 capacity[1].stage: "start-to-shop" is the name of the one on line 44 too`}, true},
	"an anchor used":                        {"leave: [mes/STARTED]", "leave: &x [mes/STARTED]\n    parallel: *x", []string{"17 stages[0].parallel: anchors are not supported"}, true},
	"a second document":                     {"capacity:", "---\ncapacity:", []string{"43 : holds more than one document"}, true},
	"what is not YAML":                      {"keys: [shop, mes]", "keys: [shop, mes", []string{"8 : is not YAML from here on: did not find"}, true},
	"text that cannot be printed":           {"partners: [acme", `partners: ["a\u200bb"`, []string{"42 partners[0]: \"a\\u200bb\" has characters that cannot be printed"}, true},
	"text with blanks around it":            {"partners: [acme", `partners: [" acme"`, []string{"42 partners[0]: \" acme\" is empty or has blanks around it"}, false},
	"two mistakes at once": {"    kind: queue\n    enter: [shop/SUBMITTED]", "    kind: qqqqq\n    enter: [SUBMITTED]", []string{
		"14 stages[0].kind: \"qqqqq\" is not known here: known are customer", "15 stages[0].enter[0]: \"SUBMITTED\" is not a status"}, false},
}

func (b badFile) text(t *testing.T) string {
	t.Helper()
	out := strings.Replace(base, b.old, b.new, 1)
	if out == base {
		t.Fatalf("%q is not in the base file", b.old)
	}
	return out
}

func TestABadFileIsReportedByLineAndPath(t *testing.T) {
	for name, bad := range badFiles {
		t.Run(name, func(t *testing.T) {
			f, err := order.ParseFlow("flow.yaml", []byte(bad.text(t)))
			var problems order.Problems
			if !errors.As(err, &problems) || f != nil {
				t.Fatalf("got %v, %v; want problems", f, err)
			}
			if len(problems) != len(bad.want) {
				t.Fatalf("got\n%v\nwant %d problems", err, len(bad.want))
			}
			for i, want := range bad.want {
				line, rest, _ := strings.Cut(want, " ")
				path, message, _ := strings.Cut(rest, ": ")
				want = "flow.yaml:" + line + ": "
				if path != "" {
					want += path + ": "
				}
				if got := problems[i].String(); !strings.HasPrefix(got, want+message) {
					t.Errorf("got  %s\nwant %s", got, want+message)
				}
			}
		})
	}
}

func TestAFileThatIsNoFlowIsReported(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":          {"", "f:1: is empty"},
		"a comment":        {"# nothing\n", "f:1: is empty"},
		"a list":           {"- a\n", "f:1: must be a mapping of names to values"},
		"a word":           {"hello", "f:1: must be a mapping of names to values"},
		"a tagged mapping": {"!thing {version: 1}", "f:1: must be a mapping of names to values"},
		"binary":           {"\x00\x01", "f:1: is not YAML from here on: control characters are not allowed"},
		"too much":         {strings.Repeat("# comment\n", 200_000), "f:1: is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := order.ParseFlow("f", []byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %v", err, test.want)
			}
		})
	}
}

func parse(t *testing.T, text string) *order.Flow {
	t.Helper()
	f, err := order.ParseFlow("flow.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFlowHoldsWhatItsFileSays(t *testing.T) {
	f := parse(t, base)
	waiting, handoff := f.Stages[0], f.Stages[1]
	soon, agreed := f.Promises[0], f.Promises[1]
	checks := map[string]bool{
		"names":                       f.Version == 1 && f.Name == "test" && f.Timezone.String() == "Europe/Moscow",
		"always is a calendar":        len(f.Calendars) == 2 && f.Calendars["always"] == nil,
		"a stage's calendar":          waiting.Calendar == f.Calendars["office"] && waiting.Calendar.Name == "office",
		"a stage without a calendar":  handoff.Calendar == nil,
		"working days":                waiting.Within == order.Span{Unit: order.WorkingDays, Days: 1},
		"an override":                 waiting.Overrides[0].When["channel"] == "b2b" && waiting.Overrides[0].Within.Amount == 20*time.Minute,
		"a handoff is parallel":       handoff.Parallel && !waiting.Parallel,
		"a handoff's way":             handoff.Via.Exchange == "mes.events" && handoff.Via.RoutingKeys[0] == "start.*" && handoff.Via.Queue == "shop.starts" && handoff.Via.DeadLetter == "mes.dead",
		"reporters of a leave":        strings.Join(waiting.Reporters, " ") == "mes-db" && strings.Join(handoff.Reporters, " ") == "shop-db",
		"a promise by duration":       soon.Within.Amount == 21*order.Day && soon.PauseIn[0] == "waiting" && soon.Objective == 0.9,
		"a promise by attribute":      agreed.Due == "agreed_date" && agreed.EndOfDay && agreed.Within.IsZero(),
		"an objective by default":     agreed.Objective == 0.95,
		"incidents":                   f.Incidents.MinOrders == 2 && f.Incidents.CloseAfter == time.Hour,
		"capacity":                    f.Capacity[0] == order.Capacity{Stage: "start-to-shop", Queue: "waiting", Servers: 2},
		"a dated holiday is closed":   !waiting.Calendar.IsOpen(at(t, "Europe/Moscow", "2026-01-01 10:00")),
		"a ranged holiday is closed":  !waiting.Calendar.IsOpen(at(t, "Europe/Moscow", "2026-05-07 10:00")),
		"a working morning is open":   waiting.Calendar.IsOpen(at(t, "Europe/Moscow", "2026-05-12 10:00")),
		"a hash":                      len(f.Hash) == 64,
		"incidents have defaults":     parse(t, strings.Replace(base, "incidents: {group_by: [stage, cause], min_orders: 2, close_after: 1h}\n", "", 1)).Incidents.CloseAfter == 30*time.Minute,
		"without a zone it is UTC":    parse(t, strings.Replace(base, "timezone: Europe/Moscow\n", "", 1)).Timezone == time.UTC,
		"a stage needs no deadline":   parse(t, strings.Replace(base, "    within: 5m\n", "", 1)).Stages[1].Within.IsZero(),
		"a parallel stage is allowed": parse(t, strings.Replace(base, "kind: queue", "kind: queue\n    parallel: true", 1)).Stages[0].Parallel,
	}
	for name, ok := range checks {
		if !ok {
			t.Errorf("wrong: %s", name)
		}
	}
}

func TestTheHashFollowsTheMeaningNotTheText(t *testing.T) {
	hash := parse(t, base).Hash
	for name, same := range map[string][2]string{
		"a comment":           {"keys:", "# note\nkeys:"},
		"another style":       {"keys: [shop, mes]", "keys:\n  - shop\n  - \"mes\""},
		"minutes for an hour": {"close_after: 1h", "close_after: 60m"},
		"an empty list left":  {"reopen: []\n", ""},
		"a list of days":      {"mon-fri:", `"mon,tue,wed-fri":`},
		"a default written":   {"    within: 5m\n", "    within: 5m\n    calendar: always\n"},
	} {
		if got := parse(t, strings.Replace(base, same[0], same[1], 1)).Hash; got != hash {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, other := range map[string][2]string{
		"a deadline":   {"within: 5m", "within: 6m"},
		"an hour":      {"18:00", "19:00"},
		"a holiday":    {"2026-01-01", "2026-01-02"},
		"a zone":       {"Europe/Moscow", "Europe/Berlin"},
		"a calendar":   {"calendar: office", "calendar: office\n    owner: x"},
		"a report":     {"[mes/*]", "[mes/STARTED, mes/SHIPPED]"},
		"an objective": {"objective: 0.9", "objective: 0.91"},
	} {
		if got := parse(t, strings.Replace(base, other[0], other[1], 1)).Hash; got == hash {
			t.Errorf("%s does not change the hash", name)
		}
	}
}

func TestWhatIsDoubtfulIsAWarning(t *testing.T) {
	if w := parse(t, base).Warnings; len(w) > 0 {
		t.Fatalf("the base file has warnings: %v", w)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"a leave that no source reports":  {"[mes/*]", "[mes/SHIPPED]", "flow.yaml:16: stages[0].leave: no source can report it: absence cannot be proven, its overdue orders will be unknown"},
		"an enter that no source reports": {"enter: [shop/SUBMITTED]", "enter: [shop/SUBMITTED, crm/SUBMITTED]", "flow.yaml:15: stages[0].enter: no source reports crm/SUBMITTED"},
		"a finish that no source reports": {"finish: [mes/SHIPPED]", "finish: [mse/SHIPPED]", "flow.yaml:38: finish: no source reports mse/SHIPPED"},
		"a stop that no source reports":   {"stop: [mes/SHIPPED]", "stop: [mse/SHIPPED]", "flow.yaml:29: promises[0].stop: no source reports mse/SHIPPED"},
		"two serial stages of one enter":  {"  - name: start-to-shop", "  - {name: again, kind: human, enter: [shop/SUBMITTED], leave: [mes/STARTED]}\n  - name: start-to-shop", `flow.yaml:20: stages[1].enter: shop/SUBMITTED enters stage "waiting" too: an order is in one serial stage at a time`},
		"no sources":                      {"sources:\n  - {name: shop-db, reports: [shop/*]}\n  - {name: mes-db, reports: [mes/*]}\n", "", "flow.yaml:1: sources: there are none: absence cannot be proven, every overdue order will be unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, strings.Replace(base, test.old, test.new, 1))
			if len(f.Warnings) == 0 || f.Warnings[0].String() != test.want {
				t.Errorf("got  %v\nwant %s", f.Warnings, test.want)
			}
		})
	}
}

func FuzzParseFlow(f *testing.F) {
	f.Add([]byte(base))
	f.Add(examples.Flow())
	for _, bad := range badFiles {
		f.Add([]byte(strings.Replace(base, bad.old, bad.new, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		flow, err := order.ParseFlow("f", data)
		var problems order.Problems
		switch {
		case err == nil:
			again, err := order.ParseFlow("g", append([]byte("# moved\n"), data...))
			if err == nil && again.Hash != flow.Hash {
				t.Error("a comment changes the hash")
			}
			for _, s := range flow.Stages { // whatever is accepted can be reckoned with
				if !s.Within.IsZero() && s.Calendar.Add(noon, s.Within).Before(noon) {
					t.Errorf("stage %s ends before it starts", s.Name)
				}
			}
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Errorf("not problems: %v", err)
		default:
			for _, p := range problems {
				if p.Line < 1 || p.Message == "" {
					t.Errorf("no place or no message: %#v", p)
				}
			}
		}
	})
}
