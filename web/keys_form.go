package web

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/views/keys"
	"bailiwick/views/ui"
)

// lives are the lengths of a key's life that can be chosen, in days.
var lives = map[string]int{"30": 30, "90": 90, "365": int(apikey.UsualLife / (24 * time.Hour))}

const usualLife = "365"

// terms reads what a form says of a key. Saying nothing of the expiry is the
// usual life; "keep" is the key's own.
func (s *Server) terms(in form, k apikey.Key) (apikey.Terms, error) {
	t := apikey.Terms{Description: in.Get("description"), Scope: apikey.Scope{
		Custom: in.Get("scope") == "custom", OnlyModels: in.Get("only") == "yes", Models: in.Values["model"], Networks: strings.Split(in.Get("networks"), "\n"),
	}}
	choice := in.Get("expires")
	if choice == "" {
		choice = usualLife
	}
	days, fixed := lives[choice]
	switch {
	case fixed:
		t.ExpiresAt = s.Now().AddDate(0, 0, days)
	case choice == "never":
	case choice == "keep" && k.ID != "":
		t.ExpiresAt = k.ExpiresAt
	case choice == "date":
		day, err := time.Parse(time.DateOnly, in.Get("until"))
		if err != nil {
			return t, fault.Field("expires", "Give the last day as year, month and day, such as %s.", s.Now().AddDate(0, 6, 0).Format(time.DateOnly))
		}
		t.ExpiresAt = day.AddDate(0, 0, 1).Add(-time.Second)
	default:
		return t, fault.Field("expires", "Choose one of these lengths of time, a day, or never.")
	}
	return t, nil
}

// formOf is the form that says of a key what is so.
func formOf(k apikey.Key) form {
	v := url.Values{"description": {k.Description}, "expires": {"keep"}, "networks": {lines(k.Networks)}}
	if k.Models != nil || k.Networks != nil {
		v.Set("scope", "custom")
	}
	if k.Models != nil {
		v.Set("only", "yes")
	}
	for _, m := range k.Models {
		v.Add("model", string(m))
	}
	return form{v}
}

func lines(networks []netip.Prefix) string {
	texts := make([]string, len(networks))
	for i, n := range networks {
		texts[i] = networkText(n)
	}
	return strings.Join(texts, "\n")
}

// networkText writes a range of one address as that address.
func networkText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

// termsForm shows what was typed, or nothing yet, and beside it what is wrong.
func (s *Server) termsForm(c echo.Context, in form, k *apikey.Key, cause error) (keys.TermsProps, error) {
	choices, err := s.keyModels(c, in.Values["model"])
	return keys.TermsProps{
		Description: in.Get("description"), DescriptionError: about(cause, "description"),
		Custom: in.Get("scope") == "custom", OnlyModels: in.Get("only") == "yes", Models: choices, ModelsError: about(cause, "models"),
		Networks: in.Get("networks"), NetworksError: about(cause, "networks"),
		Expiries: expiries(in.Get("expires"), k), Until: in.Get("until"), Today: s.Now().UTC().Format(time.DateOnly), ExpiresError: about(cause, "expires"),
	}, err
}

func expiries(chosen string, k *apikey.Key) (options []ui.Option) {
	add := func(value, label string) {
		options = append(options, ui.Option{Value: value, Label: label, Selected: value == chosen})
	}
	if k != nil {
		add("keep", "As it is: "+orElse(moment(k.ExpiresAt).Text, "never"))
	}
	add("365", "In one year")
	add("90", "In 90 days")
	add("30", "In 30 days")
	add("date", "On a day")
	add("never", "Never")
	return options
}

// aside is a mistake that belongs to no field.
func aside(cause error) *ui.Notice {
	if cause == nil {
		return nil
	}
	for _, field := range []string{"description", "models", "networks", "expires"} {
		if about(cause, field) != "" {
			return nil
		}
	}
	return bad(cause)
}

// keyModels are the models a key can be narrowed to: those the workspace may
// call first, and the others with what keeps them from it.
func (s *Server) keyModels(c echo.Context, chosen []string) ([]keys.Model, error) {
	all, err := s.Catalogue.List(c.Request().Context(), actor(c), here(c).ID)
	if err != nil {
		return nil, err
	}
	var may, mayNot []keys.Model
	for _, m := range s.Policy.Now().Private(here(c).ID) {
		may = append(may, keys.Model{ID: string(m.ID), Name: m.Name, Note: "Deployed here", Chosen: slices.Contains(chosen, string(m.ID))})
	}
	for _, m := range all {
		p := s.keyModel(here(c).ID, m)
		if p.Chosen = slices.Contains(chosen, p.ID); !m.Offers.Has(catalogue.Call) && !p.Chosen {
			continue
		}
		if p.Note == "" {
			may = append(may, p)
		} else {
			mayNot = append(mayNot, p)
		}
	}
	list := append(may, mayNot...)
	for _, id := range chosen {
		if !slices.ContainsFunc(list, func(m keys.Model) bool { return m.ID == id }) {
			list = append(list, keys.Model{ID: id, Name: id, Note: "Not in the catalogue", Chosen: true})
		}
	}
	return list, nil
}

func (s *Server) keyModel(ws ident.Workspace, m catalogue.Model) keys.Model {
	p := keys.Model{ID: string(m.ID), Name: m.Name}
	if !s.Policy.Now().Holds(ws, m.ID, catalogue.Call) {
		p.Note = "Not authorized here"
	}
	return p
}

// termsLine says in one line what a key is narrowed to.
func termsLine(k apikey.Key) string {
	models, addresses := "every model", "every address"
	if k.Models != nil {
		models = counted(len(k.Models), "model")
	}
	if k.Networks != nil {
		addresses = "addresses in " + counted(len(k.Networks), "range")
	}
	return fmt.Sprintf("description “%s”, %s, %s, expiry: %s.", k.Description, models, addresses, orElse(moment(k.ExpiresAt).Text, "never"))
}
