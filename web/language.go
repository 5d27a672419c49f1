package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const languageCookie = "lang"

// text is one entry of a catalogue: a string, or one string a plural form.
type text struct {
	plain string
	forms map[string]string // by CLDR name: one, few, many, other
}

// UnmarshalJSON reads "text" or {"one": "text", "other": "text"}.
func (t *text) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &t.plain) == nil {
		return nil
	}
	return json.Unmarshal(b, &t.forms)
}

// locale is one language: its texts and how it writes numbers. It is immutable.
type locale struct {
	tag     language.Tag
	Code    string // en, ru
	texts   map[string]text
	printer *message.Printer
}

// languages are all locales, and the choice between them.
type languages struct {
	all     []*locale // the first is the default
	matcher language.Matcher
}

func loadLanguages() (*languages, error) {
	l := &languages{}
	var tags []language.Tag
	for _, code := range []string{"en", "ru"} {
		content, err := files.ReadFile("message/" + code + ".json")
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		tag := language.MustParse(code)
		loc := &locale{tag: tag, Code: code, printer: message.NewPrinter(tag)}
		if err := json.Unmarshal(content, &loc.texts); err != nil {
			return nil, fmt.Errorf("read messages of %s: %w", code, err)
		}
		l.all = append(l.all, loc)
		tags = append(tags, tag)
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

// choose returns the language of a request: the one switched to, else the browser's. A switch is
// remembered in a cookie; it changes nothing but how pages read, so a GET may do it.
func (l *languages) choose(w http.ResponseWriter, r *http.Request) *locale {
	if loc := l.byCode(r.URL.Query().Get("lang")); loc != nil {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: loc.Code, Path: "/", HttpOnly: true,
			SameSite: http.SameSiteLaxMode, MaxAge: int((365 * 24 * time.Hour).Seconds())})
		return loc
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if loc := l.byCode(c.Value); loc != nil {
			return loc
		}
	}
	_, i := language.MatchStrings(l.matcher, r.Header.Get("Accept-Language"))
	return l.all[i]
}

func (l *languages) byCode(code string) *locale {
	for _, loc := range l.all {
		if loc.Code == code {
			return loc
		}
	}
	return nil
}

// T returns the text with that key. Args are pairs of placeholder name and value; the value of "n"
// chooses the plural form. A key that is missing shows as itself: tests find it, users are not stopped.
func (l *locale) T(key string, args ...any) string {
	entry, ok := l.texts[key]
	if !ok {
		return key
	}
	out := entry.plain
	if entry.forms != nil {
		out = entry.forms["other"]
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		name := fmt.Sprint(args[i])
		if n, isInt := args[i+1].(int); isInt && name == "n" && entry.forms != nil {
			out = entry.forms[l.form(n)]
		}
		pairs = append(pairs, "{"+name+"}", l.write(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(out)
}

// Has reports whether the catalogue has the key.
func (l *locale) Has(key string) bool { _, ok := l.texts[key]; return ok }

// Number writes an integer with the language's grouping.
func (l *locale) Number(n int) string { return l.printer.Sprintf("%d", n) }

func (l *locale) write(v any) string {
	if n, ok := v.(int); ok {
		return l.Number(n)
	}
	return fmt.Sprint(v)
}

// form returns the CLDR name of the plural form of n.
func (l *locale) form(n int) string {
	switch plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0) {
	case plural.One:
		return "one"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}
