package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/views/providers"
	"bailiwick/views/ui"
)

// newProvider answers GET /account/providers/new.
func (s *Server) newProvider(c echo.Context) error {
	return s.showProviderForm(c, http.StatusOK, provider.Provider{}, provider.Form{Kind: provider.OpenAI}, nil, nil)
}

// editProvider answers GET …/:provider/edit.
func (s *Server) editProvider(c echo.Context) error {
	p, _, err := s.findProvider(c)
	if err != nil {
		return err
	}
	return s.showProviderForm(c, http.StatusOK, p, provider.Form{Name: p.Name, Kind: p.Kind, BaseURL: p.BaseURL}, nil, nil)
}

// showProviderForm shows the form of a provider, a new one when it has no id,
// with what was typed, what is wrong with it, and what came of a test.
func (s *Server) showProviderForm(c echo.Context, status int, p provider.Provider, in provider.Form, wrong error, test *providers.TestProps) error {
	props := providers.FormProps{
		New: p.ID == "", Action: providersURL, CancelURL: providersURL, TestURL: testNewProviderURL, Test: test,
		Name: in.Name, Kinds: s.kindOptions(kindValue(in)), BaseURL: in.BaseURL, HasCredential: p.Sealed != nil,
		NameError: about(wrong, "name"), KindError: about(wrong, "kind"), BaseURLError: about(wrong, "base_url"), CredentialError: about(wrong, "credential"),
	}
	title := "Add provider"
	if p.ID != "" {
		title = "Edit provider"
		props.Action, props.TestURL = providerURL(p.ID, "edit"), providerURL(p.ID, "try")
		props.Version = strconv.FormatInt(p.Version, 10)
		is := kindValue(provider.Form{Kind: p.Kind, BaseURL: p.BaseURL})
		props.Kinds = []ui.Option{{Value: is, Label: kindTitle(p.Kind, p.BaseURL), Selected: true}} // it stays what it is
		props.Here = p.Kind == provider.Embedded || p.Kind == provider.Command
	}
	if in.Kind == provider.Command {
		props.BaseURL = ""
	}
	if wrong != nil && props.NameError+props.KindError+props.BaseURLError+props.CredentialError == "" {
		props.Notice = bad(wrong)
	}
	chrome, err := s.chrome(c, title, atProviders)
	props.Chrome = chrome
	if err != nil {
		return err
	}
	return s.send(c, status, providers.FormPage(props))
}

// kindOptions are the kinds this program can speak to. Each program of this host
// that trains stands there by its name, so that it is chosen like a kind.
func (s *Server) kindOptions(chosen string) (options []ui.Option) {
	for k := range s.Providers.Kinds {
		if k != provider.Command {
			options = append(options, ui.Option{Value: string(k), Label: kindTitle(k, "")})
		}
	}
	for _, name := range s.Providers.Programs {
		address := provider.CommandScheme + name
		options = append(options, ui.Option{Value: address, Label: kindTitle(provider.Command, address)})
	}
	slices.SortFunc(options, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	for i := range options {
		options[i].Selected = options[i].Value == chosen
	}
	return options
}

// kindValue is what a form says of a kind, as kindOptions has it.
func kindValue(in provider.Form) string {
	if in.Kind == provider.Command {
		return in.BaseURL
	}
	return string(in.Kind)
}

func providerForm(c echo.Context) (provider.Form, error) {
	in, err := readForm(c)
	p := provider.Form{
		Name: in.Get("name"), Kind: provider.Kind(in.Get("kind")), BaseURL: in.Get("base_url"),
		Credential: secret.NewText(in.Get("credential")), Version: in.version(),
	}
	if strings.HasPrefix(in.Get("kind"), provider.CommandScheme) {
		p.Kind, p.BaseURL = provider.Command, in.Get("kind")
	}
	return p, err
}

// addProvider answers POST /account/providers.
func (s *Server) addProvider(c echo.Context) error {
	in, err := providerForm(c)
	if err != nil {
		return err
	}
	p, err := s.Providers.Add(c.Request().Context(), actor(c), in)
	if mendable(err) {
		return s.showProviderForm(c, statusOf(err), provider.Provider{}, in, err, nil)
	}
	if err != nil {
		return err
	}
	return s.done(c, providerURL(p.ID, "import"), "Provider "+p.Name+" added", s.nothing)
}

// changeProvider answers POST …/:provider/edit.
func (s *Server) changeProvider(c echo.Context) error {
	p, _, err := s.findProvider(c)
	if err != nil {
		return err
	}
	in, err := providerForm(c)
	if err != nil {
		return err
	}
	err = s.Providers.Edit(c.Request().Context(), actor(c), p.ID, in)
	if mendable(err) {
		return s.showProviderForm(c, statusOf(err), p, in, err, nil)
	}
	if err != nil {
		return err
	}
	return s.done(c, providersURL, "Provider saved", s.nothing)
}

// mendable reports whether an error is one that whoever filled in a form can mend.
func mendable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) || fault.Is(err, fault.Full)
}

