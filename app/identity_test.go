package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tell posts one status event of a source, about the order with these keys (name:value).
func tell(t *testing.T, at net.Addr, source string, seq int, status string, keys ...string) {
	t.Helper()
	system, name, _ := strings.Cut(status, "/")
	text := func(key, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, key, value)
	}
	attributes := []string{text("order.source", source), `{"key":"order.source_epoch","value":{"intValue":"1"}}`,
		fmt.Sprintf(`{"key":"order.source_seq","value":{"intValue":"%d"}}`, seq), text("order.system", system), text("order.status", name)}
	for _, k := range keys {
		name, value, _ := strings.Cut(k, ":")
		attributes = append(attributes, text("order.key."+name, value))
	}
	send(t, "http://"+at.String()+"/v1/logs", fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[%s,%s]},"scopeLogs":[{"logRecords":[
		{"eventName":"order.status","timeUnixNano":"%d","attributes":[%s]}]}]}]}`,
		text("service.name", system), text("deployment.environment.name", "prod"), time.Now().UnixNano(), strings.Join(attributes, ",")))
}

// send posts JSON and returns the answer, which must be good.
func send(t *testing.T, address, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || strings.Contains(string(answer), "rejected") {
		t.Fatalf("%s: %s", resp.Status, answer)
	}
	return string(answer)
}

// known is what the API says of an order, as far as this test looks at it.
type known struct {
	Keys    map[string]string
	Refused []string `json:"refused_keys"`
	Links   []struct{ Record int64 }
	Events  []struct{ Kind string }
	Audit   []struct{ Kind, Detail string }
}

func (k *known) audit() string {
	var kinds []string
	for _, a := range k.Audit {
		kinds = append(kinds, a.Kind)
	}
	return strings.Join(kinds, " ")
}

// look waits until an order is as wanted.
func look(t *testing.T, at net.Addr, key string, wanted func(*known) bool) *known {
	t.Helper()
	end := time.After(20 * time.Second)
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		var k known
		status, body := get(t, "http://"+at.String()+"/api/v1/orders/"+key)
		if status == http.StatusOK {
			if err := json.Unmarshal([]byte(body), &k); err != nil {
				t.Fatal(err)
			}
			if wanted(&k) {
				return &k
			}
		}
		select {
		case <-end:
			t.Fatalf("order %s stays at %d %s", key, status, body)
		case <-every.C:
		}
	}
}

func TestPeopleJoinAndPartOrdersOfARunningApp(t *testing.T) {
	dir := t.TempDir()
	const shop, mes = "shop:1042", "mes:77"
	apart := func(k *known) bool { return len(k.Keys) == 1 }
	one := func(k *known) bool { return k.Keys["shop"] == "1042" && k.Keys["mes"] == "77" }
	orders := func(t *testing.T, at net.Addr, key string) string {
		return "http://" + at.String() + "/api/v1/orders/" + key
	}

	t.Run("linked", func(t *testing.T) {
		at, _ := startApp(t, dir)
		tell(t, at.HTTP, "shop-db", 1, "shop/SUBMITTED", shop)
		tell(t, at.HTTP, "mes-db", 1, "mes/SUBMITTED", mes)
		look(t, at.Web, shop, apart)
		look(t, at.Web, mes, apart)
		send(t, orders(t, at.Web, shop)+"/link", `{"key":"77","by":"Anna","note":"one file"}`)
		k := look(t, at.Web, mes, one)
		if len(k.Events) != 3 || !strings.Contains(k.audit(), "merged linked") || !strings.Contains(k.Audit[len(k.Audit)-1].Detail, "by Anna: one file") {
			t.Errorf("%+v", k)
		}
		if _, page := get(t, "http://"+at.Web.String()+"/orders"); strings.Count(page, `href="/orders/1042"`) != 1 || strings.Contains(page, `href="/orders/77"`) {
			t.Error("the list does not show one order")
		}
		if _, page := get(t, "http://"+at.Web.String()+"/orders/77"); !strings.Contains(page, "by Anna (record 3)") {
			t.Error("the page does not say who joined it")
		}
	})
	t.Run("unlinked after a restart", func(t *testing.T) {
		at, _ := startApp(t, dir)
		k := look(t, at.Web, mes, one)
		tell(t, at.HTTP, "mes-db", 2, "mes/CALCULATION_STARTED", mes, shop)
		look(t, at.Web, mes, func(k *known) bool { return len(k.Events) == 4 })
		send(t, orders(t, at.Web, mes)+"/unlink", fmt.Sprintf(`{"record":%d,"by":"Boris"}`, k.Links[0].Record))
		k = look(t, at.Web, mes, apart)
		if !slices.Equal(k.Refused, []string{shop}) || !strings.Contains(k.audit(), "unlinked") {
			t.Errorf("%+v", k)
		}
		k = look(t, at.Web, shop, apart)
		if !strings.HasSuffix(k.audit(), "unlinked") || len(k.Events) != 3 {
			t.Errorf("%+v", k)
		}
		tell(t, at.HTTP, "mes-db", 3, "mes/PRICE_CALCULATED", mes, shop)
		look(t, at.Web, mes, func(k *known) bool { return apart(k) && len(k.Events) == 4 })
	})
	t.Run("linked again by the page after another restart", func(t *testing.T) {
		at, _ := startApp(t, dir)
		look(t, at.Web, mes, apart)
		look(t, at.Web, shop, apart)
		submitForm(t, "http://"+at.Web.String()+"/orders/77", url.Values{"key": {shop}, "by": {"Anna"}})
		k := look(t, at.Web, shop, one)
		if len(k.Refused) != 0 || len(k.Events) != 8 {
			t.Errorf("%+v", k)
		}
		waitFor(t, at.Web, `orderwatch_orders_in_stage`)
	})
}

// submitForm links orders as a browser does: by the form on the page.
func submitForm(t *testing.T, page string, form url.Values) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	defer browser.CloseIdleConnections()
	ask := func(method, address string, body io.Reader) string {
		req, err := http.NewRequestWithContext(t.Context(), method, address, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %v %s", method, address, resp.StatusCode, err, text)
		}
		return string(text)
	}
	token := regexp.MustCompile(`name="token" value="([0-9a-f]+)"`).FindStringSubmatch(ask(http.MethodGet, page, nil))
	if token == nil {
		t.Fatal("the page has no form")
	}
	form.Set("token", token[1])
	if after := ask(http.MethodPost, page+"/link", strings.NewReader(form.Encode())); !strings.Contains(after, "by "+form.Get("by")) {
		t.Error("the page it leads back to does not show the link")
	}
}
