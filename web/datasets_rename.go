package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/views/datasets"
	"bailiwick/views/ui"
)

// askRenameDataset answers GET …/datasets/:dataset/rename.
func (s *Server) askRenameDataset(c echo.Context) error {
	d, _, _, err := s.findDataset(c)
	if err != nil {
		return err
	}
	return s.showRenameDataset(c, http.StatusOK, d, d.Words(), nil)
}

// showRenameDataset shows the form, with what was typed and what is wrong with it.
func (s *Server) showRenameDataset(c echo.Context, status int, d dataset.Listed, typed dataset.Words, cause error) error {
	address := datasetURL(here(c).ID, d.ID)
	p := datasets.RenameProps{
		Action: address + "/rename", CancelURL: address, SeenName: d.Name, SeenDescription: d.Description,
		Name:        ui.Field{Name: "name", Label: "Name", Value: typed.Name, Error: about(cause, "name"), MaxLength: dataset.MaxName, Focus: true, Hint: "Trainings that used it keep the name that it had."},
		Description: ui.Field{Name: "description", Label: "Description", Value: typed.Description, Error: about(cause, "description"), MaxLength: dataset.MaxDescription},
	}
	if fault.Is(cause, fault.Conflict) {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "The dataset was renamed meanwhile.", Text: "It is called " + d.Name + " now. What you typed is kept below; OK puts it over that."}
	} else if cause != nil && p.Name.Error+p.Description.Error == "" {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, datasets.RenameDialog(p), s.datasetsPage)
}

// renameDataset answers POST …/datasets/:dataset/rename.
func (s *Server) renameDataset(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	d, _, _, err := s.findDataset(c)
	if err != nil {
		return err
	}
	seen, to := dataset.Words{Name: in.Get("seen_name"), Description: in.Get("seen_description")}, dataset.Words{Name: in.Get("name"), Description: in.Get("description")}
	err = s.Datasets.Rename(c.Request().Context(), actor(c), here(c).ID, d.ID, seen, to)
	if mendable(err) {
		return s.showRenameDataset(c, statusOf(err), d, to, err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, datasetURL(here(c).ID, d.ID), "Dataset renamed")
}
