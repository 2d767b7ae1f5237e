package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/views/models"
	"bailiwick/views/ui"
)

// pricesURL escapes the id: it may hold slashes.
func pricesURL(ws ident.Workspace, m ident.Model) string {
	return modelsURL(ws) + "/" + url.PathEscape(string(m)) + "/prices"
}

// showPrices answers GET /workspaces/:workspace/models/:model/prices.
func (s *Server) showPrices(c echo.Context) error {
	m, err := s.findModel(c)
	if err != nil {
		return err
	}
	currency := catalogue.Currencies[0]
	if len(m.Prices) > 0 {
		currency = m.Prices[0].Currency
	}
	return s.showEditPrices(c, http.StatusOK, m, models.PricesProps{Text: catalogue.PricesText(m.Prices), Currencies: currencies(currency)})
}

func (s *Server) showEditPrices(c echo.Context, status int, m catalogue.Model, p models.PricesProps) error {
	p.Action, p.BackURL, p.Name, p.Version = pricesURL(here(c).ID, m.ID), modelURL(here(c).ID, m.ID), m.Name, strconv.FormatInt(m.Version, 10)
	p.Known = "Units: " + strings.Join(catalogue.Units, ", ") + ". Calls are charged by input_token, input_token_cache and output_token, and by thinking_… of these when the model reasons."
	return s.showDialog(c, status, models.EditPrices(p), s.modelsPage)
}

func currencies(chosen string) (all []ui.Option) {
	for _, name := range catalogue.Currencies {
		all = append(all, ui.Option{Value: name, Label: name, Selected: name == chosen})
	}
	return all
}

// changePrices answers POST …/models/:model/prices. Somebody else's change is
// told, and what was typed is kept.
func (s *Server) changePrices(c echo.Context) error {
	m, err := s.findModel(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	change := catalogue.PriceChange{Model: m.ID, Text: in.Get("prices"), Currency: in.Get("currency"), Version: in.version()}
	err = s.Catalogue.ChangePrices(c.Request().Context(), actor(c), change)
	if mendable(err) {
		return s.showEditPrices(c, statusOf(err), m, typedPrices(change, err))
	}
	if err != nil {
		return err
	}
	message := "Prices of " + m.Name + " saved"
	return s.done(c, modelURL(here(c).ID, m.ID), message, func() (templ.Component, error) {
		if m, err = s.findModel(c); err != nil {
			return nil, err
		}
		p, err := s.panel(c, here(c), m)
		return models.PricesSaved(p, message), err
	})
}

// typedPrices keeps what was typed and says what is wrong with it.
func typedPrices(change catalogue.PriceChange, wrong error) models.PricesProps {
	p := models.PricesProps{Text: change.Text, Currencies: currencies(change.Currency), TextError: about(wrong, "prices"), CurrencyError: about(wrong, "currency")}
	if fault.Is(wrong, fault.Conflict) {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "The model was changed meanwhile.", Text: "What you typed is kept below; Save puts it over that."}
	} else if p.TextError+p.CurrencyError == "" {
		p.Notice = bad(wrong)
	}
	return p
}
