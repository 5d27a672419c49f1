package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/alexandrite/orderwatch/order"
	"github.com/alexandrite/orderwatch/sla"
)

// Identity joins and parts orders on a person's word. Errors that wrap a *sla.Refusal changed
// nothing. What it returns is the sequence of the journal's record of it, which pages show by then.
type Identity interface {
	Link(ctx context.Context, x sla.Linking) (int64, error)
	Unlink(ctx context.Context, x sla.Unlinking) (int64, error)
}

// maxFormBytes bounds what a form or a document sent to us may hold.
const maxFormBytes = 16 << 10

// identityBody is what the page of an order shows of its names, and the forms to change them.
type identityBody struct {
	Links   []linkLine
	Action  string // address of the forms, without "/link" and "/unlink"
	Token   string // against forms of other sites
	Unbound bool   // nobody can change anything here
}

// linkLine is one link of an order.
type linkLine struct {
	N      int // counts from 1, to tell the forms apart
	Record int64
	A, B   order.Key
	At     *instant
	Source string // of the event; empty: a person's
	By     string
	Note   string
}

func (s *Server) identityBody(w http.ResponseWriter, r *http.Request, c clock, o *sla.Order, records []sla.Record) identityBody {
	b := identityBody{Unbound: s.identity == nil, Action: "/orders/" + url.PathEscape(r.PathValue("key"))}
	if len(o.Keys) > 0 {
		b.Action = namedPath("/orders/", o.Keys[0])
	}
	for i, l := range sla.Links(records) {
		line := linkLine{N: i + 1, Record: l.Record, A: l.Keys.A, B: l.Keys.B, At: c.At(l.At), By: l.By, Note: l.Note}
		if l.Source != order.SourceSelf {
			line.Source = l.Source
		}
		b.Links = append(b.Links, line)
	}
	if !b.Unbound {
		b.Token = s.forms.token(w, r)
	}
	return b
}

// linkForm and unlinkForm answer the forms on the page of an order.
func (s *Server) linkForm(w http.ResponseWriter, r *http.Request) error {
	return s.form(w, r, func(f url.Values) error {
		_, err := s.link(r, f.Get("key"), f.Get("by"), f.Get("note"))
		return err
	})
}

func (s *Server) unlinkForm(w http.ResponseWriter, r *http.Request) error {
	return s.form(w, r, func(f url.Values) error {
		record, err := readRecord(f.Get("record"))
		if err != nil {
			return err
		}
		_, err = s.unlink(r, record, f.Get("key"), f.Get("by"), f.Get("note"))
		return err
	})
}

// form reads a form of ours, lets it be done, and leads back to the order.
func (s *Server) form(w http.ResponseWriter, r *http.Request, do func(url.Values) error) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		return &fieldError{Field: "form", Detail: "cannot be read"}
	}
	if err := s.forms.check(r); err != nil {
		return err
	}
	if err := do(r.PostForm); err != nil {
		return err
	}
	http.Redirect(w, r, "/orders/"+url.PathEscape(r.PathValue("key")), http.StatusSeeOther)
	return nil
}

// link joins the order of the address with the one that another key names.
func (s *Server) link(r *http.Request, other, by, note string) (int64, error) {
	key, err := s.ownKey(r)
	if err != nil {
		return 0, err
	}
	b, err := s.keyOf(r.Context(), strings.TrimSpace(other))
	if err != nil {
		return 0, err
	}
	return s.identity.Link(r.Context(), sla.Linking{A: key, B: b, By: by, Note: note})
}

// unlink undoes a link of the order of the address; key may be empty.
func (s *Server) unlink(r *http.Request, record int64, key, by, note string) (int64, error) {
	of, err := s.ownKey(r)
	if err != nil {
		return 0, err
	}
	x := sla.Unlinking{Of: of, Record: record, By: by, Note: note}
	if key != "" {
		if x.Key, err = s.keyOf(r.Context(), key); err != nil {
			return 0, err
		}
	}
	return s.identity.Unlink(r.Context(), x)
}

// ownKey returns a key of the order of the address.
func (s *Server) ownKey(r *http.Request) (order.Key, error) {
	o, err := s.resolve(r.Context(), r.PathValue("key"))
	if err != nil {
		return order.Key{}, err
	}
	if len(o.Keys) == 0 {
		return order.Key{}, &keyError{key: r.PathValue("key")}
	}
	return o.Keys[0], nil
}

// keyOf reads name:value, or the value alone where one order has it under one name.
func (s *Server) keyOf(ctx context.Context, text string) (order.Key, error) {
	if name, value, named := strings.Cut(text, ":"); named && slices.Contains(s.flow.Keys, name) && value != "" && plainText(value) {
		return order.Key{Name: name, Value: value}, nil
	}
	o, err := s.resolve(ctx, text)
	if err != nil {
		return order.Key{}, err
	}
	i := slices.IndexFunc(o.Keys, func(k order.Key) bool { return k.Value == text })
	if i < 0 {
		return order.Key{}, &keyError{key: text}
	}
	return o.Keys[i], nil
}

// refusalStatus is how a refusal answers a program.
func refusalStatus(r *sla.Refusal) (status int, field string) {
	switch r.Code {
	case sla.RefusedPerson:
		return http.StatusUnprocessableEntity, "by"
	case sla.RefusedNote:
		return http.StatusUnprocessableEntity, "note"
	case sla.RefusedKey:
		return http.StatusNotFound, "key"
	case sla.RefusedLink:
		return http.StatusConflict, "record"
	}
	return http.StatusConflict, "key"
}

func refusalOf(err error) *sla.Refusal {
	var r *sla.Refusal
	errors.As(err, &r)
	return r
}
