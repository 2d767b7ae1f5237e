package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	usages "bailiwick/internal/usage"
	"bailiwick/views/ui"
	"bailiwick/views/usage"
)

// showUsage answers GET /workspaces/:workspace/usage and GET /account/usage.
func (s *Server) showUsage(c echo.Context) error {
	report, err := s.usageReport(c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if report.Notice != nil {
		status = http.StatusUnprocessableEntity
	}
	return s.show(c, status, usage.Report(report), func() (templ.Component, error) { return s.usageFrame(c, report, nil) })
}

// showCall answers GET …/usage/calls/:call: the drawer of one call. Its time is
// part of its name there, because calls are found by it.
func (s *Server) showCall(c echo.Context) error {
	name, moment, _ := strings.Cut(param(c, "call"), ".")
	id, err := ident.ParseCall(name)
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(moment, 10, 64)
	if err != nil {
		return fault.NoSuch("call")
	}
	r, err := s.Usage.Call(c.Request().Context(), actor(c), usageOf(c), id, time.UnixMicro(at))
	if err != nil {
		return err
	}
	l := listBehind(c, usageAddress(c))
	p := usage.PanelProps{
		URL: callURL(l, r), BackURL: l.carried(l.url), RequestID: string(r.Call), Status: r.Status, Code: r.Code, Estimated: r.Source == usages.Estimated, Facts: callFacts(r),
	}
	return s.showDialog(c, http.StatusOK, usage.Panel(p), func(c echo.Context, overlay templ.Component) (templ.Component, error) {
		report, err := s.usageReport(c)
		if err != nil {
			return nil, err
		}
		return s.usageFrame(c, report, overlay)
	})
}

// usageOf is the workspace whose usage is shown; on pages of the account none.
func usageOf(c echo.Context) ident.Workspace {
	if w := visitOf(c).here; w != nil {
		return w.ID
	}
	return ""
}

func usageAddress(c echo.Context) string {
	if ws := usageOf(c); ws != "" {
		return usageURL(ws)
	}
	return accountUsageURL
}

func (s *Server) usageFrame(c echo.Context, report usage.ReportProps, overlay templ.Component) (templ.Component, error) {
	key, of := atAccountUsage, "all workspaces"
	if w := visitOf(c).here; w != nil {
		key, of = atUsage, w.Name
	}
	chrome, err := s.chrome(c, "Usage", key)
	chrome.Overlay = overlay
	return usage.Index(usage.IndexProps{Chrome: chrome, Of: of, Filter: s.usageFilter(c), Report: report}), err
}

// asked is what the address says of a report.
type asked struct {
	listed
	usages.Question
	period string // the value of its option
	show   string // tokens, cost or calls
	bad    error  // a fault about the dates
}

const oneDay = 24 * time.Hour

// atAccountUsage is the key of the navigation's line.
const atAccountUsage = "account-usage"

const accountUsageURL = "/account/usage"

// custom is the period whose days are written down.
const custom = "custom"

// periods are the times a report can be about, from a day and up to another.
var periods = []struct {
	value, label string
	span         func(today time.Time) (from, to time.Time)
}{
	{"7", "Last 7 days", last(7)}, {"1", "Today", last(1)}, {"30", "Last 30 days", last(30)}, {"90", "Last 90 days", last(90)},
	{"month", "This month", func(t time.Time) (time.Time, time.Time) { return t.AddDate(0, 0, 1-t.Day()), t.Add(oneDay) }},
	{"last-month", "Last month", func(t time.Time) (time.Time, time.Time) {
		first := t.AddDate(0, 0, 1-t.Day())
		return first.AddDate(0, -1, 0), first
	}},
	{"365", "Last 365 days", last(365)}, {custom, "From … to …", last(7)},
}

func last(days int) func(time.Time) (time.Time, time.Time) {
	return func(today time.Time) (time.Time, time.Time) { return today.AddDate(0, 0, 1-days), today.Add(oneDay) }
}

// usageAsked reads the address. What cannot be meant is as if it were not there.
func (s *Server) usageAsked(c echo.Context) asked {
	a := asked{listed: listBehind(c, usageAddress(c)), period: periods[0].value, show: "tokens"}
	a.Workspace, a.By = usageOf(c), usages.ByModel
	for _, p := range periods {
		if p.value == a.get("period") {
			a.period = p.value
		}
	}
	for _, p := range periods {
		if p.value == a.period {
			a.From, a.To = p.span(s.Now().UTC().Truncate(oneDay))
		}
	}
	if a.period == custom {
		a.dates()
	}
	for _, d := range usages.Dimensions {
		if string(d) == a.get("by") && (d != usages.ByWorkspace || a.Workspace == "") {
			a.By = d
		}
	}
	if show := a.get("show"); show == "cost" || show == "calls" {
		a.show = show
	}
	a.narrow(c)
	return a
}

func (a *asked) dates() {
	for name, to := range map[string]*time.Time{"from": &a.From, "to": &a.To} {
		if a.get(name) == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, a.get(name))
		if err != nil {
			a.bad = fault.Field(name, "Write days as year-month-day, such as 2026-11-20.")
			return
		}
		if name == "to" {
			t = t.Add(oneDay)
		}
		*to = t
	}
}

// narrow reads the filters that choose single things.
func (a *asked) narrow(c echo.Context) {
	a.Failed = a.get("status") == "failed"
	if id, err := ident.ParseModel(a.get("model")); err == nil {
		a.Model = id
	}
	if id, err := ident.ParseKey(a.get("key")); err == nil {
		a.Key = id
	}
	if id, err := ident.ParseUser(a.get("member")); err == nil {
		a.Member = id
	}
	if id, err := ident.ParseWorkspace(a.get("workspace")); err == nil && visitOf(c).here == nil {
		a.Workspace = id
	}
}

// usageFilter fills the bar above the report.
func (s *Server) usageFilter(c echo.Context) usage.FilterProps {
	a := s.usageAsked(c)
	p := usage.FilterProps{URL: a.url, From: a.From.Format(time.DateOnly), To: a.To.Add(-oneDay).Format(time.DateOnly)}
	if a.bad != nil {
		p.From, p.To = a.get("from"), a.get("to")
	}
	for _, o := range periods {
		p.Periods = append(p.Periods, ui.Option{Value: o.value, Label: o.label, Selected: o.value == a.period})
	}
	for _, d := range usages.Dimensions {
		if d != usages.ByWorkspace || visitOf(c).here == nil {
			p.Bys = append(p.Bys, ui.Option{Value: string(d), Label: "By " + dimensionWords[d].noun, Selected: d == a.By})
		}
	}
	for _, show := range []string{"tokens", "cost", "calls"} {
		p.Shows = append(p.Shows, ui.Option{Value: show, Label: showWords[show], Selected: show == a.show})
	}
	p.Statuses = []ui.Option{{Label: "All calls", Selected: !a.Failed}, {Value: "failed", Label: "Refused or failed", Selected: a.Failed}}
	for _, name := range []string{"model", "key", "member", "workspace"} {
		if v := a.get(name); v != "" {
			p.Kept = append(p.Kept, usage.Kept{Name: name, Value: v})
		}
	}
	return p
}
