package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// lost makes sure that a secret is nowhere in the page, nor in what the browser
// keeps for the console.
func (b *tab) lost(when, text string) {
	b.t.Helper()
	for what, script := range map[string]string{
		"the page":            "document.documentElement.outerHTML",
		"fields":              "[...document.querySelectorAll('input, textarea')].map(e => e.value).join(' ')",
		"storage":             "JSON.stringify(localStorage) + JSON.stringify(sessionStorage)",
		"the history state":   "JSON.stringify(history.state)",
		"the address":         "location.href",
		"the browser's cache": "fetch(location.href, {cache: 'only-if-cached', mode: 'same-origin'}).then(a => a.ok ? a.text() : '').catch(() => '')",
	} {
		if strings.Contains(eval[string](b, script), text) {
			b.t.Errorf("%s: %s holds the secret", when, what)
		}
	}
}

func TestSec36_BrowserNeitherReloadNorBackShowsAKeyAgain(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("alice")
	keys := o.at(o.a, "/keys")
	issue := func(description string) string {
		b.open(keys)
		b.click("button", "Create API Key")
		b.find("dialog", "Create API Key")
		b.fill("textbox", "Description", description)
		b.click("button", "OK")
		b.find("dialog", "API key created")
		text := secretForm.FindString(eval[string](b, "document.body.innerText"))
		if text == "" {
			t.Fatal("no secret is shown")
		}
		return text
	}

	text := issue("reloaded")
	b.must(chromedp.Do(b.ctx, chromedp.Reload()))
	b.sees("reloaded")
	b.gone("dialog", "API key created")
	b.lost("reload", text)

	text = issue("left by Done")
	b.click("button", "Done")
	b.until("the dialog to fade away", func() bool { return b.peek("String(document.querySelectorAll('dialog').length)") == "0" })
	b.lost("Done", text)

	text = issue("left open")
	b.open(o.at(o.a, "/models"))
	b.sees("Models")
	b.lost("elsewhere", text)
	eval[bool](b, "history.back(), true")
	b.isAt(keys)
	b.sees("left open")
	b.lost("back", text)
	eval[bool](b, "history.forward(), true")
	b.isAt(o.at(o.a, "/models"))
	b.lost("forward", text)
	lines := o.events("keys:issue")
	if strings.Contains(fmt.Sprint(lines), text) || len(lines) != 3 {
		t.Errorf("the trail has %d lines of 3 keys, or holds the secret", len(lines))
	}
}
