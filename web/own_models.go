package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
	"bailiwick/views/tuned"
	"bailiwick/views/ui"
)

const atOwnModels = "own-models"

func ownModelsURL(ws ident.Workspace) string { return workspaceURL(ws) + "/my-models" }

func ownModelURL(ws ident.Workspace, id ident.Tuned, act ...string) string {
	return strings.Join(append([]string{ownModelsURL(ws), string(id)}, act...), "/")
}

// deployURL is where a model is put up for calls.
func deployURL(ws ident.Workspace, m ident.Model) string {
	return workspaceURL(ws) + "/deployments/new?model=" + url.QueryEscape(string(m))
}

// listOwnModels answers GET /workspaces/:workspace/my-models.
func (s *Server) listOwnModels(c echo.Context) error {
	return showList(s, c, s.ownModelList, tuned.List, s.ownModelsPage)
}

// ownModelsPage is the list with a panel or dialog over it, if there is one.
func (s *Server) ownModelsPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	rows, err := s.ownModelList(c)
	if err != nil {
		return nil, err
	}
	p := tuned.IndexProps{Workspace: here(c).Name, List: rows}
	p.Chrome, err = s.chrome(c, "My Models", atOwnModels)
	p.Chrome.Overlay = overlay
	return tuned.Index(p), err
}

func (s *Server) ownModelList(c echo.Context) (tuned.ListProps, error) {
	ws, by := here(c).ID, actor(c)
	l := listBehind(c, ownModelsURL(ws))
	models, next, err := s.Trainings.Models(c.Request().Context(), by, ws, training.ModelFilter{Search: l.search(), After: l.after(), Limit: pageSize})
	if err != nil {
		return tuned.ListProps{}, err
	}
	p := tuned.ListProps{URL: l.url, Search: l.search(), ClearURL: when(l.search() != "", l.url), TrainURL: when(by.MayIn(ws, access.ChangeTrainings), newTrainingURL(ws)), Pager: l.pager(len(models), next)}
	for _, m := range models {
		p.Rows = append(p.Rows, tuned.Row{
			ID: string(m.ID), Name: string(m.Name), Title: m.Title, Base: string(m.Base), Demo: m.Demo, Method: methodWords(m.Method, m.Adapter), Size: bytesWords(m.Size),
			Creator: m.Creator, Created: moment(m.CreatedAt), ViewURL: l.carried(ownModelURL(ws, m.ID)), DeployURL: when(by.MayIn(ws, access.ChangeDeployments), deployURL(ws, m.Name)),
		})
	}
	return p, nil
}

// bytesWords writes a size; empty for none.
func bytesWords(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatInt((n+512)>>10, 10) + " KB"
	case n < 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GB"
}

// findOwnModel finds the model that the path names, in its workspace.
func (s *Server) findOwnModel(c echo.Context) (training.Tuned, error) {
	id, err := ident.ParseTuned(param(c, "tuned"))
	if err != nil {
		return training.Tuned{}, err
	}
	return s.Trainings.Model(c.Request().Context(), actor(c), here(c).ID, id)
}

// showOwnModel answers GET …/my-models/:tuned: the panel.
func (s *Server) showOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	ws, by := here(c).ID, actor(c)
	l := listBehind(c, ownModelsURL(ws))
	change := by.MayIn(ws, access.ChangeTrainings)
	p := tuned.PanelProps{
		URL: l.carried(ownModelURL(ws, m.ID)), BackURL: l.carried(l.url), Title: m.Title, Name: string(m.Name), Demo: m.Demo, Facts: ownModelFacts(ws, m),
		FilesNote: "The weights stay with the provider, which gives none away.", DeployURL: when(by.MayIn(ws, access.ChangeDeployments), deployURL(ws, m.Name)),
		TrainURL: when(change, newTrainingURL(ws)+"?model="+url.QueryEscape(string(m.Name))), RenameURL: when(change, ownModelURL(ws, m.ID, "rename")), DeleteURL: when(change, ownModelURL(ws, m.ID, "delete")),
	}
	for _, f := range m.Artifact.Files {
		if m.Artifact.Folder != "" {
			p.Files = append(p.Files, tuned.File{Name: f, URL: ownModelURL(ws, m.ID, "files", url.PathEscape(f)), About: fileWords[f]})
		}
	}
	return s.showDialog(c, http.StatusOK, tuned.Panel(p), s.ownModelsPage)
}

// fileWords say what files of models are for.
var fileWords = map[string]string{
	"model.gguf": "for llama.cpp and Ollama", "model.safetensors": "weights, as Hugging Face's libraries read them", "config.json": "shape of the model",
	"vocab.json": "tokenizer", "merges.txt": "tokenizer", "tokenizer_config.json": "tokenizer", "adapter_model.safetensors": "adapter, to be used with its base", "adapter_config.json": "settings of the adapter",
}

