package web

import (
	"time"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

func busyOverview() sla.Overview {
	st := func(name string, open, risk, stuck, unknown int, oldest time.Duration, lost int64, causes map[sla.Cause]int) sla.StageOverview {
		s := sla.StageOverview{Stage: name, Open: open, AtRisk: risk, Stuck: stuck, Unknown: unknown, Closed: open * 31, LostSeconds: lost, ByCause: causes}
		if open > 0 {
			s.Oldest = ago(oldest)
		}
		return s
	}
	return sla.Overview{
		AsOf:   now,
		Orders: sla.OrderTotals{Open: 1284, Finished: 10733, Cancelled: 212, Late: 47},
		Stages: []sla.StageOverview{
			st("upload", 211, 0, 0, 0, 9*day, 0, nil),
			st("shop-to-mes", 1, 0, 0, 0, 20*time.Second, 0, nil),
			st("calculation-queue", 14, 2, 3, 0, 2*time.Hour, 9_000, map[sla.Cause]int{sla.CauseBacklog: 2, sla.CauseStalled: 1}),
			st("calculation", 3, 1, 1, 0, 70*time.Minute, 2_400, map[sla.Cause]int{sla.CauseSlowCompute: 1}),
			st("price-to-crm", 13, 0, 12, 0, 41*time.Hour, 1_400_000, map[sla.Cause]int{sla.CauseLostInHandoff: 12}),
			st("approval", 96, 5, 8, 0, 4*day, 320_000, map[sla.Cause]int{sla.CauseWaitingForPerson: 8}),
			st("approval-to-mes", 2, 0, 0, 2, 3*time.Hour, 21_000, nil),
			st("claim", 41, 0, 19, 0, 23*day, 510_000, map[sla.Cause]int{sla.CauseStarved: 17, sla.CauseDiverged: 2}),
			st("manufacturing", 704, 31, 0, 0, 9*day, 0, nil),
			st("packaging", 38, 0, 1, 0, 3*day, 3_000, map[sla.Cause]int{sla.CauseUnexplained: 1}),
			st("shipped-to-crm", 0, 0, 0, 0, 0, 0, nil),
			st("delivery", 161, 0, 0, 1, 8*day, 90_000, nil),
		},
		Sources: []sla.SourceState{
			{Name: "mes-db", Watermark: ago(3 * time.Second), Through: 48211, LastSeen: ago(time.Second), Offset: 40 * time.Millisecond, Duplicates: 12,
				Epochs: []sla.EpochState{{Epoch: 1763700000, Through: 48212, Pending: []sla.PendingMark{{Seq: 48214}}}}},
			{Name: "shop-db", Watermark: ago(47 * time.Minute), Through: 31007, LastSeen: ago(46 * time.Minute), Approximate: true, Offset: -90 * time.Millisecond,
				Epochs: []sla.EpochState{{Epoch: 1763500000, Through: 31007}}},
			{Name: "rabbitmq", Watermark: ago(2 * time.Second), Through: 9921, LastSeen: ago(time.Second), GapsTotal: 3, Rejected: 2,
				Gaps:   []order.Gap{{From: ago(65 * time.Minute), To: ago(62 * time.Minute), Reason: "connection closed by broker"}},
				Queues: []order.QueueDepth{{Queue: "crm.prices", Messages: 0, Consumers: 1}, {Queue: "mes.approvals", Messages: 17, Consumers: 0}}, QueuesAt: ago(2 * time.Second),
				Epochs: []sla.EpochState{{Epoch: 1763700001, Through: 9921}}},
		},
	}
}

func baseOrder(id sla.OrderID, key string, created time.Time) sla.Order {
	return sla.Order{
		ID: id, Keys: []order.Key{{Name: "shop", Value: key}, {Name: "mes", Value: "M-" + key}}, State: sla.StateOpen, Created: created, Updated: created.Add(time.Hour),
		Attrs:    []order.Attr{{Name: "channel", Value: "b2c"}, {Name: "polygons", Value: "120000"}},
		Statuses: []order.Status{{System: "crm", Name: "SUBMITTED"}, {System: "mes", Name: "PRICE_CALCULATED"}, {System: "shop", Name: "SUBMITTED"}},
		Promises: []sla.Promise{{Name: "three-weeks", Start: created, Due: created.Add(21 * day), Verdict: sla.PromiseOnTrack}},
		FlowHash: "f00d", Counts: sla.Counts{Events: 6},
	}
}

func visit(stage string, from, to time.Time, deadline time.Time, v sla.Verdict) sla.Visit {
	return sla.Visit{Stage: stage, N: 1, Entered: from, Left: to, Deadline: deadline, Verdict: v}
}

// stuckOrder has been in stage for overdue + 1 h, with all there is to say about it.
func stuckOrder(id sla.OrderID, key, stage string, cause sla.Cause, overdue time.Duration) sla.Order {
	entered := ago(overdue + time.Hour)
	created := entered.Add(-2 * day)
	o := baseOrder(id, key, created)
	o.Updated = entered
	stuck := visit(stage, entered, time.Time{}, ago(overdue), sla.VerdictStuck)
	stuck.Cause, stuck.StuckAt, stuck.Evidence = cause, ago(overdue-time.Second), allEvidence(ago(overdue))
	o.Visits = []sla.Visit{
		visit("upload", created, created.Add(6*time.Hour), time.Time{}, sla.VerdictMet),
		visit("shop-to-mes", created.Add(6*time.Hour), created.Add(7*time.Hour), created.Add(6*time.Hour+5*time.Minute), sla.VerdictLate),
		visit("calculation", created.Add(7*time.Hour), entered, entered.Add(-20*time.Hour), sla.VerdictLate),
		visit("approval", entered.Add(-4*time.Hour), entered, entered.Add(-time.Hour), sla.VerdictSkipped),
		stuck,
	}
	o.Counts = sla.Counts{Events: 9, Repeats: 3, Unexpected: 1, AfterTerminal: 0, Rework: 1}
	return o
}

func allEvidence(deadline time.Time) []sla.Evidence {
	at := deadline.Add(2 * time.Second).UnixNano()
	return []sla.Evidence{
		{Code: sla.EvidenceEntered, At: deadline.Add(-time.Hour).UnixNano(), Source: "mes-db", Seq: 4711, Args: map[string]string{"status": "mes/PRICE_CALCULATED"}},
		{Code: sla.EvidenceNotLeft, Args: map[string]string{"statuses": "crm/PRICE_CALCULATED"}},
		{Code: sla.EvidenceProof, At: at, Source: "shop-db", Seq: 31007},
		{Code: sla.EvidenceBlind, At: at, Source: "mes-api"},
		{Code: sla.EvidenceGap, At: at, Source: "rabbitmq", Args: map[string]string{"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T12:03:00Z", "reason": "connection closed"}},
		{Code: sla.EvidenceNoReporter},
		{Code: sla.EvidencePublished, At: at, Source: "rabbitmq", Seq: 88, Args: map[string]string{"exchange": "mes.events", "routing_key": "price.calculated", "message": "m-77"}},
		{Code: sla.EvidenceNotPublished, Source: "rabbitmq", Args: map[string]string{"exchange": "mes.events"}},
		{Code: sla.EvidenceQueueDepth, At: at, Source: "rabbitmq", Args: map[string]string{"queue": "crm.prices", "messages": "0", "consumers": "1"}},
		{Code: sla.EvidenceDeadLettered, At: at, Source: "rabbitmq", Seq: 89, Args: map[string]string{"exchange": "mes.dead", "routing_key": "price.calculated", "message": "m-77"}},
		{Code: sla.EvidenceNotApplied, At: at, Source: "rabbitmq", Args: map[string]string{"queue": "crm.prices", "message": "m-77", "system": "crm"}},
		{Code: sla.EvidenceCopy, At: at, Source: "shop-db", Seq: 12, Args: map[string]string{"system": "crm", "status": "crm/SHIPPED"}},
		{Code: sla.EvidenceRepeated, At: at, Source: "mes-db", Seq: 13, Args: map[string]string{"what": "mes/SUBMITTED", "times": "7"}},
		{Code: sla.EvidenceOvertaken, Args: map[string]string{"orders": "4"}},
		{Code: sla.EvidenceLearned, Args: map[string]string{"age": "40m", "p95": "12m", "by": "polygons"}},
		{Code: sla.EvidenceServed, At: at},
		{Code: sla.EvidenceNotServed, At: at},
		{Code: sla.EvidenceBlind, Source: "mes-api"},
		{Code: sla.EvidenceOwner, Args: map[string]string{"owner": "sales"}},
		{Code: sla.EvidenceCheck, Args: map[string]string{"command": "psql -c \"select status from orders where id = 1042\""}},
	}
}

func unknownOrder(id sla.OrderID) sla.Order {
	o := baseOrder(id, "Ювелир/7 №<b>42</b>", ago(30*time.Hour))
	o.Attrs = []order.Attr{{Name: "channel", Value: "b2b"}, {Name: "partner", Value: "Ромашка & Ко"}}
	v := visit("approval-to-mes", ago(4*time.Hour), time.Time{}, ago(3*time.Hour), sla.VerdictUnknown)
	v.Approximate, v.Evidence = true, []sla.Evidence{{Code: sla.EvidenceBlind, At: ago(4 * time.Hour).UnixNano(), Source: "mes-db", Seq: 12}}
	o.Visits = []sla.Visit{visit("approval", ago(29*time.Hour), ago(4*time.Hour), ago(3*time.Hour), sla.VerdictMet), v}
	o.Promises = []sla.Promise{{Name: "three-weeks", Start: o.Created, Verdict: sla.PromiseOnTrack, Paused: true}}
	o.Refused = []order.Key{{Name: "mes", Value: "M-other"}}
	return o
}

func atRiskOrder(id sla.OrderID) sla.Order {
	o := baseOrder(id, "=1051", ago(20*day))
	o.Promises[0].Verdict = sla.PromiseAtRisk
	v := visit("manufacturing", ago(9*day), time.Time{}, now.Add(day), sla.VerdictAtRisk)
	v.N, v.Rework, v.Inferred = 2, true, true
	o.Visits = []sla.Visit{visit("manufacturing", ago(19*day), ago(12*day), ago(9*day), sla.VerdictMet), visit("packaging", ago(12*day), ago(9*day), ago(10*day), sla.VerdictLate), v}
	return o
}

func finishedOrder(id sla.OrderID) sla.Order {
	o := baseOrder(id, "900", time.Date(2025, 12, 30, 22, 0, 0, 0, time.UTC))
	o.State, o.Ended = sla.StateFinished, o.Created.Add(30*day)
	o.Updated = o.Ended
	o.Visits = []sla.Visit{visit("manufacturing", o.Created, o.Ended, o.Created.Add(10*day), sla.VerdictLate)}
	o.Promises[0].Stop, o.Promises[0].Verdict = o.Ended, sla.PromiseLate
	return o
}

func cancelledOrder(id sla.OrderID) sla.Order {
	o := baseOrder(id, "901", ago(5*day))
	o.State, o.Ended = sla.StateCancelled, ago(4*day)
	o.Promises[0].Stop, o.Promises[0].Verdict = o.Ended, sla.PromiseCancelled
	return o
}

// twin shares its key's value with another order, under another name.
func twin(id sla.OrderID, name string) sla.Order {
	o := plainOrder(id, "x", "delivery", 3*time.Hour)
	o.Keys = []order.Key{{Name: name, Value: "777"}}
	return o
}

func plainOrder(id sla.OrderID, key, stage string, age time.Duration) sla.Order {
	o := baseOrder(id, key, ago(age+time.Hour))
	o.Visits = []sla.Visit{visit(stage, ago(age), time.Time{}, now.Add(10*day-age), sla.VerdictOpen)}
	return o
}
