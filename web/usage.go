package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/ident"
	usages "bailiwick/internal/usage"
	"bailiwick/internal/workspace"
	"bailiwick/views/ui"
	"bailiwick/views/usage"
)

// periods are the lengths of time a report can be about, in days.
var periods = []int{7, 1, 30, 90, 365}

// showUsage answers GET /workspaces/:workspace/usage.
func (s *Server) showUsage(c echo.Context) error {
	report, err := s.report(c, here(c))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, usage.Report(report), func() (templ.Component, error) {
		chrome, err := s.chrome(c, "Usage", atUsage)
		return usage.Index(usage.IndexProps{Chrome: chrome, Workspace: here(c).Name, Report: report}), err
	})
}

func (s *Server) report(c echo.Context, w workspace.Workspace) (usage.ReportProps, error) {
	l := list(c, usageURL(w.ID))
	days := periods[0]
	for _, p := range periods {
		if strconv.Itoa(p) == l.get("period") {
			days = p
		}
	}
	f := usages.Filter{Failed: l.get("status") == "failed", After: l.after(), Limit: pageSize}
	if id, err := ident.ParseModel(l.get("model")); err == nil {
		f.Model = id
	}
	r, err := s.Usage.Report(c.Request().Context(), actor(c), w.ID, days, f)
	if err != nil {
		return usage.ReportProps{}, err
	}
	p := usage.ReportProps{
		URL: l.url, Periods: periodOptions(days), Models: usedModels(r.Models, f.Model), Statuses: statusOptions(f.Failed),
		Sums: sums(r.Sum), Chart: chart(r.Days), Calls: usage.CallsProps{Pager: l.pager(len(r.Calls), r.Next)},
	}
	if f.Failed || f.Model != "" {
		p.ClearURL = l.with("model", "", "status", "")
	}
	for _, call := range r.Calls {
		p.Calls.Rows = append(p.Calls.Rows, callRow(call))
	}
	return p, nil
}

func periodOptions(days int) []ui.Option {
	options := make([]ui.Option, len(periods))
	for i, p := range periods {
		label := "Last " + strconv.Itoa(p) + " days"
		if p == 1 {
			label = "Today"
		}
		options[i] = ui.Option{Value: strconv.Itoa(p), Label: label, Selected: p == days}
	}
	return options
}

func usedModels(used []usages.ByModel, chosen ident.Model) []ui.Option {
	options := []ui.Option{{Label: "All models", Selected: chosen == ""}}
	for _, u := range used {
		if u.Model != "" {
			options = append(options, ui.Option{Value: string(u.Model), Label: string(u.Model), Selected: u.Model == chosen})
		}
	}
	return options
}

func statusOptions(failed bool) []ui.Option {
	return []ui.Option{{Label: "All calls", Selected: !failed}, {Value: "failed", Label: "Refused or failed", Selected: failed}}
}

func sums(s usages.Sum) []usage.Sum {
	return []usage.Sum{
		{Label: "Calls", Value: number(s.Calls), Note: number(s.Failed) + " refused or failed"},
		{Label: "Tokens in", Value: number(s.Input)},
		{Label: "Tokens out", Value: number(s.Output)},
		{Label: "Tokens", Value: number(s.Input + s.Output)},
	}
}

func chart(days []usages.Day) usage.Chart {
	p := usage.Chart{Title: "Tokens a day", Unit: "tokens"}
	for _, d := range days {
		n := d.Input + d.Output
		p.Bars = append(p.Bars, usage.Bar{Label: d.Day.Format("2 Jan"), Value: int64(n), Text: number(n)})
	}
	return p
}

var dialects = map[string]string{"openai": "OpenAI", "dashscope": "DashScope", "anthropic": "Anthropic"}

func callRow(r usages.Listed) usage.Call {
	c := usage.Call{
		Time: ui.Time{Text: r.At.UTC().Format("2 Jan 2006, 15:04:05"), ISO: r.At.UTC().Format(time.RFC3339)}, RequestID: string(r.Call),
		Key: orElse(r.KeyDescription, string(r.Key)), Model: string(r.Model), Dialect: orElse(dialects[r.Dialect], r.Dialect),
		Source: string(r.Source), Status: r.Status, Code: r.Code, Duration: duration(r.Duration),
	}
	if r.Source != usages.Nothing {
		c.In, c.Out, c.Total = number(r.Input), number(r.Output), number(r.Input+r.Output)
	}
	return c
}
