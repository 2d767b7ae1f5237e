package web

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	usages "bailiwick/internal/usage"
)

// exported is how many calls are read at once for a file.
const exported = 1000

// exportCalls answers GET …/usage/calls.csv: every call that the address
// chooses. The file leaves as it is read, however long it is.
func (s *Server) exportCalls(c echo.Context) error {
	a := s.usageAsked(c)
	if a.bad != nil {
		return a.bad
	}
	ctx := c.Request().Context()
	calls, next, err := s.Usage.Calls(ctx, actor(c), a.Filter, usages.Page{Limit: exported})
	if err != nil {
		return err
	}
	w := s.startCSV(c, "calls")
	w.Write([]string{"request_id", "time", "workspace_id", "workspace", "api_key_id", "api_key", "member", "model", "dialect", "provider_id", "input_tokens", "output_tokens",
		"cached_tokens", "reasoning_tokens", "counted_by", "currency", "cost", "price_version", "status", "code", "stream", "duration_ms", "first_byte_ms"})
	for {
		for _, r := range calls {
			w.Write(cells(string(r.Call), r.At.UTC().Format(time.RFC3339Nano), string(r.Workspace), r.WorkspaceName, string(r.Key), r.KeyDescription, cmp.Or(r.MemberName, string(r.Member)),
				string(r.Model), r.Dialect, string(r.Provider), strconv.Itoa(r.Input), strconv.Itoa(r.Output), strconv.Itoa(r.Cached), strconv.Itoa(r.Reasoning),
				string(r.Source), r.Currency, millionths(r.Cost), strconv.FormatInt(r.PriceVersion, 10), strconv.Itoa(r.Status), r.Code, strconv.FormatBool(r.Stream),
				strconv.FormatInt(r.Duration.Milliseconds(), 10), strconv.FormatInt(r.FirstByte.Milliseconds(), 10)))
		}
		if w.Flush(); next == "" || w.Error() != nil {
			return nil
		}
		if calls, next, err = s.Usage.Calls(ctx, actor(c), a.Filter, usages.Page{After: next, Limit: exported}); err != nil {
			panic(http.ErrAbortHandler) // the file must not look whole
		}
	}
}

// exportSums answers GET …/usage/sums.csv: the table of sums, all of it.
func (s *Server) exportSums(c echo.Context) error {
	a := s.usageAsked(c)
	if a.bad != nil {
		return a.bad
	}
	r, err := s.Usage.Report(c.Request().Context(), actor(c), a.Question)
	if err != nil {
		return err
	}
	w := s.startCSV(c, "by-"+string(a.By))
	w.Write([]string{"from", "to", string(a.By), "name", "calls", "failed", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "currency", "cost"})
	for _, l := range r.Lines {
		if len(l.Costs) == 0 {
			l.Costs = usages.Costs{"": 0}
		}
		first := true
		for currency, cost := range l.Costs {
			if !first { // a further currency has the cost alone
				l.Sum = usages.Sum{}
			}
			first = false
			w.Write(cells(r.From.Format(time.DateOnly), r.To.Add(-oneDay).Format(time.DateOnly), l.Name, a.lineLabel(l), strconv.Itoa(l.Calls), strconv.Itoa(l.Failed), strconv.Itoa(l.Input),
				strconv.Itoa(l.Output), strconv.Itoa(l.Cached), strconv.Itoa(l.Reasoning), currency, millionths(cost)))
		}
	}
	w.Flush()
	return nil
}

func (s *Server) startCSV(c echo.Context, what string) *csv.Writer {
	h := c.Response().Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="usage-`+what+"-"+s.Now().UTC().Format(time.DateOnly)+`.csv"`)
	h.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(http.StatusOK)
	return csv.NewWriter(c.Response())
}

// cells keeps a spreadsheet from taking texts for formulas.
func cells(texts ...string) []string {
	for i, t := range texts {
		texts[i] = harmless(t)
	}
	return texts
}

// millionths writes an amount exactly.
func millionths(n int64) string {
	return strconv.FormatInt(n/1_000_000, 10) + "." + pad(n%1_000_000, 6)
}