func ownModelFacts(ws ident.Workspace, m training.Tuned) []tuned.Fact {
	facts := []tuned.Fact{{Name: "Base model", Value: string(m.Base), Mono: true}}
	if m.From != "" {
		facts = append(facts, tuned.Fact{Name: "Trained further from", Value: string(m.From), Mono: true})
	}
	source := tuned.Fact{Name: "Training", Value: string(m.Training), URL: trainingURL(ws, m.Training)}
	if m.Checkpoint != "" {
		source.Value += ", " + m.Checkpoint
	}
	facts = append(facts, source, tuned.Fact{Name: "Method", Value: methodWords(m.Method, m.Adapter)}, tuned.Fact{Name: "Data", Value: sourceNames(m.Data)}, tuned.Fact{Name: "Data SHA-256", Value: m.DataSHA256, Mono: true})
	for _, f := range hyperFacts(m.Hyper) {
		facts = append(facts, tuned.Fact{Name: f[0], Value: f[1]})
	}
	if m.Artifact.Engine != "" {
		facts = append(facts, tuned.Fact{Name: "Made by", Value: m.Artifact.Engine})
	}
	return append(facts, tuned.Fact{Name: "Size", Value: orElse(bytesWords(m.Size), "with the provider")}, tuned.Fact{Name: "Created", Value: moment(m.CreatedAt).Text + " by " + m.Creator})
}

// downloadOwnModel answers GET …/my-models/:tuned/files/:artifact. The file leaves as
// it is read.
func (s *Server) downloadOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	name := param(c, "artifact")
	body, size, err := s.Trainings.Download(c.Request().Context(), actor(c), here(c).ID, m.ID, name)
	if err != nil {
		return err
	}
	defer body.Close()
	h := c.Response().Header()
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", `attachment; filename="`+downloadName(m.Name, name)+`"`)
	h.Set("Cache-Control", "no-store")
	return c.Stream(http.StatusOK, "application/octet-stream", body)
}

// downloadName is what a file is called on somebody's disk: after its model.
func downloadName(m ident.Model, file string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\":`, r) || r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, string(m)+"-"+file)
}

// renameOwnModel answers GET …/my-models/:tuned/rename.
func (s *Server) renameOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	return s.showRenameOwnModel(c, http.StatusOK, m, m.Title, nil)
}

func (s *Server) showRenameOwnModel(c echo.Context, status int, m training.Tuned, typed string, cause error) error {
	ws := here(c).ID
	p := tuned.RenameProps{
		Action: ownModelURL(ws, m.ID, "rename"), CancelURL: ownModelURL(ws, m.ID), Version: strconv.FormatInt(m.Version, 10), Name: string(m.Name),
		Title: ui.Field{Name: "title", Label: "Title", Value: typed, Error: about(cause, "title"), MaxLength: training.NameMax, Focus: true, Hint: "For people. The name that callers write stays."},
	}
	if cause != nil && p.Title.Error == "" {
		p.Notice = bad(cause)
	}
	return s.showDialog(c, status, tuned.RenameDialog(p), s.ownModelsPage)
}

// changeOwnModel answers POST …/my-models/:tuned/rename.
func (s *Server) changeOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	in, err := readForm(c)
	if err != nil {
		return err
	}
	ws := here(c).ID
	err = s.Trainings.Rename(c.Request().Context(), actor(c), ws, m.ID, in.Get("title"), in.version())
	if mendable(err) {
		return s.showRenameOwnModel(c, statusOf(err), m, in.Get("title"), err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, ownModelURL(ws, m.ID), "Model renamed")
}

// confirmDeleteOwnModel answers GET …/my-models/:tuned/delete.
func (s *Server) confirmDeleteOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	return s.showDeleteOwnModel(c, http.StatusOK, m, nil)
}

func (s *Server) showDeleteOwnModel(c echo.Context, status int, m training.Tuned, cause error) error {
	ws := here(c).ID
	confirm := ui.Confirm{
		Title: "Delete this model?", Text: "Its files are gone for good. What it was trained on stays.", Stops: []string{"Nobody can deploy or download " + string(m.Name) + " any more, or train it further."},
		Action: ownModelURL(ws, m.ID, "delete"), Button: "Delete", CancelURL: ownModelURL(ws, m.ID), Tone: ui.Bad,
	}
	if cause != nil {
		confirm.Notice = bad(cause)
	}
	return s.showDialog(c, status, tuned.DeleteDialog(confirm), s.ownModelsPage)
}

// deleteOwnModel answers POST …/my-models/:tuned/delete.
func (s *Server) deleteOwnModel(c echo.Context) error {
	m, err := s.findOwnModel(c)
	if err != nil {
		return err
	}
	ws := here(c).ID
	err = s.Trainings.DeleteModel(c.Request().Context(), actor(c), ws, m.ID)
	if mendable(err) {
		return s.showDeleteOwnModel(c, statusOf(err), m, err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, ownModelsURL(ws), "Model deleted")
}
