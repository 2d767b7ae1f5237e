package web

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
)

// exportAudit answers GET …/audit/export: every line that is filtered, newest
// first, as they are read. One that fails on the way is broken off, so that
// nobody takes a part for the whole.
func (s *Server) exportAudit(c echo.Context) error {
	ws, address := auditOf(c)
	l := listed{values: c.QueryParams(), url: address}
	if ordinary(l.values) != nil {
		return fault.New(fault.Invalid, "The address holds something that is no text.")
	}
	write, kind := exportCSV, "text/csv; charset=utf-8"
	format := l.get("format")
	switch format {
	case "csv":
	case "json":
		write, kind = exportJSON, "application/json"
	default:
		return fault.New(fault.Invalid, "Export as csv or json.")
	}
	f := eventFilter(c, l)
	f.After = ""
	lines, err := s.Audit.Export(c.Request().Context(), actor(c), ws, f)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="audit-`+string(actor(c).Alias)+s.Now().UTC().Format("-20060102-150405.")+format+`"`)
	h.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	if err := write(c.Response(), lines); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// exportedLine is a line as it is exported.
type exportedLine struct {
	Time          string            `json:"time"`
	ID            string            `json:"id"`
	Result        string            `json:"result"`
	Action        string            `json:"action"`
	Summary       string            `json:"summary"`
	ActorKind     string            `json:"actor_kind"`
	Actor         string            `json:"actor"`
	ActorID       string            `json:"actor_id"`
	Address       string            `json:"address"`
	Request       string            `json:"request_id"`
	Workspace     string            `json:"workspace_id"`
	WorkspaceName string            `json:"workspace"`
	ObjectKind    string            `json:"object_kind"`
	Object        string            `json:"object_id"`
	ObjectName    string            `json:"object"`
	Changes       []audit.Change    `json:"changes"`
	Detail        map[string]string `json:"detail"`
	Hash          string            `json:"hash"`
	Prev          string            `json:"previous_hash"`
}

func exportLine(l account.TrailLine) exportedLine {
	e := exportedLine{
		l.At.UTC().Format(time.RFC3339Nano), string(l.ID), string(l.Result), l.Action, l.Summary, string(l.ActorKind), l.ActorName, string(l.Actor), l.Address, string(l.Call),
		string(l.Workspace), l.WorkspaceName, l.ObjectKind, l.Object, l.ObjectName, l.Changes, l.Detail, l.Hash.String(), l.Prev.String(),
	}
	if e.Changes == nil {
		e.Changes = []audit.Change{}
	}
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	return e
}

func exportJSON(to io.Writer, lines iter.Seq2[account.TrailLine, error]) error {
	joint := "[\n"
	for l, err := range lines {
		if err != nil {
			return err
		}
		text, err := json.Marshal(exportLine(l))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(to, joint+string(text)); err != nil {
			return err
		}
		joint = ",\n"
	}
	if joint == "[\n" {
		joint += "]\n"
	} else {
		joint = "\n]\n"
	}
	_, err := io.WriteString(to, joint)
	return err
}

var exportHead = []string{
	"time", "id", "result", "action", "summary", "actor_kind", "actor", "actor_id", "address", "request_id", "workspace_id", "workspace",
	"object_kind", "object_id", "object", "changes", "detail", "hash", "previous_hash",
}

func exportCSV(to io.Writer, lines iter.Seq2[account.TrailLine, error]) error {
	w := csv.NewWriter(to)
	if err := w.Write(exportHead); err != nil {
		return err
	}
	for l, err := range lines {
		if err != nil {
			return err
		}
		e := exportLine(l)
		cells := []string{
			e.Time, e.ID, e.Result, e.Action, e.Summary, e.ActorKind, e.Actor, e.ActorID, e.Address, e.Request, e.Workspace, e.WorkspaceName,
			e.ObjectKind, e.Object, e.ObjectName, "", "", e.Hash, e.Prev,
		}
		if len(e.Changes) > 0 {
			cells[15] = inJSON(e.Changes)
		}
		if len(e.Detail) > 0 {
			cells[16] = inJSON(e.Detail)
		}
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func inJSON(v any) string {
	text, _ := json.Marshal(v) // strings always marshal
	return string(text)
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
