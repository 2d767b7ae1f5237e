package web

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	usages "bailiwick/internal/usage"
	"bailiwick/views/ui"
	"bailiwick/views/usage"
)

// mostLines is how many lines the table of sums shows; the file has all.
const mostLines = 100

// dimensionWords are the nouns of dimensions, the heads of their columns, the
// parameters that choose one of them, and what a line without a name is about.
var dimensionWords = map[usages.Dimension]struct{ noun, head, param, nameless string }{
	usages.ByModel:     {"model", "Model", "model", "No model of the catalogue"},
	usages.ByKey:       {"API key", "API key", "key", "The console"},
	usages.ByMember:    {"member", "Member", "member", "Nobody any more"},
	usages.ByWorkspace: {"workspace", "Workspace", "workspace", ""},
	usages.BySource:    {"source", "Counted by", "", "Nothing was consumed"},
	usages.ByCode:      {"outcome", "Outcome", "", "Succeeded"},
}

var showWords = map[string]string{"tokens": "Tokens", "cost": "Cost", "calls": "Calls"}

// usageReport fills what the filters replace.
func (s *Server) usageReport(c echo.Context) (usage.ReportProps, error) {
	a := s.usageAsked(c)
	p := usage.ReportProps{URL: a.url}
	r, err := usages.Report{}, a.bad
	if err == nil {
		r, err = s.Usage.Report(c.Request().Context(), actor(c), a.Question)
	}
	f, ok := fault.On(err, "from")
	if !ok {
		f, ok = fault.On(err, "to")
	}
	if ok {
		p.Notice = &ui.Notice{Tone: ui.Bad, Title: "These days cannot be shown", Text: f.Message}
		return p, nil
	}
	if err != nil {
		return p, err
	}
	calls, next, err := s.Usage.Calls(c.Request().Context(), actor(c), a.Filter, usages.Page{After: a.after(), Limit: pageSize})
	if err != nil {
		return p, err
	}
	p.Span, p.Sums, p.Chart, p.Lines = days(r.From, r.To)+", UTC", usageSums(r), a.chart(r), a.lines(r)
	p.Chips = a.chips(r, calls)
	p.Calls = usage.CallsProps{Pager: a.pager(len(calls), next), Workspaces: a.Workspace == "", CSV: a.file("calls.csv")}
	for _, call := range calls {
		p.Calls.Rows = append(p.Calls.Rows, callRow(a.listed, call))
	}
	if p.Beside, err = s.usageBeside(c, a); err != nil {
		return p, err
	}
	p.BesideAll = a.Workspace == ""
	if len(p.Chips) > 0 {
		p.Cleared = a.with("model", "", "key", "", "member", "", "workspace", "", "status", "")
	}
	return p, nil
}

// file is the address of a file about the same.
func (a asked) file(name string) string {
	l := a.listed
	l.url += "/" + name
	return l.with()
}

// days words a time: the last day is in it.
func days(from, to time.Time) string {
	to = to.Add(-oneDay)
	first := from.Format("2 Jan 2006")
	switch {
	case from.Equal(to):
		return first
	case from.Year() == to.Year() && from.Month() == to.Month():
		first = from.Format("2")
	case from.Year() == to.Year():
		first = from.Format("2 Jan")
	}
	return first + "–" + to.Format("2 Jan 2006")
}

// shortDays are days of a time that is known from elsewhere.
func shortDays(from, to time.Time) string {
	text := days(from, to)
	return strings.TrimSuffix(text, " "+strconv.Itoa(to.Add(-oneDay).Year()))
}

func (a asked) chips(r usages.Report, calls []usages.Listed) (chips []usage.Chip) {
	var some usages.Listed // of the calls chosen, any knows the names
	if len(calls) > 0 {
		some = calls[0]
	}
	add := func(label, param, value, name string) {
		if value != "" {
			chips = append(chips, usage.Chip{Label: label, Value: cmp.Or(name, value), URL: a.with(param, "")})
		}
	}
	add("Model", "model", string(a.Model), "")
	add("API key", "key", string(a.Key), some.KeyDescription)
	add("Member", "member", string(a.Member), some.MemberName)
	add("Workspace", "workspace", a.get("workspace"), some.WorkspaceName)
	if a.Failed {
		add("Status", "status", "Refused or failed", "")
	}
	return chips
}

func usageSums(r usages.Report) []usage.Sum {
	against := " from " + shortDays(r.From.Add(-r.To.Sub(r.From)), r.From)
	sum := func(label string, now, before int, note string) usage.Sum {
		return usage.Sum{Label: label, Value: number(now), Note: note, Change: change(int64(now), int64(before), against)}
	}
	cost := usage.Sum{Label: "Cost", Value: cmp.Or(costs(r.Sum.Costs), "–")}
	if len(r.Sum.Costs) == 1 {
		for currency, n := range r.Sum.Costs {
			cost.Change = change(n, r.Before.Costs[currency], against)
		}
	}
	return []usage.Sum{
		sum("Calls", r.Sum.Calls, r.Before.Calls, number(r.Sum.Failed)+" refused or failed"),
		sum("Tokens in", r.Sum.Input, r.Before.Input, when(r.Sum.Cached > 0, number(r.Sum.Cached)+" cached")),
		sum("Tokens out", r.Sum.Output, r.Before.Output, when(r.Sum.Reasoning > 0, number(r.Sum.Reasoning)+" reasoning")),
		cost,
	}
}

