package web

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// flowDocument is the flow's definition with what stands in it now.
type flowDocument struct {
	AsOf     time.Time      `json:"as_of"`
	Flow     string         `json:"flow"`
	Hash     string         `json:"hash,omitempty"`
	Timezone string         `json:"timezone"`
	Keys     []string       `json:"keys"`
	Orders   totalsItem     `json:"orders"`
	Stages   []stageItem    `json:"stages"`
	Promises []promiseRule  `json:"promises"`
	Finish   []order.Status `json:"finish"`
	Cancel   []order.Status `json:"cancel"`
	Reopen   []order.Status `json:"reopen"`
}

type totalsItem struct {
	Open      int `json:"open"`
	Finished  int `json:"finished"`
	Cancelled int `json:"cancelled"`
	Late      int `json:"late"`
}

type stageItem struct {
	Name        string            `json:"name"`
	Kind        order.StageKind   `json:"kind"`
	Owner       string            `json:"owner,omitempty"`
	Parallel    bool              `json:"parallel"`
	Enter       []order.Status    `json:"enter"`
	Leave       []order.Status    `json:"leave"`
	Within      string            `json:"within,omitempty"`
	Calendar    string            `json:"calendar,omitempty"`
	Via         *viaItem          `json:"via,omitempty"`
	Reporters   []string          `json:"reporters"`
	Open        int               `json:"open"`
	AtRisk      int               `json:"at_risk"`
	Stuck       int               `json:"stuck"`
	Unknown     int               `json:"unknown"`
	Closed      int               `json:"closed"`
	LostSeconds int64             `json:"lost_seconds"`
	Oldest      time.Time         `json:"oldest,omitzero"`
	Causes      map[sla.Cause]int `json:"causes"`
}

type viaItem struct {
	Exchange    string   `json:"exchange"`
	RoutingKeys []string `json:"routing_keys"`
	Queue       string   `json:"queue"`
}

type promiseRule struct {
	Name      string         `json:"name"`
	Start     []order.Status `json:"start"`
	Stop      []order.Status `json:"stop"`
	Within    string         `json:"within,omitempty"`
	Due       string         `json:"due,omitempty"`
	PauseIn   []string       `json:"pause_in"`
	Objective float64        `json:"objective"`
}

func flowDocumentOf(flow *order.Flow, o sla.Overview) flowDocument {
	doc := flowDocument{
		AsOf: o.AsOf.UTC(), Flow: flow.Name, Hash: flow.Hash, Timezone: time.UTC.String(), Keys: list(flow.Keys), Orders: totalsItem(o.Orders),
		Stages: []stageItem{}, Promises: []promiseRule{}, Finish: list(flow.Finish), Cancel: list(flow.Cancel), Reopen: list(flow.Reopen),
	}
	if flow.Timezone != nil {
		doc.Timezone = flow.Timezone.String()
	}
	known := make(map[string]sla.StageOverview, len(o.Stages))
	for _, st := range o.Stages {
		known[st.Stage] = st
	}
	for i := range flow.Stages {
		doc.Stages = append(doc.Stages, stageItemOf(&flow.Stages[i], known[flow.Stages[i].Name]))
	}
	for i := range flow.Promises {
		p := &flow.Promises[i]
		doc.Promises = append(doc.Promises, promiseRule{p.Name, list(p.Start), list(p.Stop), p.Within.String(), p.Due, list(p.PauseIn), p.Objective})
	}
	return doc
}

func stageItemOf(st *order.Stage, n sla.StageOverview) stageItem {
	item := stageItem{
		Name: st.Name, Kind: st.Kind, Owner: st.Owner, Parallel: st.Parallel || st.Kind == order.Handoff, Enter: list(st.Enter), Leave: list(st.Leave),
		Within: st.Within.String(), Reporters: list(st.Reporters), Open: n.Open, AtRisk: n.AtRisk, Stuck: n.Stuck, Unknown: n.Unknown,
		Closed: n.Closed, LostSeconds: n.LostSeconds, Oldest: n.Oldest.UTC(), Causes: n.ByCause,
	}
	if st.Calendar != nil {
		item.Calendar = st.Calendar.Name
	}
	if st.Via.Exchange != "" || st.Via.Queue != "" {
		item.Via = &viaItem{st.Via.Exchange, list(st.Via.RoutingKeys), st.Via.Queue}
	}
	if item.Causes == nil {
		item.Causes = map[sla.Cause]int{}
	}
	return item
}

// list makes an empty list of none, so that JSON says [] and never null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
