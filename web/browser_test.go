package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// complaints collects what the browser has to say against a page.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) listen(ev any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		c.list = append(c.list, ev.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		c.list = append(c.list, fmt.Sprintf("console %s", ev.Type))
	case *log.EventEntryAdded:
		c.list = append(c.list, ev.Entry.Text+" "+ev.Entry.URL)
	}
}

func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.list
	c.list = nil
	return out
}

func startBrowser(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	deadline, cancelDeadline := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancelDeadline)
	allocator, cancelAllocator := chromedp.NewExecAllocator(deadline, options...)
	t.Cleanup(cancelAllocator)
	c := &complaints{}
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(c.listen))
	t.Cleanup(cancel)
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatalf("start browser (the tests need Debian's chromium): %v", err)
	}
	return ctx, c
}

// look is one way to look at a page.
type look struct {
	width        int64
	scheme, lang string
}

// TestPagesInABrowser opens every page at phone and desk width, light and dark, in both languages.
// Its pictures are kept with go test -artifacts.
func TestPagesInABrowser(t *testing.T) {
	server := httptest.NewServer(newServer(t, busy()))
	t.Cleanup(server.Close)
	ctx, browser := startBrowser(t)
	pictures := t.ArtifactDir()
	for _, l := range []look{{390, "light", "ru"}, {390, "dark", "en"}, {1440, "light", "en"}, {1440, "dark", "ru"}} {
		emulate(t, ctx, l)
		for name, path := range pagePaths() {
			t.Run(fmt.Sprintf("%s %d %s %s", name, l.width, l.scheme, l.lang), func(t *testing.T) {
				sep := "?"
				if strings.Contains(path, "?") {
					sep = "&"
				}
				picture := openPage(t, ctx, server.URL+path+sep+"lang="+l.lang)
				for _, complaint := range browser.take() {
					// An error page's own status is itself what the browser logs; nothing else is expected.
					if !strings.Contains(complaint, server.URL+path) {
						t.Errorf("browser: %s", complaint)
					}
				}
				file := filepath.Join(pictures, fmt.Sprintf("%s-%d-%s.png", name, l.width, l.scheme))
				if err := os.WriteFile(file, picture, 0o600); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func emulate(t *testing.T, ctx context.Context, l look) {
	t.Helper()
	size := emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: 900, DeviceScaleFactor: 1, Mobile: l.width < 500}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

// openPage checks that nothing is cut or scrolls sideways, and returns the page's picture.
func openPage(t *testing.T, ctx context.Context, address string) []byte {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil {
		t.Fatal(err)
	}
	if overflow > 0 {
		t.Errorf("the page scrolls sideways by %d px", overflow)
	}
	cut, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](cutText))
	if err != nil {
		t.Fatal(err)
	}
	if len(cut) > 0 {
		t.Errorf("cut text: %q", cut)
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// cutText lists elements whose text does not fit into them.
const cutText = `[...document.querySelectorAll('main a, main b, main p, main h1, main h2, main h3, main td, main small, main span, main dd, .scroll')]
	.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' && e.clientWidth > 0)
	.map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 60))`
