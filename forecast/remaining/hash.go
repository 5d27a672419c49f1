package remaining

// Seeds keep the kinds of key apart.
const (
	seedStatus uint64 = iota + 1
	seedPair
	seedTriple
	seedSet
	seedBag
	seedSequence
	seedValue
)

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func join(a, b uint64) uint64 { return mix(a*31 + mix(b)) }

// hashText is FNV-1a, mixed with a seed.
func hashText(seed uint64, text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return join(seed, h)
}
