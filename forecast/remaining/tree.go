package remaining

import "slices"

// tree is a binary regression tree on binned features. Node 0 is the root. A leaf holds a value for each
// output of the forest.
type tree struct {
	Nodes  []node
	Leaves [][]float32
}

type node struct {
	Feature     int16 // -1 for a leaf
	Bin         uint8 // up to it: left
	Left, Right int32
	Leaf        int32 // place in Leaves
}

// leaf returns the place of the leaf in which a row falls.
func (t *tree) leaf(bins [][]uint8, row int) int32 {
	n := &t.Nodes[0]
	for n.Feature >= 0 {
		if bins[n.Feature][row] <= n.Bin {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return n.Leaf
}

// growth are the settings of one tree.
type growth struct {
	leaves  int
	minLeaf int
	workers int
}

// sum is what a histogram holds of the rows in a bin.
type sum struct {
	gradient float64
	rows     int32
}

// leaf is a node that may yet be split.
type leaf struct {
	node      int32
	rows      []int32
	histogram [][]sum // by place in grower.features
	total     sum
	gain      float64 // of its best split, 0 without one
	feature   int
	bin       uint8
}

// grower grows trees, best leaf first: each split explains as much as possible of the gradient's variance.
type grower struct {
	growth
	bins     [][]uint8 // [feature][row]
	features []int     // those that this tree may use
	gradient []float32 // by row
	widths   []int     // [feature]: number of bins in use
	memory   []sum
	used     int
}

// newGrower returns a grower without features and gradient.
func newGrower(g growth, bins [][]uint8) *grower {
	out := &grower{growth: g, bins: bins, widths: make([]int, len(bins))}
	for f, column := range bins {
		out.widths[f] = int(slices.Max(column)) + 1
	}
	return out
}

// grow returns the tree's nodes and the rows of each leaf. It reorders rows.
func (g *grower) grow(rows []int32) ([]node, [][]int32) {
	g.used = 0
	root := &leaf{rows: rows}
	g.fill(root)
	nodes := []node{{Feature: -1}}
	leaves := []*leaf{root}
	for len(leaves) < g.leaves {
		best := slices.MaxFunc(leaves, func(a, b *leaf) int {
			switch {
			case a.gain < b.gain:
				return -1
			case a.gain > b.gain:
				return 1
			}
			return 0
		})
		if best.gain <= 0 {
			break
		}
		left, right := g.split(&nodes, best)
		leaves[slices.Index(leaves, best)] = left
		leaves = append(leaves, right)
	}
	members := make([][]int32, len(leaves))
	for i, l := range leaves {
		nodes[l.node].Leaf = int32(i)
		members[i] = l.rows
	}
	return nodes, members
}

// split turns a leaf into a node with two. The smaller one is counted, the other is the difference.
func (g *grower) split(nodes *[]node, l *leaf) (left, right *leaf) {
	column := g.bins[l.feature]
	cut := partition(l.rows, func(r int32) bool { return column[r] <= l.bin })
	at := int32(len(*nodes))
	*nodes = append(*nodes, node{Feature: -1}, node{Feature: -1})
	(*nodes)[l.node] = node{Feature: int16(l.feature), Bin: l.bin, Left: at, Right: at + 1}
	left = &leaf{node: at, rows: l.rows[:cut]}
	right = &leaf{node: at + 1, rows: l.rows[cut:]}
	small, large := left, right
	if len(small.rows) > len(large.rows) {
		small, large = large, small
	}
	g.fill(small)
	large.histogram, l.histogram = l.histogram, nil
	large.total = sum{l.total.gradient - small.total.gradient, l.total.rows - small.total.rows}
	spread(len(g.features), len(small.rows), g.workers, func(f int) {
		a, b := large.histogram[f], small.histogram[f]
		for i := range a {
			a[i].gradient -= b[i].gradient
			a[i].rows -= b[i].rows
		}
	})
	g.choose(large)
	return left, right
}

// partition moves the rows that go left to the front, in order, and returns their number.
func partition(rows []int32, left func(int32) bool) int {
	cut := 0
	var right []int32
	for _, r := range rows {
		if left(r) {
			rows[cut] = r
			cut++
		} else {
			right = append(right, r)
		}
	}
	copy(rows[cut:], right)
	return cut
}

// fill counts a leaf's histograms and chooses its best split.
func (g *grower) fill(l *leaf) {
	l.histogram = g.histogram()
	gradients := make([]float32, len(l.rows))
	for i, r := range l.rows {
		gradients[i] = g.gradient[r]
		l.total.gradient += float64(g.gradient[r])
	}
	l.total.rows = int32(len(l.rows))
	spread(len(g.features), len(l.rows), g.workers, func(f int) {
		column, h := g.bins[g.features[f]], l.histogram[f]
		for i, r := range l.rows {
			s := &h[column[r]]
			s.gradient += float64(gradients[i])
			s.rows++
		}
	})
	g.choose(l)
}

// histogram hands out memory of the trees before; grow starts with all of it free.
func (g *grower) histogram() [][]sum {
	width := 0
	for _, f := range g.features {
		width += g.widths[f]
	}
	if g.used+width > len(g.memory) {
		g.memory, g.used = make([]sum, max(width*g.leaves, len(g.memory))), 0 // what was handed out stays valid
	}
	free := g.memory[g.used : g.used+width]
	g.used += width
	clear(free)
	out := make([][]sum, len(g.features))
	for i, f := range g.features {
		out[i], free = free[:g.widths[f]], free[g.widths[f]:]
	}
	return out
}

// choose finds the split that explains most of the gradient's variance; of equals the first.
func (g *grower) choose(l *leaf) {
	base := l.total.gradient * l.total.gradient / float64(max(l.total.rows, 1))
	for f := range g.features {
		var left sum
		for b, s := range l.histogram[f] {
			if s.rows == 0 {
				continue
			}
			left.gradient += s.gradient
			left.rows += s.rows
			right := sum{l.total.gradient - left.gradient, l.total.rows - left.rows}
			if int(right.rows) < g.minLeaf {
				break
			}
			if int(left.rows) < g.minLeaf {
				continue
			}
			gain := left.gradient*left.gradient/float64(left.rows) +
				right.gradient*right.gradient/float64(right.rows) - base
			if gain > l.gain+1e-9 {
				l.gain, l.feature, l.bin = gain, g.features[f], uint8(b)
			}
		}
	}
}
