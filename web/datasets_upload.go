package web

import (
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/intake"
	"bailiwick/internal/provider"
	"bailiwick/views/datasets"
	"bailiwick/views/ui"
)

// uploadMax bounds the body of an upload; the account's settings bound the file
// in it, and no setting allows more than this.
const uploadMax = 10<<30 + 1<<20

// uploadBounds are those of the form around it.
var uploadBounds = intake.Bounds{Parts: 16, Field: 8 << 10}

// newDataset answers GET …/datasets/new, and newVersion GET …/datasets/:dataset/new.
func (s *Server) newDataset(c echo.Context) error {
	return s.showUpload(c, http.StatusOK, nil, form{}, nil)
}

func (s *Server) newVersion(c echo.Context) error {
	d, _, _, err := s.findDataset(c)
	if err != nil {
		return err
	}
	return s.showUpload(c, http.StatusOK, &d, form{}, nil)
}

// uploadDataset answers POST …/datasets, and uploadVersion POST …/datasets/:dataset.
func (s *Server) uploadDataset(c echo.Context) error { return s.upload(c, nil) }

func (s *Server) uploadVersion(c echo.Context) error {
	d, _, _, err := s.findDataset(c)
	if err != nil {
		return err
	}
	return s.upload(c, &d)
}

// upload takes a file as it comes; nothing of it waits in memory. It is the next
// version of a dataset or, with none, begins one.
func (s *Server) upload(c echo.Context, of *dataset.Listed) error {
	in, file, err := readUpload(c)
	if err != nil {
		if mendable(err) {
			return s.showUpload(c, statusOf(err), of, in, err)
		}
		return err
	}
	wanted := dataset.New{Name: in.Get("name"), Description: in.Get("description"), Method: provider.Method(in.Get("method")), FileName: file.FileName()}
	if of != nil {
		wanted = dataset.New{Dataset: of.ID, FileName: file.FileName()}
	}
	v, err := s.Datasets.Upload(c.Request().Context(), actor(c), here(c).ID, wanted, file)
	if mendable(err) || fault.Is(err, fault.Busy) {
		return s.showUpload(c, statusOf(err), of, in, err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, datasetURL(here(c).ID, v.Dataset), "Uploaded: "+counted(v.Examples, "example"))
}

// readUpload reads the fields before the file, and leaves the file to be read.
func readUpload(c echo.Context) (in form, file *multipart.Part, err error) {
	f, err := intake.Open(c.Response(), c.Request(), uploadBounds, nil)
	if err != nil {
		return form{url.Values{}}, nil, fault.Field("file", "Choose a file.")
	}
	if file, err = f.Next(); err != nil {
		return form{f.Fields}, nil, unreadable(err)
	}
	if err := ordinary(f.Fields); err != nil {
		return form{url.Values{}}, nil, err
	}
	if file == nil || file.FormName() != "file" {
		return form{f.Fields}, nil, fault.Field("file", "Choose a file.")
	}
	return form{f.Fields}, file, nil
}

// showUpload shows the form, with what was typed and what is wrong with it.
func (s *Server) showUpload(c echo.Context, status int, of *dataset.Listed, in form, cause error) error {
	w := here(c)
	quota, _, err := s.Datasets.Room(c.Request().Context(), actor(c), w.ID)
	if err != nil {
		return err
	}
	p := datasets.UploadProps{
		Title: "Upload a training file", Intro: "It is checked while it comes in, and kept if nothing is wrong with it.",
		Action: datasetsURL(w.ID), BackURL: datasetsURL(w.ID), Name: in.Get("name"), Description: in.Get("description"), Methods: methodChoices(in.Get("method")),
		NameError: about(cause, "name"), DescriptionError: about(cause, "description"), FileError: about(cause, "file"),
		FileHint: "JSONL in UTF-8, one example a line, at most " + size(quota.FileSize) + ".", Most: strconv.FormatInt(quota.FileSize, 10), MostText: size(quota.FileSize),
	}
	if of != nil {
		p.Title, p.Action, p.BackURL, p.Further = "Upload a new version of "+of.Name, datasetURL(w.ID, of.ID), datasetURL(w.ID, of.ID), true
		p.FileHint += " It must teach by the same method: " + methodTitles[of.Method] + "."
	}
	if r, refused := dataset.ReportOf(cause); refused {
		report := reportOf(r)
		p.Report, p.ReportURL = &report, reportAddress(r)
	}
	if cause != nil && p.NameError+p.DescriptionError+p.FileError == "" {
		p.Notice = bad(cause)
	}
	return s.show(c, status, datasets.Upload(p), func() (templ.Component, error) {
		var err error
		p.Chrome, err = s.chrome(c, p.Title, atDatasets)
		return datasets.UploadPage(p), err
	})
}

// methodChoices are the formats of a file; the first one leaves it to the file.
func methodChoices(chosen string) []ui.Choice {
	list := []ui.Choice{
		{Value: "", Label: "As the file says", Hint: "The first example shows which it is."},
		{Value: string(provider.SFT), Hint: `{"messages": [{"role": "user", …}, {"role": "assistant", …}]}`},
		{Value: string(provider.DPO), Hint: `The same, and "chosen" and "rejected", a message each.`},
		{Value: string(provider.CPT), Hint: `{"text": "…"}`},
	}
	for i := range list {
		list[i].Chosen = list[i].Value == chosen
		if list[i].Label == "" {
			list[i].Label = methodTitles[provider.Method(list[i].Value)]
		}
	}
	return list
}
