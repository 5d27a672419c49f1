package order

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong, or doubtful, in a file.
type Problem struct {
	File    string
	Line    int    // from 1
	Path    string // of the field, for example stages[3].within; empty for the file as a whole
	Message string
}

func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Path, p.Message)
}

// Problems is the error of a file: everything wrong in it, in the order of its lines.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}
