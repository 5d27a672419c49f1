package remaining

import (
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"slices"
)

// formatVersion changes whenever a model of before would be read wrongly.
const formatVersion = 1

// maxModelBytes bounds what Read takes in.
const maxModelBytes = 256 << 20

// stored is a model in a file: the same model gives the same bytes.
type stored struct {
	Version     int
	Schema      schema
	Plain       int
	Median      float32
	States      [][]storedCell
	Values      [][]storedCell
	Load        []float32
	Edges       [][]float32
	Cuts        []float32
	Tail        float64
	Forests     []forest
	Calibration calibration
	Ends        []storedCell
	Silence     int64
	Fit         Fit
}

type storedCell struct {
	Key         uint64
	Value, Rows float32
}

// Write stores the model. The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
	e := m.encoder
	s := stored{
		Version: formatVersion, Schema: e.schema, Plain: e.plain, Median: e.median, Load: e.load.values[:],
		Edges: m.binner.Edges, Cuts: m.cuts, Tail: m.tail, Forests: m.forests, Calibration: m.calibration,
		Silence: m.silence, Fit: m.fit,
	}
	for _, l := range e.states {
		s.States = append(s.States, storedCells(l))
	}
	for _, l := range e.values {
		s.Values = append(s.Values, storedCells(l))
	}
	for status, share := range m.ends {
		s.Ends = append(s.Ends, storedCell{Key: status, Value: share})
	}
	byKey(s.Ends)
	if err := gob.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("write remaining-time model: %w", err)
	}
	return nil
}

func storedCells(l lookup) []storedCell {
	out := make([]storedCell, 0, len(l.cells))
	for key, c := range l.cells {
		out = append(out, storedCell{key, c.value, c.rows})
	}
	byKey(out)
	return out
}

func byKey(cells []storedCell) {
	slices.SortFunc(cells, func(a, b storedCell) int { return cmp.Compare(a.Key, b.Key) })
}

// Read returns a model that Write stored, or an error for anything else.
func Read(r io.Reader) (*Model, error) {
	var s stored
	if err := gob.NewDecoder(io.LimitReader(r, maxModelBytes)).Decode(&s); err != nil {
		return nil, fmt.Errorf("read remaining-time model: %w", err)
	}
	if s.Version != formatVersion {
		return nil, fmt.Errorf("read remaining-time model: version %d is not %d: train it again", s.Version, formatVersion)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("read remaining-time model: %w", err)
	}
	return s.model(), nil
}

func (s *stored) model() *Model {
	e := &encoder{schema: s.Schema, plain: s.Plain, median: s.Median, load: Load{known: true}}
	copy(e.load.values[:], s.Load)
	for k, cells := range s.States {
		e.states[k] = restored(cells)
	}
	for _, cells := range s.Values {
		e.values = append(e.values, restored(cells))
	}
	m := &Model{
		encoder: e, binner: binner{s.Edges}, cuts: s.Cuts, tail: s.Tail, forests: s.Forests,
		calibration: s.Calibration, ends: map[uint64]float32{}, silence: s.Silence, fit: s.Fit,
	}
	for _, c := range s.Ends {
		m.ends[c.Key] = c.Value
	}
	return m
}

func restored(cells []storedCell) lookup {
	l := lookup{make(map[uint64]cell, len(cells))}
	for _, c := range cells {
		l.cells[c.Key] = cell{c.Value, c.Rows}
	}
	return l
}

var errCorrupt = errors.New("it is damaged")

// check makes sure that forecasting cannot leave any slice or run in a circle.
func (s *stored) check() error {
	width := s.Schema.plainFeatures() + 2*stateKeys + recentStatuses + len(s.Schema.Attributes)
	ok := s.Plain == s.Schema.plainFeatures() && len(s.States) == stateKeys && len(s.Values) == len(s.Schema.Attributes) && len(s.Load) == loadFeatures &&
		len(s.Edges) == width && len(s.Cuts) > 0 && len(s.Forests) > 0 && s.Tail >= 0 &&
		(len(s.Calibration.Shares) == 0 || len(s.Calibration.Shares) == len(s.Calibration.Bounds)+1)
	for i := 1; i < len(s.Cuts); i++ {
		ok = ok && s.Cuts[i] > s.Cuts[i-1]
	}
	for _, shares := range s.Calibration.Shares {
		ok = ok && len(shares) == calibrationSteps+1 && slices.IsSorted(shares)
	}
	for _, f := range s.Forests {
		ok = ok && len(f.Base) == len(s.Cuts)
		for _, t := range f.Trees {
			ok = ok && t.sound(width, len(s.Cuts))
		}
	}
	if !ok {
		return errCorrupt
	}
	return nil
}

// sound reports whether every path of the tree ends at a leaf with a value for each cut: children come after
// their parents.
func (t *tree) sound(features, cuts int) bool {
	for i, n := range t.Nodes {
		inner := n.Feature >= 0
		switch {
		case inner && (int(n.Feature) >= features || int(min(n.Left, n.Right)) <= i || int(max(n.Left, n.Right)) >= len(t.Nodes)):
			return false
		case !inner && (n.Leaf < 0 || int(n.Leaf) >= len(t.Leaves) || len(t.Leaves[n.Leaf]) != cuts):
			return false
		}
	}
	return len(t.Nodes) > 0
}
