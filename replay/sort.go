package replay

// digitBits is the size of a digit of byTime: its counters fit into the first cache.
const digitBits = 11

// byTime sorts facts by time and keeps the order of equal ones. It is a radix sort from the least digit up:
// logs are large, and comparing took a tenth of a replay.
func byTime(facts []fact) []fact {
	if len(facts) == 0 {
		return facts
	}
	least, most, sorted := facts[0].at, facts[0].at, true
	for i := 1; i < len(facts); i++ {
		sorted = sorted && facts[i-1].at <= facts[i].at
		least, most = min(least, facts[i].at), max(most, facts[i].at)
	}
	if sorted {
		return facts
	}
	to := make([]fact, len(facts))
	for shift, span := 0, uint64(most-least); span>>shift > 0; shift += digitBits {
		if scatter(facts, to, least, shift) {
			facts, to = to, facts
		}
	}
	return facts
}

// scatter copies the facts sorted by one digit of their time since least. It reports false, and copies
// nothing, where the digit is the same for all.
func scatter(facts, to []fact, least int64, shift int) bool {
	var starts [1 << digitBits]int32
	digit := func(f *fact) uint64 { return uint64(f.at-least) >> shift & (1<<digitBits - 1) }
	for i := range facts {
		starts[digit(&facts[i])]++
	}
	if int(starts[digit(&facts[0])]) == len(facts) {
		return false
	}
	sum := int32(0)
	for i, n := range starts {
		starts[i] = sum
		sum += n
	}
	for i := range facts {
		at := &starts[digit(&facts[i])]
		to[*at] = facts[i]
		*at++
	}
	return true
}
