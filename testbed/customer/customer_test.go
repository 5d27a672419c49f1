package customer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func draws(c Crowd, n int) []Order {
	random := rand.New(rand.NewPCG(c.Seed, 0))
	orders := make([]Order, n)
	for i := range orders {
		orders[i] = c.draw(random, i)
	}
	return orders
}

func TestTheCrowdIsAsSeeded(t *testing.T) {
	c := Crowd{Seed: 1, B2BShare: 0.3, Partners: []string{"acme", "bijou", "carat"}}
	if !slices.Equal(draws(c, 50), draws(c, 50)) {
		t.Error("one seed gives two crowds")
	}
	other := c
	other.Seed = 2
	if slices.Equal(draws(c, 50), draws(other, 50)) {
		t.Error("two seeds give one crowd")
	}
}

func TestTheCrowdHasItsSharesAndSizes(t *testing.T) {
	const n = 20_000
	orders := draws(Crowd{Seed: 1, B2BShare: 0.3, Partners: []string{"acme", "bijou", "carat"}}, n)
	count := map[string]float64{}
	files := map[string]bool{}
	polygons := make([]int64, 0, n)
	for _, o := range orders {
		count[o.Partner]++
		files[o.FileID] = true
		polygons = append(polygons, o.Polygons)
	}
	if len(files) != n {
		t.Errorf("%d different files of %d orders", len(files), n)
	}
	// Zipf over three: 6/11, 3/11, 2/11 of the 30 %.
	for partner, want := range map[string]float64{"": 0.7, "acme": 0.3 * 6 / 11, "bijou": 0.3 * 3 / 11, "carat": 0.3 * 2 / 11} {
		if got := count[partner] / n; math.Abs(got-want) > 0.01 {
			t.Errorf("share of %q: %v, want %v", partner, got, want)
		}
	}
	slices.Sort(polygons)
	if median := polygons[n/2]; median < 47_000 || median > 53_000 {
		t.Errorf("median polygons %d, want about 50000", median)
	}
}
