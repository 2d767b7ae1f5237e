package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/views/limits"
	"bailiwick/views/ui"
)

// limitList is the table of a workspace's limits, or of the account's.
func (s *Server) limitList(c echo.Context) (limits.ListProps, error) {
	if visitOf(c).here == nil {
		return s.accountLimitList(c)
	}
	w := here(c)
	set, err := s.Limits.List(c.Request().Context(), actor(c), w.ID)
	if err != nil {
		return limits.ListProps{}, err
	}
	sums, err := s.limitSums(c)
	if err != nil {
		return limits.ListProps{}, err
	}
	may := actor(c).May(access.ChangeLimits)
	now := s.Policy.Now()
	known := append(now.Private(w.ID), now.Catalogue(actor(c).Account)...)
	p, found := s.limitPage(c, limitsURL(w.ID), known, func(m *policy.Model) bool {
		return m.Private() || now.Holds(w.ID, m.ID, catalogue.Call) || set[m.ID].Set()
	})
	p.Beside, p.None, p.Acts = "Account limit", "Shares the account's", may || actor(c).MayIn(w.ID, access.ChangeDeployments)
	for _, m := range found {
		if m.Private() {
			p.Rows = append(p.Rows, s.deploymentLimitRow(c, m))
			continue
		}
		own, shared := set[m.ID], limit.Of(m.Limit)
		r := limits.Row{
			Name: m.Name, ID: string(m.ID), Requests: rateWords(own.Requests), Tokens: rateWords(own.Tokens),
			SetBy: setBy(own.Setter()), Beside: limitLines(shared), EditURL: when(may, limitURL(w.ID, m.ID)),
		}
		if own.Set() {
			r.Warn = overbooked(sums[m.ID], shared)
			s.gauges(&r, string(w.ID), m.ID, own.Limit, "")
		} else {
			s.gauges(&r, string(m.Account), m.ID, shared, " by all workspaces")
		}
		p.Rows = append(p.Rows, r)
	}
	return p, nil
}

// deploymentLimitRow is a deployment in these lists. Its limits are its own, and
// are changed on its page.
func (s *Server) deploymentLimitRow(c echo.Context, m *policy.Model) limits.Row {
	own := limit.SettingOf(m.Limit)
	r := limits.Row{
		Name: m.Name, ID: string(m.ID), Requests: rateWords(own.Requests), Tokens: rateWords(own.Tokens), None: "No limit", SetBy: setBy(own.Setter()),
		Beside:    []string{"A deployment of " + s.Policy.Now().WorkspaceName(m.Workspace), "Shares no limit of the account"},
		DeployURL: when(actor(c).MayIn(m.Workspace, access.ChangeDeployments), deploymentURL(m.Workspace, m.Deployment, "limits")),
	}
	s.gauges(&r, string(m.Workspace), m.ID, own.Limit, "")
	return r
}

// accountLimitList is the table of what all workspaces share.
func (s *Server) accountLimitList(c echo.Context) (limits.ListProps, error) {
	sums, err := s.limitSums(c)
	if err != nil {
		return limits.ListProps{}, err
	}
	now := s.Policy.Now()
	known := append(now.Catalogue(actor(c).Account), now.Deployed(actor(c).Account)...)
	p, found := s.limitPage(c, accountLimitsURL, known, func(m *policy.Model) bool { return m.Offers.Has(catalogue.Call) })
	p.Beside, p.None, p.Acts = "Workspaces' limits together", "No limit", true
	for _, m := range found {
		if m.Private() {
			p.Rows = append(p.Rows, s.deploymentLimitRow(c, m))
			continue
		}
		shared := limit.Of(m.Limit)
		r := limits.Row{
			Name: m.Name, ID: string(m.ID), Requests: rateWords(shared.Requests), Tokens: rateWords(shared.Tokens),
			SetBy: setBy(limit.SettingOf(m.Limit).Setter()), Beside: sumLines(sums[m.ID]), Warn: overbooked(sums[m.ID], shared), EditURL: accountLimitURL(m.ID),
		}
		s.gauges(&r, string(m.Account), m.ID, shared, "")
		p.Rows = append(p.Rows, r)
	}
	return p, nil
}

// limitSums are what the limits of all workspaces add up to, for those who may see them.
func (s *Server) limitSums(c echo.Context) (map[ident.Model]limit.Sum, error) {
	if !actor(c).May(access.ChangeLimits) {
		return nil, nil
	}
	return s.Limits.Sums(c.Request().Context(), actor(c))
}

// limitPage finds, of the models that are known, those of one page. A catalogue is
// small, so it is searched and cut into pages here.
func (s *Server) limitPage(c echo.Context, url string, known []*policy.Model, shown func(*policy.Model) bool) (limits.ListProps, []*policy.Model) {
	l := list(c, url)
	wanted := strings.Fields(strings.ToLower(l.search()))
	found := slices.DeleteFunc(known, func(m *policy.Model) bool {
		words := strings.ToLower(m.Name + " " + string(m.ID))
		return !shown(m) || slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(words, w) })
	})
	page := l.page(len(found))
	p := limits.ListProps{URL: l.url, Search: l.search(), ClearURL: when(l.search() != "", l.url), Pager: l.numbered(page, len(found), "model")}
	return p, found[page*pageSize : min(len(found), (page+1)*pageSize)]
}

