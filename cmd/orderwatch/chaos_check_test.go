package main

import (
	"slices"
	"testing"
	"time"
)

// chaosOrder is what the API says of an order.
type chaosOrder struct {
	Statuses map[string]string `json:"statuses"`
	Visits   []chaosVisit      `json:"visits"`
	Events   []chaosEvent      `json:"events"`
	Audit    []struct {
		At    time.Time `json:"at"`
		Kind  string    `json:"kind"`
		Stage string    `json:"stage"`
		N     int       `json:"n"`
	} `json:"audit"`
}

type chaosEvent struct {
	Time   time.Time `json:"time"`
	Status string    `json:"status"`
}

type chaosVisit struct {
	Stage    string    `json:"stage"`
	N        int       `json:"n"`
	Entered  time.Time `json:"entered"`
	Left     time.Time `json:"left"`
	Deadline time.Time `json:"deadline"`
	Verdict  string    `json:"verdict"`
	StuckAt  time.Time `json:"stuck_at"`
}

type chaosGap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// chaosReport holds what orderwatch says to the truth, and counts what it compared.
type chaosReport struct {
	*testing.T
	gaps    []chaosGap
	orders  int
	changes int
	overran int // stays in a stage that truly took too long
	close   int // stays that ended within 100 ms of their deadline
	lost    int // changes that a gap covers and that are not in the journal
	unknown int
	stuck   []time.Duration // delays from deadline to verdict
}

// covered reports whether the sources say that they may have missed something in that time.
func (r *chaosReport) covered(from, to time.Time) bool {
	return slices.ContainsFunc(r.gaps, func(g chaosGap) bool { return !g.From.After(to) && !g.To.Before(from) })
}

func (r *chaosReport) order(id string, truth []chaosChange, o *chaosOrder) {
	r.orders++
	r.changes += len(truth)
	whole := r.journal(id, truth, o)
	r.said(id, truth, o)
	for i, c := range truth {
		if c.status == "D" {
			continue
		}
		deadline := c.at.Add(chaosWithin)
		overran := i+1 == len(truth) || truth[i+1].at.After(deadline)
		if overran {
			r.overran++
		}
		if i+1 < len(truth) && truth[i+1].at.Sub(deadline).Abs() < 100*time.Millisecond {
			r.close++
		}
		skipped := c.status == "A" && i+1 < len(truth) && truth[i+1].status == "C"
		r.stay(id, c, deadline, overran, skipped, whole, o)
	}
}

// journal checks that each change is there once, at its time, but for what a gap covers. It reports
// whether all are there.
func (r *chaosReport) journal(id string, truth []chaosChange, o *chaosOrder) bool {
	lost := r.lost
	slices.SortFunc(o.Events, func(a, b chaosEvent) int { return a.Time.Compare(b.Time) })
	next := 0
	for _, e := range o.Events {
		for next < len(truth) && (truth[next].status != e.Status || !truth[next].at.Equal(e.Time)) {
			r.missing(id, truth[next])
			next++
		}
		if next == len(truth) {
			r.Errorf("%s: the journal has %s at %s, which the database never had or we have twice", id, e.Status, e.Time)
			return false
		}
		next++
	}
	for ; next < len(truth); next++ {
		r.missing(id, truth[next])
	}
	last := truth[len(truth)-1]
	if got := o.Statuses["app"]; got != last.status && !r.covered(last.at, last.at) {
		r.Errorf("%s: is %q, we say %q", id, last.status, got)
	}
	return r.lost == lost
}

func (r *chaosReport) missing(id string, c chaosChange) {
	r.lost++
	if !r.covered(c.at, c.at) {
		r.Errorf("%s: %s at %s is not in the journal and in no gap", id, c.status, c.at)
	}
}

// said checks that what was ever said was true: at its deadline the order had not left the stage.
func (r *chaosReport) said(id string, truth []chaosChange, o *chaosOrder) {
	for _, a := range o.Audit {
		if a.Kind != "stuck" {
			r.Errorf("%s: audit has %s of %s", id, a.Kind, a.Stage)
			continue
		}
		i := slices.IndexFunc(o.Visits, func(v chaosVisit) bool { return v.Stage == a.Stage && v.N == a.N })
		if i < 0 {
			r.Errorf("%s: stuck was said of a stay in %s that is not known", id, a.Stage)
			continue
		}
		v := o.Visits[i]
		at := slices.IndexFunc(truth, func(c chaosChange) bool { return chaosStage[c.status] == v.Stage && c.at.Equal(v.Entered) })
		switch {
		case at < 0:
			r.Errorf("%s: stuck was said of a stay in %s since %s, which never was", id, v.Stage, v.Entered)
		case !v.Deadline.Equal(v.Entered.Add(chaosWithin)):
			r.Errorf("%s: the deadline of %s is %s, %s after its begin", id, v.Stage, v.Deadline, v.Deadline.Sub(v.Entered))
		case at+1 < len(truth) && !truth[at+1].at.After(v.Deadline):
			r.Errorf("FALSE STUCK: %s left %s at %s, its deadline was %s, stuck was said at %s", id, v.Stage, truth[at+1].at, v.Deadline, a.At)
		case a.At.Before(v.Deadline):
			r.Errorf("%s: stuck was said of %s before its deadline", id, v.Stage)
		default:
			r.stuck = append(r.stuck, a.At.Sub(v.Deadline))
		}
	}
}

// stay checks the final verdict of an order's stay in a stage. Of an order that lost a change, and so
// seems to have gone another way, only that what is unknown is explained.
func (r *chaosReport) stay(id string, c chaosChange, deadline time.Time, overran, skipped, whole bool, o *chaosOrder) {
	stage := chaosStage[c.status]
	verdict := "not known"
	for _, v := range o.Visits {
		if v.Stage == stage && v.Entered.Equal(c.at) {
			verdict = v.Verdict
		}
	}
	if verdict == "unknown" {
		r.unknown++
		if !r.covered(c.at, deadline) {
			r.Errorf("%s: its stay in %s is unknown, and no gap explains that", id, stage)
		}
		return
	}
	want := []string{"met"}
	switch {
	case skipped:
		want = []string{"skipped"}
	case overran:
		want = []string{"stuck", "late"}
	}
	if whole && !slices.Contains(want, verdict) {
		r.Errorf("%s: its stay in %s since %s is %s, want %v", id, stage, c.at, verdict, want)
	}
}

func (r *chaosReport) summary() {
	slices.Sort(r.stuck)
	at := func(share float64) time.Duration {
		if len(r.stuck) == 0 {
			return 0
		}
		return r.stuck[int(share*float64(len(r.stuck)-1))].Round(time.Millisecond)
	}
	r.Logf("%d orders, %d changes, %d stays within 100 ms of their deadline, %d overran; stuck said %d times, p50 %s and p99 %s after the deadline; %d gaps, %d changes lost in them, %d stays unknown",
		r.orders, r.changes, r.close, r.overran, len(r.stuck), at(0.5), at(0.99), len(r.gaps), r.lost, r.unknown)
	if r.close == 0 || len(r.stuck) == 0 {
		r.Error("nothing was tested")
	}
}