// change compares with the time before.
func change(now, before int64, against string) string {
	if before == 0 {
		return when(now > 0, strings.Replace(against, " from", "none in", 1))
	}
	percent := (float64(now)/float64(before) - 1) * 100
	switch {
	case percent >= 1000:
		return "×" + strconv.FormatFloat(percent/100+1, 'f', 0, 64) + against
	case percent > -0.5 && percent < 0.5:
		return "the same" + against
	case percent < 0:
		return "−" + strconv.FormatFloat(-percent, 'f', 0, 64) + " %" + against
	}
	return "+" + strconv.FormatFloat(percent, 'f', 0, 64) + " %" + against
}

func (a asked) lineLabel(l usages.Line) string {
	return cmp.Or(l.Label, l.Name, dimensionWords[a.By].nameless)
}

func (a asked) lines(r usages.Report) usage.LinesProps {
	words := dimensionWords[a.By]
	p := usage.LinesProps{Title: "By " + words.noun, Head: words.head, More: max(0, len(r.Lines)-mostLines), CSV: a.file("sums.csv")}
	for i, l := range r.Lines[:min(len(r.Lines), mostLines)] {
		row := usage.Line{
			Label: a.lineLabel(l), Calls: number(l.Calls), Failed: number(l.Failed), In: number(l.Input), Out: number(l.Output), Total: number(l.Tokens()),
			Cost: costs(l.Costs), Share: shareOf(l.Sum, r.Sum), Part: min(i, len(r.Top)),
		}
		if words.param != "" && l.Name != "" {
			row.URL = a.with(words.param, l.Name)
		}
		if l.Label != "" && l.Label != l.Name && a.By == usages.ByKey {
			row.Code = l.Name
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// shareOf is what part of all tokens somebody has, or of all calls where there
// are no tokens, in thousandths.
func shareOf(one, all usages.Sum) int {
	if all.Tokens() > 0 {
		return one.Tokens() * 1000 / all.Tokens()
	}
	return one.Calls * 1000 / max(1, all.Calls)
}

func callRow(l listed, r usages.Listed) usage.Call {
	c := usage.Call{
		Time: ui.Time{Text: r.At.UTC().Format("2 Jan 2006, 15:04:05"), ISO: r.At.UTC().Format(time.RFC3339)}, URL: callURL(l, r), RequestID: string(r.Call),
		Workspace: cmp.Or(r.WorkspaceName, string(r.Workspace)), Key: cmp.Or(r.KeyDescription, string(r.Key)), Model: string(r.Model),
		Source: string(r.Source), Status: r.Status, Code: r.Code, Duration: duration(r.Duration),
	}
	if r.Source != usages.Nothing {
		c.In, c.Out = number(r.Input), number(r.Output)
	}
	if r.Currency != "" {
		c.Cost = costs(usages.Costs{r.Currency: r.Cost})
	}
	return c
}

// callURL is the address of one call's drawer over this list.
func callURL(l listed, r usages.Listed) string {
	return l.carried(l.url + "/calls/" + string(r.Call) + "." + strconv.FormatInt(r.At.UnixMicro(), 10))
}

var dialects = map[string]string{"openai": "OpenAI", "dashscope": "DashScope", "anthropic": "Anthropic"}

func callFacts(r usages.Listed) []usage.Fact {
	facts := []usage.Fact{
		{Label: "Request ID", Text: string(r.Call), ID: true},
		{Label: "Time", Text: r.At.UTC().Format("2 Jan 2006, 15:04:05.000 UTC")},
		{Label: "Workspace", Text: cmp.Or(r.WorkspaceName, string(r.Workspace))},
		{Label: "API key", Text: cmp.Or(r.KeyDescription, string(r.Key))},
		{Label: "Member", Text: cmp.Or(r.MemberName, string(r.Member))},
		{Label: "Model", Text: string(r.Model)},
		{Label: "Dialect", Text: cmp.Or(dialects[r.Dialect], r.Dialect)},
		{Label: "Answer", Text: map[bool]string{true: "streamed", false: "whole"}[r.Stream]},
		{Label: "Duration", Text: duration(r.Duration)},
		{Label: "First byte after", Text: when(r.FirstByte > 0, duration(r.FirstByte))},
	}
	if r.Source == usages.Nothing {
		return facts
	}
	facts = append(facts,
		usage.Fact{Label: "Tokens in", Text: number(r.Input) + when(r.Cached > 0, ", of them "+number(r.Cached)+" cached")},
		usage.Fact{Label: "Tokens out", Text: number(r.Output) + when(r.Reasoning > 0, ", of them "+number(r.Reasoning)+" reasoning")},
		usage.Fact{Label: "Counted by", Text: string(r.Source)})
	if r.Currency != "" {
		facts = append(facts, usage.Fact{Label: "Cost", Text: costs(usages.Costs{r.Currency: r.Cost}) + ", at the prices of version " + number(r.PriceVersion) + " of the model"})
	}
	return facts
}
