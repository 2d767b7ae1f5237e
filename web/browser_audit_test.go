package web_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestBrowserTheTrailIsReadAndVerified(t *testing.T) {
	t.Parallel()
	o := start(t)
	k := o.key(o.root, o.a, "nightly")
	o.noted(o.root, o.a, "root was in Marketing")
	o.post("bob", o.at(o.a, "/keys"), "description", "x").is(403)
	o.config.Trail.Flush()
	b := o.chrome(t)
	b.logOn("root")
	b.open("/account/audit")
	b.sees("Every change, log-on and refusal", "Created an API key", "Was refused keys:issue", "The chain was not verified")
	b.examine("Audit")
	b.fill("searchbox", "Search events", "nightly")
	b.until("the list to be filtered", func() bool { return b.peek("String(document.querySelectorAll('#event-list tbody tr').length)") == "1" })
	b.click("link", "View")
	b.find("dialog", "Created an API key \"nightly\"")
	b.sees("Before and after", "nightly", "Hash before", string(k.ID))
	b.examine("an event")
	b.key(kb.Escape)
	b.gone("dialog", "Created an API key \"nightly\"")
	b.fill("searchbox", "Search events", "nothing fits this")
	b.sees("No event fits")
	b.examine("no event fits")
	b.click("link", "Show every event")
	b.tabTo("button", "Verify the chain")
	b.key(kb.Enter)
	b.sees("Chain verified up to line", "The chain is whole")
	b.examine("a whole chain")
	b.open(o.at(o.a, "/audit?result=refused"))
	b.sees("What was done in Marketing", "Was refused keys:issue", "whole.")
	b.seesNot("Created an API key")
	b.examine("Audit of a workspace")
}
