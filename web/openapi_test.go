package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// apiSpec is the OpenAPI document, as far as the tests need it.
type apiSpec struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]struct{ Get, Post operation }
}

type operation struct {
	Parameters []struct{ Name, In string }
	Responses  map[string]struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
}

func readSpec(t *testing.T) (apiSpec, *jsonschema.Compiler) {
	t.Helper()
	w := get(t, newServer(t, busy()), "/api/v1/openapi.json")
	wantStatus(t, w, http.StatusOK)
	var spec apiSpec
	if err := json.Unmarshal(w.Body.Bytes(), &spec); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return spec, c
}

func TestDocumentDescribesEveryRouteAndNoOther(t *testing.T) {
	spec, _ := readSpec(t)
	var described, served []string
	for path := range spec.Paths {
		described = append(described, path)
	}
	s := newServer(t, busy())
	for _, rt := range slices.Concat(s.apiRoutes(), s.apiPostRoutes()) {
		served = append(served, rt.path)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described %v, served %v", described, served)
	}
	for path, known := range map[string][]string{"/api/v1/orders": orderFields, "/api/v1/incidents": incidentFields} {
		var fields []string
		for _, p := range spec.Paths[path].Get.Parameters {
			fields = append(fields, p.Name)
		}
		for _, field := range known {
			if field != "lang" && !slices.Contains(fields, field) {
				t.Errorf("query field %s of %s is not described", field, path)
			}
		}
	}
}

func TestAnswersFitTheDocument(t *testing.T) {
	spec, compiler := readSpec(t)
	full, down, empty := newServer(t, busy()), newServer(t, &fakeReader{err: errDown}), newServer(t, &fakeReader{})
	paths := []string{"/api/v1/flow", "/api/v1/orders", "/api/v1/orders?verdict=stuck&limit=2", "/api/v1/orders?limit=0", "/api/v1/sources", "/api/v1/sources?x=1",
		"/api/v1/openapi.json", "/api/v1/orders/777", "/api/v1/orders/none", "/api/v1/orders/1042?x=1",
		"/api/v1/handoffs", "/api/v1/handoffs?x=1", "/api/v1/incidents", "/api/v1/incidents?state=open&limit=2", "/api/v1/incidents?state=late", "/api/v1/incidents?cursor=x",
		"/api/v1/incidents/1", "/api/v1/incidents/9", "/api/v1/incidents/10", "/api/v1/incidents/11", "/api/v1/incidents/77", "/api/v1/incidents/x", "/api/v1/incidents/1?x=1"}
	for _, row := range busy().rows {
		if row.ID < 100 {
			paths = append(paths, "/api/v1/orders/"+url.PathEscape(rowKeys(full.flow, row)[0].Value))
		}
	}
	for name, s := range map[string]*Server{"full": full, "down": down, "empty": empty} {
		for _, path := range paths {
			t.Run(name+" "+path, func(t *testing.T) { checkAnswer(t, spec, compiler, path, get(t, s, path)) })
		}
	}
}

var codes = regexp.MustCompile(`[~/]`)

func checkAnswer(t *testing.T, spec apiSpec, c *jsonschema.Compiler, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	path, _, _ := strings.Cut(target, "?")
	method := "get"
	if strings.HasPrefix(path, "/api/v1/orders/") {
		_, verb, change := strings.Cut(strings.TrimPrefix(path, "/api/v1/orders/"), "/")
		path = "/api/v1/orders/{key}"
		if change {
			path, method = path+"/"+verb, "post"
		}
	}
	if strings.HasPrefix(path, "/api/v1/incidents/") {
		path = "/api/v1/incidents/{id}"
	}
	described := spec.Paths[path].Get
	if method == "post" {
		described = spec.Paths[path].Post
	}
	status := http.StatusText(w.Code)
	code := w.Result().Status[:3]
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if _, ok := described.Responses[code].Content[kind]; !ok {
		t.Fatalf("answer %s %s of type %q is not described", code, status, kind)
	}
	pointer := "file:///openapi.json#"
	for _, part := range []string{"paths", path, method, "responses", code, "content", kind, "schema"} {
		pointer += "/" + url.PathEscape(codes.ReplaceAllStringFunc(part, func(s string) string { return map[string]string{"~": "~0", "/": "~1"}[s] }))
	}
	schema, err := c.Compile(pointer)
	if err != nil {
		t.Fatal(err)
	}
	body, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(body); err != nil {
		t.Error(err)
	}
}
