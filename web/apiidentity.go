package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// errMediaType says that what was sent is not JSON.
var errMediaType = errors.New("web: not application/json")

// linkDocument asks to join an order with the one of another key.
type linkDocument struct {
	Key  string `json:"key"`
	By   string `json:"by"`
	Note string `json:"note"`
}

// unlinkDocument asks to undo the link that a record of the journal made.
type unlinkDocument struct {
	Record int64  `json:"record"`
	Key    string `json:"key"` // of the joined ones, where the record joined several
	By     string `json:"by"`
	Note   string `json:"note"`
}

// correctedDocument answers both.
type correctedDocument struct {
	AsOf   time.Time `json:"as_of"`
	Record int64     `json:"record"`
}

type linkItem struct {
	Record int64     `json:"record"`
	Keys   [2]string `json:"keys"`
	At     time.Time `json:"at,omitzero"`
	Source string    `json:"source"` // orderwatch: a person
	By     string    `json:"by,omitempty"`
	Note   string    `json:"note,omitempty"`
}

func (s *Server) apiLink(w http.ResponseWriter, r *http.Request) error {
	var doc linkDocument
	if err := readJSON(w, r, &doc); err != nil {
		return err
	}
	record, err := s.link(r, doc.Key, doc.By, doc.Note)
	return s.corrected(w, record, err)
}

func (s *Server) apiUnlink(w http.ResponseWriter, r *http.Request) error {
	var doc unlinkDocument
	if err := readJSON(w, r, &doc); err != nil {
		return err
	}
	record, err := s.unlink(r, doc.Record, doc.Key, doc.By, doc.Note)
	return s.corrected(w, record, err)
}

func (s *Server) corrected(w http.ResponseWriter, record int64, err error) error {
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, jsonType, correctedDocument{AsOf: s.now().UTC(), Record: record})
}

// readJSON reads one document. A browser cannot send the media type across sites without asking first.
func readJSON(w http.ResponseWriter, r *http.Request, to any) error {
	if err := onlyFields(r.URL.Query(), nil); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != jsonType {
		return errMediaType
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFormBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return &fieldError{Field: "body", Detail: "not the document that is described"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &fieldError{Field: "body", Detail: "more than one document"}
	}
	return nil
}

func readRecord(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, &fieldError{Field: "record", Value: text, Detail: "must be a record's number"}
	}
	return n, nil
}