// nothing is the part of a page that is always loaded whole.
func (s *Server) nothing() (templ.Component, error) { return templ.NopComponent, nil }

// tryNewProvider answers POST /account/providers/test.
func (s *Server) tryNewProvider(c echo.Context) error { return s.try(c, provider.Provider{}) }

// tryProvider answers POST …/:provider/try.
func (s *Server) tryProvider(c echo.Context) error {
	p, _, err := s.findProvider(c)
	if err != nil {
		return err
	}
	return s.try(c, p)
}

// try tests what the form says, before it is saved.
func (s *Server) try(c echo.Context, p provider.Provider) error {
	in, err := providerForm(c)
	if err != nil {
		return err
	}
	began := s.Now()
	found, err := s.Providers.Try(c.Request().Context(), actor(c), p.ID, in)
	if kind := fault.KindOf(err); err != nil && kind != fault.Invalid && kind != fault.Unavailable {
		return err
	}
	result := tested(found, err, s.Now().Sub(began))
	if visitOf(c).scripted {
		return s.send(c, http.StatusOK, providers.Test(result))
	}
	in.Credential = secret.Text{} // never sent back: it has to be typed again
	return s.showProviderForm(c, http.StatusOK, p, in, nil, result)
}

func tested(found []string, err error, took time.Duration) *providers.TestProps {
	if err != nil {
		return &providers.TestProps{Title: "The connection failed.", Text: fault.Show(err)}
	}
	return &providers.TestProps{OK: true, Title: "Connected in " + duration(took), Text: "It names " + counted(len(found), "model") + ".", Details: found[:min(len(found), 5)]}
}

// offers are the providers that were found for the account and neither made
// nor dismissed.
func (s *Server) offers(c echo.Context) ([]Offer, error) {
	if s.Offers == nil {
		return nil, nil
	}
	there, err := s.Providers.List(c.Request().Context(), actor(c))
	if err != nil {
		return nil, err
	}
	account := actor(c).Account
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.Offers(account)), func(o Offer) bool {
		made := slices.ContainsFunc(there, func(p provider.Listed) bool { return p.Kind == o.Form.Kind && p.BaseURL == o.Form.BaseURL })
		return made || s.dismissed[account][o.ID]
	}), nil
}

func (s *Server) findOffer(c echo.Context) (Offer, error) {
	all, err := s.offers(c)
	if err != nil {
		return Offer{}, err
	}
	i := slices.IndexFunc(all, func(o Offer) bool { return o.ID == param(c, "offer") })
	if i < 0 {
		return Offer{}, fault.NoSuch("offer")
	}
	return all[i], nil
}

// acceptOffer answers POST …/offers/:offer/accept.
func (s *Server) acceptOffer(c echo.Context) error {
	o, err := s.findOffer(c)
	if err != nil {
		return err
	}
	p, err := s.Providers.Add(c.Request().Context(), actor(c), o.Form)
	if err != nil {
		return err
	}
	return s.providersChanged(c, "Provider "+p.Name+" added")
}

// dismissOffer answers POST …/offers/:offer/dismiss. It is forgotten until the
// program starts again.
func (s *Server) dismissOffer(c echo.Context) error {
	o, err := s.findOffer(c)
	if err != nil {
		return err
	}
	s.dismiss(actor(c).Account, o.ID)
	return s.providersChanged(c, o.Form.Name+" is not offered any more")
}

func (s *Server) dismiss(account ident.Account, offer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dismissed[account] == nil {
		s.dismissed[account] = map[string]bool{}
	}
	s.dismissed[account][offer] = true
}
