package sla

import "strings"

func matchesAny(patterns []string, key string) bool {
	for _, p := range patterns {
		if matchRoutingKey(strings.Split(p, "."), strings.Split(key, ".")) {
			return true
		}
	}
	return len(patterns) == 0
}

// matchRoutingKey matches as a topic exchange does: * is one word, # any number of words.
func matchRoutingKey(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		return matchRoutingKey(pattern[1:], key) || len(key) > 0 && matchRoutingKey(pattern, key[1:])
	case len(key) == 0:
		return false
	case pattern[0] == "*" || pattern[0] == key[0]:
		return matchRoutingKey(pattern[1:], key[1:])
	}
	return false
}
