package web

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider/embedded/sample"
	"bailiwick/views/datasets"
	"bailiwick/views/ui"
)

// listDatasets answers GET /workspaces/:workspace/datasets.
func (s *Server) listDatasets(c echo.Context) error {
	return showList(s, c, s.datasetIndex, datasets.List, s.datasetsPage)
}

// showDataset answers GET …/datasets/:dataset, with the latest version, and
// …/files/:file, with that one.
func (s *Server) showDataset(c echo.Context) error {
	d, versions, at, err := s.findDataset(c)
	if err != nil {
		return err
	}
	p, err := s.datasetPage(c, d, versions, at)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, datasets.Preview(p), func() (templ.Component, error) {
		var err error
		p.Chrome, err = s.chrome(c, p.Name, atDatasets)
		return datasets.Page(p), err
	})
}

// findDataset finds the dataset that the path names, its versions, and which of
// them the path names; the latest where it names none.
func (s *Server) findDataset(c echo.Context) (d dataset.Listed, versions []dataset.Version, at int, err error) {
	id, err := ident.ParseDataset(param(c, "dataset"))
	if err != nil {
		return d, nil, 0, err
	}
	if d, versions, err = s.Datasets.Find(c.Request().Context(), actor(c), here(c).ID, id); err != nil {
		return d, nil, 0, err
	}
	name := param(c, "file")
	for at, v := range versions {
		if name == "" || name == string(v.ID) {
			return d, versions, at, nil
		}
	}
	return d, nil, 0, fault.NoSuch("file")
}

// downloadFile answers GET …/files/:file/content: the file as it was uploaded.
func (s *Server) downloadFile(c echo.Context) error {
	_, versions, at, err := s.findDataset(c)
	if err != nil {
		return err
	}
	v, content, err := s.Datasets.Content(c.Request().Context(), actor(c), here(c).ID, versions[at].ID)
	if err != nil {
		return err
	}
	defer content.Close()
	attach(c, "application/jsonl", string(v.ID)+".jsonl")
	http.ServeContent(c.Response(), c.Request(), "", v.CreatedAt, content)
	return nil
}

// attach says that the answer is a file to keep. Nothing that a person uploaded
// is ever shown as a page.
func attach(c echo.Context, kind, name string) {
	h := c.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
}

// downloadReport answers GET …/files/:file/report.csv.
func (s *Server) downloadReport(c echo.Context) error {
	_, versions, at, err := s.findDataset(c)
	if err != nil {
		return err
	}
	r, err := s.Datasets.Report(c.Request().Context(), actor(c), here(c).ID, versions[at].ID)
	if err != nil {
		return err
	}
	attach(c, "text/csv; charset=utf-8", string(versions[at].ID)+"-report.csv")
	return r.WriteCSV(c.Response())
}

// reportAddress holds a report in itself: of a refused file nothing is kept that
// an address could lead to.
func reportAddress(r dataset.Report) string {
	var b strings.Builder
	if r.WriteCSV(&b) != nil {
		return ""
	}
	return "data:text/csv;base64," + base64.StdEncoding.EncodeToString([]byte(b.String()))
}

// downloadSample answers GET …/datasets/sample.
func (s *Server) downloadSample(c echo.Context) error {
	attach(c, "application/jsonl", sample.Name)
	c.Response().WriteHeader(http.StatusOK)
	_, err := c.Response().Write(sample.JSONL())
	return err
}

// useSample answers POST …/datasets/sample: the sample becomes a dataset like any other.
func (s *Server) useSample(c echo.Context) error {
	in := dataset.New{FileName: sample.Name, Name: "Harbor Coffee support", Description: "The sample: questions to a support desk, and what it answers."}
	v, err := s.Datasets.Upload(c.Request().Context(), actor(c), here(c).ID, in, strings.NewReader(string(sample.JSONL())))
	if err != nil {
		return err
	}
	return s.leaveSaying(c, datasetURL(here(c).ID, v.Dataset), "The sample is yours to train on")
}

// confirmDeleteDataset answers GET …/datasets/:dataset/delete and …/files/:file/delete.
func (s *Server) confirmDeleteDataset(c echo.Context) error {
	return s.showDeleteDataset(c, http.StatusOK, nil)
}

func (s *Server) showDeleteDataset(c echo.Context, status int, cause error) error {
	d, versions, at, err := s.findDataset(c)
	if err != nil {
		return err
	}
	what, goes := d.Name, versions
	if param(c, "file") != "" {
		what, goes = d.Name+" "+versionLabel(versions[at]), versions[at:at+1]
	}
	files := make([]ident.File, len(goes))
	for i, v := range goes {
		files[i] = v.ID
	}
	jobs, err := s.Datasets.JobsOf(c.Request().Context(), actor(c), here(c).ID, files)
	if err != nil {
		return err
	}
	p := ui.Confirm{
		Title: "Delete " + what + "?", Text: counted(len(goes), "file") + " will be gone for good. Models that were trained stay as they are.",
		Action: c.Request().URL.Path, Button: "Delete", CancelURL: datasetsURL(here(c).ID), Tone: ui.Bad,
	}
	for _, j := range jobs {
		line := "The training " + j.Name + " can no longer be repeated with the same data."
		if !j.Over {
			line = "The training " + j.Name + " uses it and is not over: it has to end first."
		}
		p.Stops = append(p.Stops, line)
	}
	if cause != nil {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, datasets.DeleteDialog(p), s.datasetsPage)
}

// deleteDataset answers POST …/datasets/:dataset/delete.
func (s *Server) deleteDataset(c echo.Context) error {
	d, _, _, err := s.findDataset(c)
	if err != nil {
		return err
	}
	return s.datasetDeleted(c, d, s.Datasets.Delete(c.Request().Context(), actor(c), here(c).ID, d.ID))
}

// deleteFile answers POST …/files/:file/delete.
func (s *Server) deleteFile(c echo.Context) error {
	d, versions, at, err := s.findDataset(c)
	if err != nil {
		return err
	}
	return s.datasetDeleted(c, d, s.Datasets.DeleteFile(c.Request().Context(), actor(c), here(c).ID, versions[at].ID))
}

// datasetDeleted goes back to where the deleted thing was listed. From the page
// of a dataset that is everything, as most of it is about what is gone.
func (s *Server) datasetDeleted(c echo.Context, d dataset.Listed, err error) error {
	if mendable(err) {
		return s.showDeleteDataset(c, statusOf(err), err)
	}
	if err != nil {
		return err
	}
	ws := here(c).ID
	list := datasetsURL(ws)
	if param(c, "file") != "" && d.Versions > 1 {
		return s.leaveSaying(c, datasetURL(ws, d.ID), "Version deleted")
	}
	if at := comingFrom(c); visitOf(c).scripted && at != list && !strings.HasPrefix(at, list+"?") {
		return s.leaveSaying(c, list, "Dataset deleted")
	}
	return s.done(c, list, "Dataset deleted", func() (templ.Component, error) {
		p, err := s.datasetIndex(c)
		return datasets.Deleted(p), err
	})
}

func versionLabel(v dataset.Version) string { return "V" + strconv.Itoa(v.Number) }
