package app

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/alexandrite/orderwatch"

// layout is the import table of docs/architecture.md: what each part may import of ours. A part
// may always import what lies in its own folder.
var layout = map[string][]string{
	"order":                {},
	"sla":                  {"order"},
	"forecast":             {"order"},
	"store":                {"order", "sla"},
	"collector":            {"order", "sla"},
	"exporters":            {"order"},
	"replay":               {"order", "sla"},
	"traces":               {"order", "sla"},
	"dashboards":           {"order"},
	"alerts":               {"order"},
	"web":                  {"order", "sla", "forecast"},
	"config":               {"order", "collector", "exporters", "telemetry", "web"},
	"telemetry":            {},
	"testbed":              {"order", "exporters"},
	"examples":             {},
	"app":                  {"*"},
	"cmd/orderwatch":       {"app", "replay", "order", "exporters", "config", "telemetry", "testbed", "examples"},
	"cmd/orderwatch-bench": {"*"},
}

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func goPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// part returns the folder of the table that a package of ours belongs to, "" for another's.
func part(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	first, after, _ := strings.Cut(rest, "/")
	if first == "cmd" {
		command, _, _ := strings.Cut(after, "/")
		return "cmd/" + command
	}
	return first
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range goPackages(t) {
		from := part(p.ImportPath)
		allowed, known := layout[from]
		if !known {
			t.Errorf("%s: %q is not in the table", p.ImportPath, from)
			continue
		}
		for _, imported := range p.Imports {
			to := part(imported)
			if to != "" && to != from && !slices.Contains(allowed, to) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s: %s may import %v only", p.ImportPath, imported, from, allowed)
			}
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range goPackages(t) {
		if len(p.Doc) < 40 {
			t.Errorf("%s: its package comment says too little: %q", p.ImportPath, p.Doc)
		}
	}
}
