package sla

import "testing"

// promiseFlow has promises that start in another order than they stand, and one whose override is of another unit.
const promiseFlow = `
version: 1
flow: test
timezone: UTC
keys: [shop]
calendars: {office: {hours: {mon-fri: ["09:00-17:00"]}}}
sources: [{name: shop-db, reports: [shop/*, mes/*]}]
stages:
  - {name: talk, kind: human, enter: [shop/ASKED], leave: [shop/ANSWERED]}
  - {name: work, kind: human, enter: [shop/ANSWERED], leave: [shop/DONE]}
promises:
  - {name: later, start: [shop/ANSWERED], stop: [shop/DONE], within: 4h, calendar: office}
  - name: sooner
    start: [shop/ASKED]
    stop: [shop/DONE]
    within: 4h
    calendar: office
    pause_in: [talk]
    overrides: [{when: {channel: b2b}, within: 2d}]
finish: [shop/CLOSED]
cancel: [shop/CANCELLED]
incidents: {group_by: [stage, cause], min_orders: 1, close_after: 30m}
`

func TestPromises(t *testing.T) {
	tests := map[string]struct{ story, promises string }{
		"stand in the flow's order, whichever starts first": {
			story:    "0s shop/ASKED\n1h shop/ANSWERED",
			promises: "later on_track due 5h0m0s\nsooner on_track due 5h0m0s",
		},
		"count a pause by night in open hours": {
			story:    "0s shop/ASKED\n25h shop/ANSWERED", // a working day of eight hours, and one more
			promises: "later on_track due 29h0m0s\nsooner on_track due 29h0m0s",
		},
		"count a pause by night in full where days were promised": {
			story:    "0s shop/ASKED channel=b2b\n25h shop/ANSWERED",
			promises: "later on_track due 29h0m0s\nsooner on_track due 73h0m0s",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newTimelineOf(t, promiseFlow)
			l.play(test.story)
			if got := promises(l.orders[1]); got != test.promises {
				t.Errorf("promises:\n%s\nwant:\n%s", got, test.promises)
			}
		})
	}
}
