package remaining

import "slices"

// learnEnds returns the share of each status's events that ended their case and the seconds that all
// but one in a hundred gaps between events stay under.
func learnEnds(cases []Case) (ends map[uint64]float32, silence int64) {
	type count struct{ ended, all float32 }
	counts := map[uint64]*count{}
	var gaps []int64
	for _, c := range cases {
		for i, e := range c.Events {
			status := hashText(seedStatus, e.Status)
			n := counts[status]
			if n == nil {
				n = &count{}
				counts[status] = n
			}
			n.all++
			if i == len(c.Events)-1 {
				n.ended++
			} else {
				gaps = append(gaps, c.Events[i+1].Time.Unix()-e.Time.Unix())
			}
		}
	}
	ends = make(map[uint64]float32, len(counts))
	for status, n := range counts {
		ends[status] = n.ended / n.all
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		silence = gaps[len(gaps)*99/100]
	}
	return ends, max(silence, secondsADay)
}
