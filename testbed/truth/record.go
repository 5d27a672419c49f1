// Package truth owns the ground truth of the simulated company: what its applications really did
// to each order, who claimed what, and which fault each faulty order has. It is what a watcher's
// findings are compared with.
//
// The applications are separate processes that append to one JSON Lines file. A Writer writes
// each record with one system call, so records never mix; a record is written after the commit it
// tells of, so an application that is killed in between leaves a commit without a record. A Writer
// is safe for concurrent use; what Read returns belongs to the caller.
package truth

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// The faults that can be switched on for an order.
const (
	MessageLost      = "message_lost"      // the MES commits the price and does not publish it
	CalculationHangs = "calculation_hangs" // the calculation starts and never finishes
	NobodyClaims     = "nobody_claims"     // the operators pass over the order
)

// Faults lists the faults.
func Faults() []string { return []string{MessageLost, CalculationHangs, NobodyClaims} }

// Status tells that an application gave an order a status.
type Status struct {
	System  string    `json:"system"` // shop, crm or mes
	Status  string    `json:"status"`
	File    string    `json:"file"`              // the model file, the one name every system knows
	ID      int64     `json:"id"`                // the row's own id in the system
	Channel string    `json:"channel"`           // b2c or b2b
	Partner string    `json:"partner,omitempty"` // b2b only
	At      time.Time `json:"at"`                // by the database's clock, just before the commit
}

// Claim tells that an operator claimed an order.
type Claim struct {
	File         string    `json:"file"`
	ID           int64     `json:"id"` // the MES's
	Operator     string    `json:"operator"`
	SkippedOlder int       `json:"skipped_older"` // orders on the operator's page that waited longer
	At           time.Time `json:"at"`
}

// Fault tells that a fault took effect on an order, and when it was taken away.
type Fault struct {
	File  string    `json:"file"`
	Fault string    `json:"fault"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"` // zero while it lasts
}

// line is one line of the file; one of its fields is set.
type line struct {
	Status *Status `json:"status,omitempty"`
	Claim  *Claim  `json:"claim,omitempty"`
	Fault  *Fault  `json:"fault,omitempty"`
}

// Writer appends records to the file.
type Writer struct{ file *os.File }

// Open opens the file for appending and makes it where it does not exist.
func Open(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open truth: %w", err)
	}
	return &Writer{file: file}, nil
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// Status appends a status.
func (w *Writer) Status(s Status) error { return w.write(line{Status: &s}) }

// Claim appends a claim.
func (w *Writer) Claim(c Claim) error { return w.write(line{Claim: &c}) }

// Fault appends a fault, a second time when it has ended.
func (w *Writer) Fault(f Fault) error { return w.write(line{Fault: &f}) }

func (w *Writer) write(l line) error {
	text, err := json.Marshal(l)
	if err == nil {
		_, err = w.file.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return nil
}
