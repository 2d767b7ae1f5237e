package web

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/policy"
	usages "bailiwick/internal/usage"
	"bailiwick/views/usage"
)

// usageBeside lists what deployments and trainings consumed in the time of a
// report. Filters by key, member or outcome are about calls alone.
func (s *Server) usageBeside(c echo.Context, a asked) (rows []usage.Beside, err error) {
	if a.Key != "" || a.Member != "" || a.Failed {
		return nil, nil
	}
	list, err := s.Usage.Beside(c.Request().Context(), actor(c), a.Filter)
	now := s.Policy.Now()
	for _, b := range list {
		row := usage.Beside{What: "Training", Model: string(b.Model), Base: string(b.Base), Quantity: counted(int(b.Quantity), "trained token"), Cost: besideCost(now, b)}
		if b.Kind == usages.Deployed {
			row.What, row.Quantity = "Deployment", hoursWords(b.Hours())
		}
		if a.Workspace == "" {
			row.Workspace = orElse(now.WorkspaceName(b.Workspace), string(b.Workspace))
		}
		rows = append(rows, row)
	}
	return rows, err
}

// besideCost words a cost; empty: there is no price.
func besideCost(now *policy.Snapshot, b usages.Beside) string {
	switch p := now.Provider(b.Provider); {
	case b.Currency != "":
		return inCurrency(b.Currency, amount(b.Cost))
	case p != nil && p.Kind == "embedded":
		return "Free: demo engine"
	}
	return ""
}

// hoursWords writes hours of one replica: short ones exactly enough to be seen.
func hoursWords(h float64) string {
	digits := 1
	if h < 1 {
		digits = 3
	}
	return strconv.FormatFloat(h, 'f', digits, 64) + " replica hours"
}
