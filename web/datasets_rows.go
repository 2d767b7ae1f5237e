package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/dataset"
	"bailiwick/internal/provider"
	"bailiwick/views/datasets"
	"bailiwick/views/ui"
)

// datasetsPage is the list of datasets, with a dialog over it or without.
func (s *Server) datasetsPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	p, err := s.datasetIndex(c)
	if err != nil {
		return nil, err
	}
	p.Chrome, err = s.chrome(c, "Datasets", atDatasets)
	p.Chrome.Overlay = overlay
	return datasets.Index(p), err
}

// datasetIndex is what the page of datasets shows, without its frame.
func (s *Server) datasetIndex(c echo.Context) (datasets.IndexProps, error) {
	w := here(c)
	change := actor(c).MayIn(w.ID, access.ChangeDatasets)
	p := datasets.IndexProps{
		Workspace: w.Name, NewURL: when(change, newDatasetURL(w.ID)), SampleURL: sampleDataURL(w.ID), UseURL: when(change, sampleDataURL(w.ID)),
	}
	quota, used, err := s.Datasets.Room(c.Request().Context(), actor(c), w.ID)
	if err != nil {
		return p, err
	}
	p.Room = fmt.Sprintf("%s of %s in use, %s of %s.", number(used.Files), counted(quota.Files, "file"), size(used.Bytes), size(quota.Bytes))
	l := list(c, datasetsURL(w.ID))
	f := dataset.Filter{
		Search: l.search(), Method: provider.Method(l.get("method")), Order: dataset.Order(l.get("sort")), Reversed: l.get("order") == turned,
		After: l.after(), Limit: pageSize,
	}
	found, next, err := s.Datasets.List(c.Request().Context(), actor(c), w.ID, f)
	if err != nil {
		return p, err
	}
	p.List = datasets.ListProps{
		URL: l.url, Search: l.search(), Methods: methodOptions(f.Method), ClearURL: when(l.search()+l.get("method") != "", l.url),
		Name: l.turning(string(dataset.ByName), false), Size: l.turning(string(dataset.BySize), true), Changed: l.turning(string(dataset.ByChange), true),
		Pager: l.pager(len(found), next),
	}
	for _, d := range found {
		p.List.Rows = append(p.List.Rows, datasetRow(d, change))
	}
	return p, nil
}

func datasetRow(d dataset.Listed, change bool) datasets.Row {
	r := datasets.Row{
		ID: string(d.ID), Name: d.Name, File: string(d.Latest.ID), Method: methodName(d.Method), Version: versionLabel(d.Latest),
		Examples: number(d.Latest.Examples), Size: size(d.Bytes), Changed: moment(d.Latest.CreatedAt), Creator: creatorOf(d.Latest),
		URL: datasetURL(d.Workspace, d.ID), DeleteURL: when(change, datasetURL(d.Workspace, d.ID, "delete")),
	}
	if n := d.Latest.Warnings; n > 0 {
		r.Warnings = counted(n, "warning")
	}
	return r
}

// creatorOf says who uploaded a version, and whether a program did it for them.
func creatorOf(v dataset.Version) string {
	if v.ByKey != "" {
		return v.Creator + ", with an API key"
	}
	return v.Creator
}

func methodName(m provider.Method) string { return strings.ToUpper(string(m)) }

// methodTitles are what the methods teach by.
var methodTitles = map[provider.Method]string{provider.SFT: "Dialogues (SFT)", provider.DPO: "Preferences (DPO)", provider.CPT: "Plain text (CPT)"}

var trainMethods = []provider.Method{provider.SFT, provider.DPO, provider.CPT}

func methodOptions(chosen provider.Method) []ui.Option {
	options := []ui.Option{{Label: "Every method"}}
	for _, m := range trainMethods {
		options = append(options, ui.Option{Value: string(m), Label: methodTitles[m], Selected: m == chosen})
	}
	return options
}

// size says how many bytes something takes.
func size(n int64) string {
	for i, unit := range []string{"KB", "MB", "GB"} {
		if limit := int64(1) << (10 * (i + 1)); n < limit<<10 && n >= limit || unit == "GB" && n >= limit {
			return strings.TrimSuffix(strconv.FormatFloat(float64(n)/float64(limit), 'f', 1, 64), ".0") + " " + unit
		}
	}
	return counted(int(n), "byte")
}

// shownExamples is how many examples of a file a page shows.
const shownExamples = 10

