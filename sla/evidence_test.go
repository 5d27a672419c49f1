package sla

import (
	"encoding/json"
	"testing"
)

func TestEvidenceIsWrittenAsJSON(t *testing.T) {
	list := []Evidence{
		{Code: EvidenceEntered, At: 5, Source: "shop-db", Seq: 7, Args: map[string]string{"status": "shop/SUBMITTED"}},
		{Code: EvidenceGap, At: -1, Source: "a \"quoted\" \\ name", Args: map[string]string{"to": "Москва", "from": "a\nb", "reason": ""}},
		{Code: EvidenceNoReporter},
	}
	for _, evidence := range [][]Evidence{list, list[:1], {}} {
		want, err := json.Marshal(evidence)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendEvidence(nil, evidence)); got != string(want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
