package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// spread keeps calls of many models over the last days.
func (o *company) spread(ws ident.Workspace, key ident.Key, days int) {
	o.t.Helper()
	var records []usage.Record
	for d := range days {
		for i, model := range []ident.Model{"qwen-turbo", "qwen-plus", "qwen-max", "deepseek-r1", "qwen3-8b", "qwen-flash", "glm-4.7", "kimi-k2"} {
			for n := range 1 + (d*7+i*3)%5 {
				r := usage.Record{
					Call: ident.NewCall(), At: o.clock.Now().Add(-time.Duration(d)*24*time.Hour - time.Duration(n*i)*time.Minute), Account: o.account.ID, Workspace: ws, Key: key, Member: o.root.User,
					Model: model, Dialect: "openai", Input: 900 + 410*((d+i)%4), Output: 120 * (n + 1), Cached: 100 * (i % 2), Source: usage.FromProvider, Cost: int64(2300 * (i + n)), Currency: "CNY", PriceVersion: 1,
					Status: 200, Duration: time.Duration(800+100*i) * time.Millisecond, FirstByte: 90 * time.Millisecond, Stream: true,
				}
				if (d+n)%6 == 5 {
					r.Input, r.Output, r.Cached, r.Cost, r.Currency, r.Source, r.Status, r.Code = 0, 0, 0, 0, "", usage.Nothing, 429, "limit_requests"
				}
				records = append(records, r)
			}
		}
	}
	o.must(o.store.InsertUsage(o.t.Context(), records))
}

func TestBrowserUsageIsLookedAt(t *testing.T) {
	t.Parallel()
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	o.spread(o.a, k.ID, 20)
	o.spread(o.b, o.key(o.root, o.b, "nightly evaluation").ID, 3)
	b := o.chrome(t)
	b.logOn("root")
	b.open(o.at(o.a, "/usage"))
	b.sees("14–20 Nov 2026, UTC", "Tokens by model", "Others", "By model")
	b.examine("Usage")
	b.focus(b.find("combobox", "Period"))
	b.key(kb.ArrowDown)
	b.sees("from 19 Nov")
	b.open(o.at(o.a, "/usage?period=30&by=key&show=cost"))
	b.sees("Cost by API key", "the newsletter")
	b.examine("Usage by key")
	b.open(o.at(o.a, "/usage?period=30"))
	b.click("link", "qwen-plus")
	b.sees("Model: qwen-plus")
	b.examine("Usage of one model")
	first := eval[string](b, `document.querySelector("#call-list tbody [id^=call-]").textContent`)
	b.enter(b.find("link", "View", first), "dialog", "Call")
	b.sees("Request ID", "the newsletter", "at the prices of version 1")
	b.examine("panel of a call")
	b.click("button", "Close")
	b.gone("dialog", "Call")
	b.open(o.at(o.a, "/usage?period=custom&from=2026-11-20&to=2026-11-01"))
	b.sees("These days cannot be shown")
	b.examine("Usage of days that cannot be")
	b.open("/account/usage?by=workspace&period=30&show=calls")
	b.sees("Calls by workspace", "Research", "all workspaces")
	b.examine("Usage of the account")
	b.open("/account/usage?period=1")
	b.sees("20 Nov 2026, UTC")
	b.examine("Usage of a day")
	b.open(fmt.Sprintf("/account/usage?member=%s", o.root.User))
	b.sees("Member: root")
}
