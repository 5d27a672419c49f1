package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
)

// errForeign says that a request to change something did not come from a page of ours.
var errForeign = errors.New("web: the request is not from one of our pages")

// errOutdated says that a form is of another visit, or of before a restart.
var errOutdated = errors.New("web: the form is outdated")

const formCookie = "form"

// forms tell our own forms from those of other sites, in two ways: the browser says where a request
// comes from, and a form carries a token that belongs to a cookie only our pages set. There is no
// access control to lean on yet: who can reach the address can use it.
type forms struct {
	key    []byte // of this process
	origin *http.CrossOriginProtection
}

func newForms() *forms {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &forms{key: key, origin: http.NewCrossOriginProtection()}
}

// token returns the token for a form on the page at hand, and sets its cookie where there is none.
func (f *forms) token(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(formCookie)
	if err != nil || len(c.Value) != 26 {
		c = &http.Cookie{Name: formCookie, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
		http.SetCookie(w, c)
	}
	return f.sign(c.Value)
}

func (f *forms) sign(cookie string) string {
	mac := hmac.New(sha256.New, f.key)
	_, _ = mac.Write([]byte(cookie))
	return hex.EncodeToString(mac.Sum(nil))
}

// check refuses a form that is not of one of our pages. The form is parsed.
func (f *forms) check(r *http.Request) error {
	c, err := r.Cookie(formCookie)
	if err != nil || !hmac.Equal([]byte(f.sign(c.Value)), []byte(r.PostForm.Get("token"))) {
		return errOutdated
	}
	return nil
}

// own lets requests to change something pass only from where they may come.
func (f *forms) own(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if f.origin.Check(r) != nil {
			return errForeign
		}
		return next(w, r)
	}
}
