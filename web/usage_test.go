package web_test

import (
	"fmt"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// called keeps some calls of a workspace.
func (o *company) called(ws ident.Workspace, key ident.Key, model ident.Model, count int) {
	o.t.Helper()
	var records []usage.Record
	for i := range count {
		r := usage.Record{
			Call: ident.NewCall(), At: o.clock.Now().Add(-time.Duration(i) * time.Minute), Account: o.account.ID, Workspace: ws, Key: key, Model: model,
			Dialect: "openai", Input: 1200, Output: 34, Source: usage.FromProvider, Status: 200, Duration: 1240 * time.Millisecond,
		}
		if i%2 == 1 {
			r.Input, r.Output, r.Source, r.Status, r.Code = 0, 0, usage.Nothing, 403, "Model.AccessDenied"
		}
		records = append(records, r)
	}
	o.must(o.store.InsertUsage(o.t.Context(), records))
}

func TestUsageIsSummedAndListed(t *testing.T) {
	o := start(t)
	o.get("alice", o.at(o.a, "/usage")).is(200).says("Usage", "No calls yet", "Last 7 days")
	k := o.key(o.root, o.a, "the newsletter")
	o.called(o.a, k.ID, "qwen-turbo", 4)
	o.called(o.a, k.ID, "qwen-plus", 2)
	o.called(o.b, k.ID, "deepseek-r1", 1)
	page := o.get("alice", o.at(o.a, "/usage")).is(200)
	page.says("Calls 6 3 refused or failed", "Tokens in 3,600", "Tokens out 102", "the newsletter", "qwen-turbo", "1,234", "provider", "1.24 s", "Model.AccessDenied", "OpenAI", "Tokens a day")
	page.hides("deepseek-r1")
	o.get("alice", o.at(o.a, "/usage?model=qwen-plus")).says("qwen-plus").hides(`>qwen-turbo</td>`)
	o.ask("alice", "GET", o.at(o.a, "/usage?status=failed&period=30"), nil, part).is(200).says("403", "Last 30 days"[:0]).hides("<html", "1.24 s</td><td>200")
	o.get("alice", o.at(o.a, "/usage?period=99999")).is(200)
}

func TestUsageIsWalkedThroughPageByPage(t *testing.T) {
	o := start(t)
	o.called(o.a, "", "qwen-turbo", 60)
	one := o.get("alice", o.at(o.a, "/usage?period=1")).is(200).says(fmt.Sprint("1–50"))
	o.get("alice", linkTo(t, one, "Next")).is(200).says("51–60")
}
