package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/views/providers"
	"bailiwick/views/ui"
)

// listProviders answers GET /account/providers.
func (s *Server) listProviders(c echo.Context) error {
	return showList(s, c, s.providerList, providers.List, s.providersPage)
}

// findProvider finds the provider that the path names.
func (s *Server) findProvider(c echo.Context) (provider.Provider, []provider.Serving, error) {
	id, err := ident.ParseProvider(param(c, "provider"))
	if err != nil {
		return provider.Provider{}, nil, err
	}
	return s.Providers.Find(c.Request().Context(), actor(c), id)
}

// testProvider answers POST …/:provider/test: it asks for the models.
func (s *Server) testProvider(c echo.Context) error {
	p, _, err := s.findProvider(c)
	if err != nil {
		return err
	}
	found, said, err := s.Providers.Test(c.Request().Context(), actor(c), p.ID)
	if err != nil {
		return err
	}
	message := p.Name + " answers and names " + counted(len(found), "model")
	if said != "" {
		message = p.Name + " does not answer: " + said
	}
	return s.providersChanged(c, message)
}

// confirmDeleteProvider answers GET …/:provider/delete.
func (s *Server) confirmDeleteProvider(c echo.Context) error {
	return s.showDeleteProvider(c, http.StatusOK, nil)
}

func (s *Server) showDeleteProvider(c echo.Context, status int, cause error) error {
	p, servings, err := s.findProvider(c)
	if err != nil {
		return err
	}
	needs, err := s.Providers.Dependents(c.Request().Context(), actor(c), p.ID)
	if err != nil {
		return err
	}
	var stops []string
	if len(servings) > 0 {
		stops = []string{"Calls of " + counted(len(servings), "model") + " that no other provider serves."}
	}
	confirm := ui.Confirm{
		Title: "Delete " + p.Name + "?", Text: "The provider and its credential are gone for good.", Stops: stops,
		Action: providerURL(p.ID, "delete"), Button: "Delete", CancelURL: providersURL, Tone: ui.Bad,
	}
	if len(needs) > 0 {
		confirm.Notice = &ui.Notice{Tone: ui.Warn, Title: "It cannot be deleted yet: it keeps what workspaces made. Delete or end this first."}
		for _, n := range needs {
			confirm.Notice.Items = append(confirm.Notice.Items, n.What+" of "+n.Workspace)
		}
	} else if cause != nil {
		confirm.Notice = bad(cause)
	}
	return s.showDialog(c, status, providers.DeleteDialog(confirm), s.providersPage)
}