// gauges fills in how much of a limit is in use.
func (s *Server) gauges(r *limits.Row, owner string, m ident.Model, l limit.Limit, by string) {
	if s.Limiter == nil || !l.Set() {
		return
	}
	use, shares := s.Limiter.OfModel(owner, m, l), s.Limiter.Shares()
	if l.Requests.Set() {
		r.Gauges = append(r.Gauges, gaugeOf(use.Requests, l.Requests, shares, "requests"+by))
	}
	if l.Tokens.Set() {
		r.Gauges = append(r.Gauges, gaugeOf(use.Tokens+use.Held, l.Tokens, shares, "tokens"+by))
	}
	if use.Running > 0 {
		r.Running = counted(use.Running, "call") + " running"
	}
}

// gaugeOf draws a figure against this server's share of a limit.
func gaugeOf(used int, of limit.Rate, shares int, noun string) limits.Gauge {
	most := max(min(1, of.Count), of.Count/shares)
	g := limits.Gauge{Text: number(used) + " of " + number(most) + " " + noun, Percent: 100}
	if most > 0 {
		g.Percent = min(100, int(int64(used)*100/int64(most)))
	}
	switch {
	case g.Percent >= 100:
		g.Tone = ui.Bad
	case g.Percent >= 80:
		g.Tone = ui.Warn
	}
	return g
}

// setBy says who set a limit, and on which day; nothing where nobody did.
func setBy(who limit.Setter) string {
	if who.By == "" {
		return ""
	}
	return "Set by " + who.By + ", " + who.At.UTC().Format("2 Jan 2006")
}

// rateWords is a rate as tables show it; nothing for none.
func rateWords(r limit.Rate) string {
	if !r.Set() {
		return ""
	}
	return number(r.Count) + " in " + strconv.Itoa(r.Period) + " s"
}

// figure is the count of a rate as a form shows it; nothing for none.
func figure(r limit.Rate) string {
	if !r.Set() {
		return ""
	}
	return strconv.Itoa(r.Count)
}

func limitLines(l limit.Limit) (lines []string) {
	if l.Requests.Set() {
		lines = append(lines, number(l.Requests.Count)+" requests in "+strconv.Itoa(l.Requests.Period)+" s")
	}
	if l.Tokens.Set() {
		lines = append(lines, number(l.Tokens.Count)+" tokens in "+strconv.Itoa(l.Tokens.Period)+" s")
	}
	if lines == nil {
		lines = []string{"No limit"}
	}
	return lines
}

func sumLines(sum limit.Sum) (lines []string) {
	if sum.Requests > 0 {
		lines = append(lines, number(int(sum.Requests))+" requests a minute")
	}
	if sum.Tokens > 0 {
		lines = append(lines, number(int(sum.Tokens))+" tokens a minute")
	}
	if lines == nil {
		lines = []string{"None"}
	}
	return lines
}

// overbooked warns where the workspaces' limits add up to more than the account's.
func overbooked(sum limit.Sum, of limit.Limit) string {
	switch {
	case of.Requests.Set() && sum.Requests > perMinute(of.Requests):
		return fmt.Sprintf("Workspaces together: %s requests a minute, account: %s", number(int(sum.Requests)), number(int(perMinute(of.Requests))))
	case of.Tokens.Set() && sum.Tokens > perMinute(of.Tokens):
		return fmt.Sprintf("Workspaces together: %s tokens a minute, account: %s", number(int(sum.Tokens)), number(int(perMinute(of.Tokens))))
	}
	return ""
}

func perMinute(r limit.Rate) float64 { return float64(r.Count) * 60 / float64(r.Period) }

// besideLines say in a dialog what stands at the other level.
func (s *Server) besideLines(c echo.Context, m *policy.Model) ([]string, error) {
	sums, err := s.limitSums(c)
	if err != nil {
		return nil, err
	}
	account := "The account's limit: " + strings.Join(limitLines(limit.Of(m.Limit)), ", ") + "."
	together := "The limits of all workspaces together: " + strings.Join(sumLines(sums[m.ID]), ", ") + "."
	if visitOf(c).here == nil {
		return []string{together}, nil
	}
	return []string{account, together}, nil
}

// periodChoices are the original's periods, and the present one where it is another.
func periodChoices(chosen int) []ui.Option {
	periods := limit.Periods
	if chosen == 0 {
		chosen = 60
	}
	if !slices.Contains(periods, chosen) && chosen > 0 && chosen <= limit.MaxPeriod {
		periods = append(slices.Clone(periods), chosen)
		slices.Sort(periods)
	}
	options := make([]ui.Option, len(periods))
	for i, p := range periods {
		options[i] = ui.Option{Value: strconv.Itoa(p), Label: counted(p, "second"), Selected: p == chosen}
	}
	return options
}
