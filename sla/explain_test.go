package sla

import (
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/order"
)

// why tells what is said of the stuck visits of order 1: stage, cause and the kinds of evidence beyond the proof.
func why(o Order) string {
	var lines []string
	for _, v := range o.Visits {
		if v.Verdict != VerdictStuck {
			continue
		}
		line := v.Stage + " " + string(v.Cause) + ":"
		for _, x := range v.Evidence {
			switch x.Code {
			case EvidenceEntered, EvidenceNotLeft, EvidenceProof:
			case EvidenceCheck:
				line += " check"
			case EvidenceRepeated:
				line += " repeated×" + x.Args["times"]
			default:
				line += " " + string(x.Code)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestEveryHypothesisIsToldFromTheOthers(t *testing.T) {
	const published = "0s mes/PRICED\n1s tap mes.events price.new\n"
	tests := map[string]struct{ story, want string }{
		"never published, or unroutable": {
			"0s tap mes.events other\n1s mes/PRICED\n6m watermark tap\n6m watermark shop-db",
			"price lost_in_handoff: not_published check",
		},
		"nothing is said of the message where the tap was blind": {
			"0s tap mes.events other\n1s mes/PRICED\n6m blind tap\n6m watermark shop-db",
			"price lost_in_handoff:",
		},
		"in the queue behind others": {
			published + "6m depth crm.prices 4 c1\n6m watermark shop-db",
			"price backlog: published queue_depth check",
		},
		"dead-lettered, even where others still wait": {
			published + "2m tap mes.dead price.new\n6m depth crm.prices 4 c1\n6m watermark shop-db",
			"price lost_in_handoff: published queue_depth check dead_lettered check",
		},
		"received and not applied": {
			published + "6m depth crm.prices 0 c1\n6m watermark shop-db",
			"price lost_in_handoff: published queue_depth check not_applied check",
		},
		"gone from a queue that nobody reads": {
			published + "6m depth crm.prices 0\n6m watermark shop-db",
			"price lost_in_handoff: published queue_depth check",
		},
		"a depth from before the message tells nothing of it": {
			"0s mes/PRICED\n1s depth crm.prices 0 c1\n2s tap mes.events price.new\n6m watermark shop-db",
			"price lost_in_handoff: published queue_depth check",
		},
		"a storm of the same message": {
			published + "2s tap mes.events price.new\n3s tap mes.events price.new\n4s tap mes.events price.new\n6m watermark shop-db",
			"price lost_in_handoff: published repeated×4 check",
		},
		"a storm of the same status": {
			"0s mes/SUBMITTED\n1s mes/SUBMITTED\n2s mes/SUBMITTED\n3s mes/SUBMITTED\n11m watermark mes-db",
			"waiting stalled: not_served repeated×4 check",
		},
		"thrice is no storm": {
			"0s mes/SUBMITTED\n1s mes/SUBMITTED\n2s mes/SUBMITTED\n11m watermark mes-db",
			"waiting stalled: not_served",
		},
		"a copy that is ahead of the system which has gone back": {
			"0s crm/APPROVED\n1h mes/STARTED\n2h watermark mes-db",
			"computing diverged: copy copy check",
		},
		"a copy that is behind is only late": {
			"0s crm/PRICED\n1h crm/APPROVED\n2h mes/CLAIMED\n72h watermark mes-db",
			"making waiting_for_person: owner",
		},
		"slow computing": {
			"0s mes/STARTED\n1h watermark mes-db",
			"computing slow_compute: owner",
		},
		"waiting for a person": {
			"0s crm/PRICED\n9h watermark shop-db",
			"approval waiting_for_person: overtaken owner check",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newTimeline(t)
			l.play(test.story)
			if got := why(l.orders[1]); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestKeyCannotBecomeACommand(t *testing.T) {
	o := &tracked{awake: &awake{folded: &folded{keys: []order.Key{{Name: "shop", Value: "1'; rm -rf $HOME #"}}}}}
	q := &inquiry{order: o}
	if got, want := q.checkOrder()[0].Args["command"], "curl -s 'http://127.0.0.1:8080/api/v1/orders/shop:1%27%3B%20rm%20-rf%20$HOME%20%23'"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
