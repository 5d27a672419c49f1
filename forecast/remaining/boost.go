package remaining

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// setting is one way to boost.
type setting struct {
	growth
	trees     int     // at most
	patience  int     // trees without a better validation error before it stops
	rate      float64 // how far each tree goes
	cases     float64 // share of the cases a tree sees
	prefixes  float64 // share of their prefixes it sees
	features  float64 // share of the features it sees
	recency   float64 // how much rarer the oldest case is drawn than the newest, as a power of e
	trendless bool    // without the features that are levels of the whole business
}

// binned is features with their targets.
type binned struct {
	bins   [][]uint8 // [feature][row]
	target []float32
	owner  []int32 // the case of each row, growing; rows of one case are drawn together
}

// forest boosts the log-odds that more than each of Cuts days are left: an ordinal regression whose trees
// share their splits among the cuts. So it gives a whole distribution, and its median.
type forest struct {
	Base  []float32 // by cut
	Trees []tree
}

// odds are log-odds by row and cut, a row's together.
type odds struct {
	cuts   int
	values []float32
}

func newOdds(base []float32, rows int) odds {
	o := odds{len(base), make([]float32, 0, rows*len(base))}
	for range rows {
		o.values = append(o.values, base...)
	}
	return o
}

func (o odds) row(i int) []float32 { return o.values[i*o.cuts : (i+1)*o.cuts] }

func (o odds) add(t *tree, bins [][]uint8, workers int) {
	inParts(len(o.values)/o.cuts, workers, func(from, to int) {
		for r := from; r < to; r++ {
			into := o.row(r)
			for k, v := range t.Leaves[t.leaf(bins, r)] {
				into[k] += v
			}
		}
	})
}

// booster is the state of one fit.
type booster struct {
	setting
	grower  *grower
	random  *rand.Rand
	cuts    []float32
	train   binned
	fitted  odds
	chances []float32 // of the rows of the current tree, by row and cut: that more is left
	usable  []int
	newest  float64
}

// boost fits a forest to the usable features and keeps as many trees as have the least absolute error of the median on the rows
// of check, for which it returns the odds.
func boost(ctx context.Context, train, check binned, usable []int, cuts []float32, s setting, seed uint64) (forest, odds, error) {
	f := forest{Base: baseOdds(train.target, cuts)}
	b := &booster{
		chances: make([]float32, len(train.target)*len(cuts)),
		setting: s, random: rand.New(rand.NewPCG(seed, 1)), cuts: cuts, train: train,
		grower: newGrower(s.growth, train.bins),
		fitted: newOdds(f.Base, len(train.target)), usable: usable,
		newest: float64(train.owner[len(train.owner)-1] + 1),
	}
	b.grower.gradient = make([]float32, len(train.target))
	checked := newOdds(f.Base, len(check.target))
	best, bestTrees := medianError(checked, cuts, check.target), 0
	kept := slices.Clone(checked.values)
	for len(f.Trees) < s.trees && len(f.Trees)-bestTrees < s.patience && len(b.usable) > 0 {
		if err := ctx.Err(); err != nil {
			return forest{}, odds{}, err
		}
		t := b.next()
		f.Trees = append(f.Trees, t)
		b.fitted.add(&t, train.bins, s.workers)
		checked.add(&t, check.bins, s.workers)
		if len(f.Trees)%checkEvery != 0 {
			continue
		}
		if e := medianError(checked, cuts, check.target); e < best {
			best, bestTrees = e, len(f.Trees)
			copy(kept, checked.values)
		}
	}
	f.Trees = slices.Clip(f.Trees[:bestTrees])
	return f, odds{len(cuts), kept}, nil
}

const checkEvery = 4 // trees

// next grows one tree and fits its leaves.
func (b *booster) next() tree {
	rows := b.draw()
	b.project(rows)
	b.grower.features = choice(b.random, b.usable, b.features)
	nodes, members := b.grower.grow(rows)
	t := tree{nodes, make([][]float32, len(members))}
	spread(len(members), len(rows), b.workers, func(l int) { t.Leaves[l] = b.leafValues(members[l]) })
	return t
}

// draw returns rows of some cases, in order.
func (b *booster) draw() []int32 {
	var out []int32
	drawn, owner := false, int32(-1)
	for i, o := range b.train.owner {
		if o != owner {
			age := 1 - float64(o)/b.newest
			drawn, owner = b.random.Float64() < b.cases*math.Exp(-age*b.recency), o
		}
		if drawn && (b.prefixes >= 1 || b.random.Float64() < b.prefixes) {
			out = append(out, int32(i))
		}
	}
	return out
}

// project sets the gradient by which the tree is split: the error of the expected time within a range of
// the cuts, which changes from tree to tree so that every part of the distribution has its turn.
func (b *booster) project(rows []int32) {
	from, to := 0, len(b.cuts)
	if b.random.IntN(2) == 0 {
		from = b.random.IntN(len(b.cuts))
		to = from + 1 + b.random.IntN(len(b.cuts)-from)
	}
	scale := b.cuts[to-1]
	if from > 0 {
		scale -= b.cuts[from-1]
	}
	scale = max(scale, math.SmallestNonzeroFloat32)
	inParts(len(rows), b.workers, func(first, last int) {
		for _, r := range rows[first:last] {
			b.grower.gradient[r] = b.gradient(int(r), from, to) / scale
		}
	})
}

// gradient fills in the row's chances and returns its error in days within the range of cuts.
func (b *booster) gradient(row, from, to int) float32 {
	chances := b.chances[row*len(b.cuts) : (row+1)*len(b.cuts)]
	fitted, target := b.fitted.row(row), b.train.target[row]
	sum, below := float32(0), float32(0)
	for k, cut := range b.cuts {
		p := chance(fitted[k])
		chances[k] = p
		if k >= from && k < to {
			if target > cut {
				p--
			}
			sum -= p * (cut - below)
		}
		below = cut
	}
	return sum
}

// leafValues is one damped Newton step of the log-likelihood for each cut.
func (b *booster) leafValues(rows []int32) []float32 {
	gradient, curvature := make([]float64, len(b.cuts)), make([]float64, len(b.cuts))
	for _, r := range rows {
		target := b.train.target[r]
		for k, p := range b.chances[int(r)*len(b.cuts) : (int(r)+1)*len(b.cuts)] {
			curvature[k] += float64(p * (1 - p))
			if target > b.cuts[k] {
				p--
			}
			gradient[k] -= float64(p)
		}
	}
	out := make([]float32, len(b.cuts))
	for k := range out {
		step := gradient[k] / (curvature[k] + damping)
		out[k] = float32(b.rate * min(max(step, -maxStep), maxStep))
	}
	return out
}

const (
	damping = 10 // rows of utter doubt have a curvature of a quarter each
	maxStep = 4
)

func chance(odds float32) float32 { return float32(1 / (1 + math.Exp(-float64(odds)))) }

// varying returns the features that have more than one value.
func varying(bins [][]uint8) []int {
	var out []int
	for f, column := range bins {
		if slices.ContainsFunc(column, func(b uint8) bool { return b != column[0] }) {
			out = append(out, f)
		}
	}
	return out
}

// choice returns a random share of the features, in order, at least one.
func choice(random *rand.Rand, features []int, share float64) []int {
	n := max(1, int(math.Ceil(share*float64(len(features)))))
	out := make([]int, 0, n)
	for _, place := range random.Perm(len(features))[:n] {
		out = append(out, features[place])
	}
	slices.Sort(out)
	return out
}