// datasetPage is what the page of one dataset shows, without its frame.
func (s *Server) datasetPage(c echo.Context, d dataset.Listed, versions []dataset.Version, at int) (p datasets.PageProps, err error) {
	w, v := here(c), versions[at]
	change := actor(c).MayIn(w.ID, access.ChangeDatasets)
	report, err := s.Datasets.Report(c.Request().Context(), actor(c), w.ID, v.ID)
	if err != nil {
		return p, err
	}
	p = datasets.PageProps{
		Name: d.Name, Description: d.Description, BackURL: datasetsURL(w.ID), Method: methodTitles[d.Method],
		UploadURL: when(change, datasetURL(w.ID, d.ID, "new")), RenameURL: when(change, datasetURL(w.ID, d.ID, "rename")), DeleteURL: when(change, datasetURL(w.ID, d.ID, "delete")),
		Facts: []datasets.Fact{
			{Name: "File ID", Text: string(v.ID), Copy: true}, {Name: "Method", Text: methodTitles[d.Method]},
			{Name: "Examples", Text: number(v.Examples)}, {Name: "Size", Text: size(v.Size)},
			{Name: "Tokens", Text: "about " + number(v.Tokens) + ", the longest example about " + number(report.Longest)},
			{Name: "SHA-256", Text: v.SHA256, Copy: true}, {Name: "MD5", Text: v.MD5},
			{Name: "Uploaded", Text: moment(v.CreatedAt).Text + " by " + creatorOf(v)},
		},
		Report: reportOf(report), ReportURL: when(len(report.Items) > 0, fileURL(w.ID, d.ID, v.ID, "report.csv")),
	}
	for i, v := range versions {
		p.Versions = append(p.Versions, versionRow(v, i == at, change))
	}
	p.Shown = p.Versions[at]
	return p, s.previewOf(c, &p, v)
}

func versionRow(v dataset.Version, shown, change bool) datasets.Version {
	return datasets.Version{
		Label: versionLabel(v), ID: string(v.ID), FileName: v.FileName, Examples: number(v.Examples), Size: size(v.Size),
		Created: moment(v.CreatedAt), Creator: creatorOf(v), URL: fileURL(v.Workspace, v.Dataset, v.ID), Shown: shown,
		ContentURL: fileURL(v.Workspace, v.Dataset, v.ID, "content"), DeleteURL: when(change, fileURL(v.Workspace, v.Dataset, v.ID, "delete")),
	}
}

// previewOf adds some examples of a version, and the way to the next ones.
func (s *Server) previewOf(c echo.Context, p *datasets.PageProps, v dataset.Version) error {
	from, err := strconv.Atoi(c.QueryParam("from"))
	if err != nil || from < 0 || from > v.Examples {
		from = 0
	}
	examples, more, err := s.Datasets.Preview(c.Request().Context(), actor(c), v.Workspace, v.ID, from, shownExamples)
	if err != nil {
		return err
	}
	for _, e := range examples {
		shown := datasets.Example{Line: number(e.Line)}
		for _, said := range e.Says {
			shown.Says = append(shown.Says, saidOf(said))
		}
		p.Examples = append(p.Examples, shown)
	}
	address := fileURL(v.Workspace, v.Dataset, v.ID)
	p.Pager = ui.Pager{Summary: fmt.Sprintf("%s–%s of %s", number(from+1), number(from+len(examples)), number(v.Examples))}
	if from > 0 {
		p.Pager.PrevURL = withQuery(address, "from", strconv.Itoa(max(0, from-shownExamples)))
	}
	if more {
		p.Pager.NextURL = withQuery(address, "from", strconv.Itoa(from+shownExamples))
	}
	return nil
}

// speakers are the roles of messages as people read them.
var speakers = map[string]string{"system": "System", "developer": "Developer", "user": "User", "assistant": "Assistant", "tool": "Tool", "": "Text"}

func saidOf(m dataset.Said) datasets.Said {
	said := datasets.Said{Role: m.Role, Head: speakers[m.Role], Text: m.Text}
	switch m.Mark {
	case "chosen":
		said.Head += ", preferred"
	case "rejected":
		said.Head += ", rejected"
	}
	return said
}

// reportOf tells a report to people.
func reportOf(r dataset.Report) datasets.ReportProps {
	p := datasets.ReportProps{Valid: r.Valid, Summary: counted(r.Examples, "example") + ", no problems."}
	switch {
	case r.Errors > 0 && r.Warnings > 0:
		p.Summary = fmt.Sprintf("%s in %s, and %s. The file was not kept.", counted(r.Errors, "error"), counted(r.Lines, "line"), counted(r.Warnings, "warning"))
	case r.Errors > 0:
		p.Summary = fmt.Sprintf("%s in %s. The file was not kept.", counted(r.Errors, "error"), counted(r.Lines, "line"))
	case r.Warnings > 0:
		p.Summary = fmt.Sprintf("%s, no errors, %s.", counted(r.Examples, "example"), counted(r.Warnings, "warning"))
	}
	for _, i := range r.Items {
		line := "File"
		if i.Line > 0 {
			line = number(i.Line)
		}
		p.Items = append(p.Items, datasets.Item{Line: line, Path: i.Path, Warning: i.Warning, Code: string(i.Code), Message: i.Message, Hint: i.Hint})
	}
	if hidden := r.Errors + r.Warnings - len(r.Items); hidden > 0 {
		p.More = counted(hidden, "further one") + " not shown."
	}
	for code, n := range r.Counts {
		p.Counts = append(p.Counts, datasets.Count{Code: string(code), N: number(n)})
	}
	slices.SortFunc(p.Counts, func(a, b datasets.Count) int { return strings.Compare(a.Code, b.Code) })
	return p
}
