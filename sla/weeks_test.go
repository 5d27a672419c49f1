package sla

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alexandrite/orderwatch/examples"
)

// Five weeks of an order, with a clock that ticks every ten minutes and sources that are never
// behind: what is said, and when, is the calendars' doing alone.
func TestWeeksOfTheExamplesCalendars(t *testing.T) {
	l := newTimelineOf(t, string(examples.Flow()))
	// day0 is Monday, 2 March 2026, noon in Moscow. The order comes on Friday at five; Monday the 9th is a holiday.
	story := map[time.Duration]string{
		101 * time.Hour:                "shop/SUBMITTED",
		101*time.Hour + 10*time.Minute: "mes/SUBMITTED",
		101*time.Hour + 20*time.Minute: "mes/CALCULATION_STARTED",
		101*time.Hour + 30*time.Minute: "mes/PRICE_CALCULATED",
		101*time.Hour + 40*time.Minute: "crm/PRICE_CALCULATED", // approval is due on Tuesday the 10th, 17:40
		238 * time.Hour:                "crm/MANUFACTURING_APPROVED",
		238*time.Hour + 10*time.Minute: "mes/MANUFACTURING_APPROVED",  // hand-offs have five minutes
		240 * time.Hour:                "mes/MANUFACTURING_STARTED",   // Thursday noon; ten days with Saturdays end on Tuesday the 24th, noon
		530 * time.Hour:                "mes/MANUFACTURING_COMPLETED", // Tuesday, 14:00; packing is due on Wednesday, 14:00
		540 * time.Hour:                "mes/PACKAGING",               // at midnight: the workshop opens at eight, and so does the day after
		561 * time.Hour:                "mes/SHIPPED",
		561*time.Hour + 10*time.Minute: "crm/SHIPPED", // and two weeks of a carrier who never comes
	}
	const tick = 10 * time.Minute
	for after := time.Duration(0); after <= 950*time.Hour; after += tick {
		if status, ok := story[after]; ok {
			l.play(after.String() + " " + status)
		}
		for _, source := range []string{"shop-db", "mes-db"} {
			l.play(after.String() + " watermark " + source)
		}
	}
	var said []string
	for _, a := range l.audit {
		said = append(said, fmt.Sprintf("%s %s %s", a.Kind, a.Stage, a.At.Sub(day0)))
	}
	want := strings.Join([]string{
		"stuck approval 197h40m0s",
		"stuck manufacturing 528h0m0s",
		"stuck closing 897h10m0s",
	}, "\n")
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("said:\n%s\nwant:\n%s", got, want)
	}
	if got, want := promises(l.orders[1]), "three-weeks kept due 741h20m0s"; got != want { // 21 days and the approval's 136h20m
		t.Errorf("promises: %s, want %s", got, want)
	}
}
