// Package app wires the parts into running processes and owns their life cycle: what starts in
// which order, what stops in the reverse one, and that nothing outlives Run.
package app