// deleteProvider answers POST …/:provider/delete.
func (s *Server) deleteProvider(c echo.Context) error {
	p, _, err := s.findProvider(c)
	if err != nil {
		return err
	}
	err = s.Providers.Delete(c.Request().Context(), actor(c), p.ID)
	if mendable(err) {
		return s.showDeleteProvider(c, statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return s.providersChanged(c, "Provider "+p.Name+" deleted")
}

func (s *Server) providersChanged(c echo.Context, message string) error {
	return s.done(c, providersURL, message, func() (templ.Component, error) {
		p, err := s.providersIndex(c)
		return providers.Changed(providers.ChangedProps{Index: p, Toast: message}), err
	})
}

// providersPage is the list, with a dialog over it or without.
func (s *Server) providersPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	p, err := s.providersIndex(c)
	p.Chrome.Overlay = overlay
	return providers.Index(p), err
}

func (s *Server) providersIndex(c echo.Context) (providers.IndexProps, error) {
	chrome, err := s.chrome(c, "Providers", atProviders)
	if err != nil {
		return providers.IndexProps{}, err
	}
	rows, err := s.providerList(c)
	if err != nil {
		return providers.IndexProps{}, err
	}
	offers, err := s.offers(c)
	p := providers.IndexProps{Chrome: chrome, List: rows, AddURL: when(actor(c).May(access.ChangeProviders), newProviderURL)}
	for _, o := range offers {
		p.Offers = append(p.Offers, providers.Offer{Name: o.Form.Name, Text: o.Text, AcceptURL: offerURL(o.ID, "accept"), DismissURL: offerURL(o.ID, "dismiss")})
	}
	return p, err
}

// powersPatience is how long the page waits for providers that have to be asked
// what they can; what comes later is there the next time.
const powersPatience = 400 * time.Millisecond

// providerList is the table of providers. There are few of them, so they are
// searched and sorted here.
func (s *Server) providerList(c echo.Context) (providers.ListProps, error) {
	all, err := s.Providers.List(c.Request().Context(), actor(c))
	if err != nil {
		return providers.ListProps{}, err
	}
	l := list(c, providersURL)
	found := slices.DeleteFunc(slices.Clone(all), func(p provider.Listed) bool {
		return !strings.Contains(strings.ToLower(p.Name+" "+p.BaseURL), strings.ToLower(l.search()))
	})
	if l.get("order") == "desc" {
		slices.Reverse(found)
	}
	page := l.page(len(found))
	p := providers.ListProps{URL: l.url, Search: l.search(), Name: l.sorted("name", "name"), Pager: l.numbered(page, len(found), "provider")}
	shown := found[page*pageSize : min(len(found), (page+1)*pageSize)]
	ctx, cancel := context.WithTimeout(c.Request().Context(), powersPatience)
	defer cancel()
	can, err := s.Providers.Powers(ctx, actor(c), shown)
	for _, f := range shown {
		p.Rows = append(p.Rows, s.providerRow(actor(c), f, can[f.ID]))
	}
	return p, err
}

func (s *Server) providerRow(by access.Actor, p provider.Listed, can provider.Powers) providers.Row {
	health, tone := "Not tested", ui.Quiet
	switch {
	case p.TestedAt.IsZero():
	case p.TestError != "":
		health, tone = "Failing", ui.Bad
	default:
		health, tone = "Reachable", ui.Good
	}
	live := s.Health.Health(p.ID)
	switch {
	case live.Resting > 0:
		health, tone = "Resting after failures", ui.Bad
	case live.Failed > 0 && live.Failed*20 >= live.Asked:
		health, tone = "Failing at times", ui.Warn
	case live.Asked > 0:
		health, tone = "Answering", ui.Good
	}
	change := by.May(access.ChangeProviders)
	return providers.Row{
		Name: p.Name, Kind: kindTitle(p.Kind, p.BaseURL), Can: powersLines(can), BaseURL: addressOf(p.Provider), Models: p.Serves, Health: health, Tone: tone, Tested: ago(p.TestedAt, s.Now()), Calls: callsLine(live),
		TestURL: when(change, providerURL(p.ID, "test")), EditURL: when(change, providerURL(p.ID, "edit")),
		ServedURL: when(change, providerURL(p.ID, "served")), ImportURL: when(change, providerURL(p.ID, "import")),
		DeleteURL: when(change, providerURL(p.ID, "delete")),
	}
}

// addressOf is where a provider is; empty: on this host.
func addressOf(p provider.Provider) string {
	if p.Kind == provider.Command {
		return ""
	}
	return p.BaseURL
}

// callsLine says what calls found of a provider in the last ten minutes.
func callsLine(h provider.Health) string {
	if h.Asked == 0 {
		return ""
	}
	line := counted(h.Asked, "call") + " in 10 minutes"
	if h.FirstByte > 0 {
		line += ", first byte after " + duration(h.FirstByte)
	}
	if h.Failed > 0 {
		line += ", " + number(h.Failed) + " failed: " + h.Why
	}
	return line
}

// kindTitle is a kind in words. Of programs of this host it is the name.
func kindTitle(k provider.Kind, address string) string {
	switch k {
	case provider.Embedded:
		return "Embedded"
	case provider.OpenAI:
		return "OpenAI protocol"
	case provider.DashScope:
		return "DashScope protocol"
	case provider.Ollama:
		return "Ollama"
	case provider.VLLM:
		return "vLLM"
	case provider.SGLang:
		return "SGLang"
	case provider.Command:
		return "Program " + strings.TrimPrefix(address, provider.CommandScheme)
	}
	return string(k)
}

// powersLines says what a provider can, one thing a line.
func powersLines(can provider.Powers) (lines []string) {
	if can.Broken {
		return []string{"Cannot be used by this program"}
	}
	if can.Calls {
		lines = append(lines, "Answers calls")
	}
	var trains []string
	for _, m := range []struct {
		method provider.Method
		title  string
	}{{provider.SFT, "SFT"}, {provider.DPO, "DPO"}, {provider.CPT, "CPT"}} {
		var how []string
		for _, a := range can.Trains.Methods[m.method] {
			how = append(how, map[provider.Adapter]string{provider.Full: "full", provider.LoRA: "LoRA"}[a])
		}
		if len(how) > 0 {
			trains = append(trains, m.title+" ("+strings.Join(how, ", ")+")")
		}
	}
	if len(trains) > 0 {
		lines = append(lines, "Trains "+strings.Join(trains, ", "))
	}
	var puts []string
	for _, f := range can.Deploys {
		puts = append(puts, map[string]string{
			"": "models it has", provider.FormatRemote: "models it tuned", provider.FormatGGUF: "GGUF files", provider.FormatGGUFLoRA: "GGUF adapters",
			provider.FormatPEFT: "PEFT adapters", provider.FormatSafetensors: "safetensors folders",
		}[f])
	}
	if len(puts) > 0 {
		lines = append(lines, "Deploys "+strings.Join(puts, ", "))
	}
	return lines
}
