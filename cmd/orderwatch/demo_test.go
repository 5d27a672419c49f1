package main

import (
	"context"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/alexandrite/orderwatch/testbed/server"
)

var update = flag.Bool("update", false, "write the screenshots of docs/screenshots anew")

// TestTheDemoInABrowser opens the demo as a visitor does: the flow map, from there a stuck order,
// on its page the timeline and the evidence.
func TestTheDemoInABrowser(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	demo, err := server.StartCommand(ctx, server.CommandOptions{
		Name: "demo", Argv: []string{self, commandWord, "demo", "--listen", "{listen}", "--data", "{dir}/data"}, Ready: "/readyz", Patience: 3 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := demo.Stop(); err != nil {
			t.Error(err)
		}
	})
	browser := startBrowser(t, ctx)

	browser.open(demo.URL() + "/")
	if late := browser.text("h1"); !strings.Contains(late, "orders late") || !strings.Contains(late, "lost time in stage") {
		t.Errorf("the first line is %q", late)
	}
	stages := browser.count(".map .stage")
	if stages != 14 {
		t.Errorf("the map has %d stages, want 14", stages)
	}
	if browser.count(".map .has-stuck") == 0 {
		t.Error("no stage of the map has stuck orders")
	}
	browser.picture("overview")

	browser.open(demo.URL() + "/orders?stage=price-to-crm&verdict=stuck")
	address := browser.attribute("table a[href^='/orders/']", "href")
	browser.open(demo.URL() + address)
	if browser.count(".waterfall .lane") < 5 {
		t.Error("the order's timeline has fewer than five lanes")
	}
	if page := browser.text("main"); !strings.Contains(page, "Stuck in price-to-crm") || !strings.Contains(page, "shop-db has sent everything") {
		t.Errorf("the order's page does not prove where it is stuck:\n%.1500s", page)
	}
	browser.picture("order")
	browser.open(demo.URL() + "/sources")
	browser.picture("sources")
}

// browser is headless Chromium at a desk's width.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func startBrowser(t *testing.T, ctx context.Context) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	size := emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 1000, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
		t.Fatalf("start browser (the tests need Debian's chromium): %v", err)
	}
	return &browser{t, ctx}
}

func (b *browser) open(address string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("open %s: %v", address, err)
	}
}

func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("evaluate %s: %v", script, err)
	}
	return value
}

func (b *browser) text(selector string) string {
	return evaluate[string](b, `document.querySelector("`+selector+`").textContent`)
}

func (b *browser) attribute(selector, name string) string {
	return evaluate[string](b, `document.querySelector("`+selector+`").getAttribute("`+name+`")`)
}

func (b *browser) count(selector string) int {
	return evaluate[int](b, `document.querySelectorAll("`+selector+`").length`)
}

// picture takes a screenshot, and keeps it for the docs where -update asks for it.
func (b *browser) picture(name string) {
	b.t.Helper()
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(image) < 10_000 {
		b.t.Errorf("the picture of %s is empty", name)
	}
	if !*update {
		return
	}
	path := filepath.Join("../../docs/screenshots", name+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
