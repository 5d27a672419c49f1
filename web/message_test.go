package web

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alexandrite/orderwatch/sla"
)

func testLanguages(t *testing.T) (en, ru *locale) {
	t.Helper()
	l, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	return l.byCode("en"), l.byCode("ru")
}

func TestEveryMessageExistsInBothLanguages(t *testing.T) {
	en, ru := testLanguages(t)
	for key := range en.texts {
		if !ru.Has(key) {
			t.Errorf("%s has no Russian", key)
		}
	}
	for key := range ru.texts {
		if !en.Has(key) {
			t.Errorf("%s has no English", key)
		}
	}
}

func TestMessagesOfBothLanguagesFillInTheSame(t *testing.T) {
	en, ru := testLanguages(t)
	forms := map[string][]string{"en": {"one", "other"}, "ru": {"few", "many", "one", "other"}}
	for _, loc := range []*locale{en, ru} {
		for key, x := range loc.texts {
			if got := slices.Sorted(maps.Keys(x.forms)); x.forms != nil && !slices.Equal(got, forms[loc.Code]) {
				t.Errorf("%s %s has the plural forms %v", loc.Code, key, got)
			}
			for _, form := range append(slices.Collect(maps.Values(x.forms)), x.plain) {
				if got, want := placeholders(form), placeholders(en.texts[key].plain+en.texts[key].forms["other"]); form != "" && !slices.Equal(got, want) {
					t.Errorf("%s %s fills in %v, English %v", loc.Code, key, got, want)
				}
			}
		}
	}
}

func placeholders(s string) []string {
	found := placeholder.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// usedKey finds whole keys in templates and code, and the beginnings to which code adds a value.
var usedKey = regexp.MustCompile(`"((?:[a-z_]+\.)+[a-z_]*|language)"`)

func TestEveryMessageIsUsedAndEveryUsedMessageExists(t *testing.T) {
	en, _ := testLanguages(t)
	used, begun := map[string]bool{}, map[string]bool{}
	var sources []string
	for _, pattern := range []string{"*.go", "template/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, names...)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedKey.FindAllStringSubmatch(string(content), -1) {
			if strings.HasSuffix(m[1], ".") {
				begun[m[1]] = true
			} else {
				used[m[1]] = true
			}
		}
	}
	for key := range used {
		if family, _, _ := strings.Cut(key, "."); !en.Has(key) && family != "openapi" && family != "style" && family != "icon" && family != "orders" {
			t.Errorf("%s is used and missing", key)
		}
	}
	for key := range en.texts {
		family, _, _ := strings.Cut(key, ".")
		if !used[key] && !begun[family+"."] {
			t.Errorf("%s is not used", key)
		}
	}
}

func TestEveryValueOfTheDomainHasAWord(t *testing.T) {
	en, _ := testLanguages(t)
	var keys []string
	for _, v := range []sla.Verdict{sla.VerdictOpen, sla.VerdictAtRisk, sla.VerdictStuck, sla.VerdictUnknown, sla.VerdictMet, sla.VerdictLate, sla.VerdictSkipped} {
		keys = append(keys, "verdict."+string(v))
	}
	for _, v := range []sla.PromiseVerdict{sla.PromiseOnTrack, sla.PromiseAtRisk, sla.PromiseBreached, sla.PromiseKept, sla.PromiseLate, sla.PromiseCancelled} {
		keys = append(keys, "verdict."+string(v))
	}
	for _, c := range []sla.Cause{sla.CauseLostInHandoff, sla.CauseBacklog, sla.CauseStalled, sla.CauseSlowCompute, sla.CauseWaitingForPerson, sla.CauseStarved, sla.CauseDiverged, sla.CauseUnexplained} {
		keys = append(keys, "cause."+string(c), "cause_text."+string(c))
	}
	for _, k := range []sla.AuditKind{sla.AuditStuck, sla.AuditRetracted, sla.AuditMerged, sla.AuditConflict, sla.AuditQuarantine, sla.AuditLinked, sla.AuditUnlinked} {
		keys = append(keys, "audit."+string(k))
	}
	for _, severity := range sla.Severities() {
		keys = append(keys, "severity."+string(severity))
	}
	for _, e := range allEvidence(now) {
		keys = append(keys, "evidence."+string(e.Code))
	}
	for _, key := range keys {
		if !en.Has(key) {
			t.Errorf("%s has no text", key)
		}
	}
	symbols, err := fs.ReadFile(files, "template/part.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if code, ok := strings.CutPrefix(key, "verdict."); ok && !strings.Contains(string(symbols), `id="v-`+code+`"`) {
			t.Errorf("verdict %s has no shape", code)
		}
	}
}
