package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
	"bailiwick/views/trainings"
	"bailiwick/views/ui"
)

const atTrainings = "training"

// listTrainings answers GET /workspaces/:workspace/trainings.
func (s *Server) listTrainings(c echo.Context) error {
	rows, err := s.trainingList(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, trainings.List(rows), func() (templ.Component, error) {
		w := here(c)
		p := trainings.IndexProps{Workspace: w.Name, List: rows, CreateURL: rows.CreateURL}
		p.Chrome, err = s.chrome(c, "Training", atTrainings)
		return trainings.Index(p), err
	})
}

func (s *Server) trainingList(c echo.Context) (trainings.ListProps, error) {
	w := here(c)
	l := list(c, trainingsURL(w.ID))
	f := training.Filter{Search: l.search(), State: training.State(l.get("state")), After: l.after(), Limit: pageSize}
	jobs, next, _, err := s.Trainings.List(c.Request().Context(), actor(c), w.ID, f)
	if err != nil {
		return trainings.ListProps{}, err
	}
	p := trainings.ListProps{
		URL: l.url, Search: l.search(), States: trainingStates(f.State), ClearURL: when(l.search()+l.get("state") != "", l.url), Pager: l.pager(len(jobs), next),
		CreateURL: when(actor(c).MayIn(w.ID, access.ChangeTrainings), newTrainingURL(w.ID)), DataURL: when(actor(c).MayIn(w.ID, access.ReadDatasets), datasetsURL(w.ID)),
	}
	for _, j := range jobs {
		p.Rows = append(p.Rows, trainingRow(w.ID, j, p.CreateURL != ""))
	}
	return p, nil
}

func trainingRow(ws ident.Workspace, j training.Job, change bool) trainings.Row {
	r := trainings.Row{
		ID: string(j.ID), Name: j.Name, Model: string(j.Model), Method: methodWords(j.Method, j.Adapter), State: trainingWords[j.State], Tone: trainingTones[j.State], Demo: j.Demo,
		Creator: j.Creator, Created: moment(j.CreatedAt), URL: trainingURL(ws, j.ID), CloneURL: when(change, newTrainingURL(ws)+"?clone="+string(j.ID)),
	}
	if p := percent(j); p >= 0 && !j.State.Over() {
		r.Progress = strconv.Itoa(p) + " %"
	}
	return r
}

// percent is how much of a job is done; -1: it is not known.
func percent(j training.Job) int {
	if j.Steps <= 0 || j.State == training.Validating || j.State == training.Queued {
		return -1
	}
	return int(min(j.Step, j.Steps) * 100 / j.Steps)
}

var trainingWords = map[training.State]string{
	training.Validating: "Checking data", training.Queued: "Queued", training.Starting: "Starting", training.Running: "Training", training.Exporting: "Writing the model",
	training.Cancelling: "Cancelling", training.Succeeded: "Succeeded", training.Failed: "Failed", training.Cancelled: "Cancelled",
}

var trainingTones = map[training.State]ui.Tone{
	training.Starting: ui.Info, training.Running: ui.Info, training.Exporting: ui.Info, training.Cancelling: ui.Warn,
	training.Succeeded: ui.Good, training.Failed: ui.Bad,
}

func trainingStates(chosen training.State) []ui.Option {
	options := []ui.Option{{Label: "Every state"}}
	for _, st := range training.States {
		options = append(options, ui.Option{Value: string(st), Label: trainingWords[st], Selected: st == chosen})
	}
	return options
}

// findTraining finds the job that the path names, in its workspace.
func (s *Server) findTraining(c echo.Context) (training.Job, error) {
	id, err := ident.ParseTraining(param(c, "training"))
	if err != nil {
		return training.Job{}, err
	}
	return s.Trainings.Find(c.Request().Context(), actor(c), here(c).ID, id)
}

// showTraining answers GET …/trainings/:training: the page, or what changes of it.
func (s *Server) showTraining(c echo.Context) error { return s.showTrainingOver(c, nil) }

func (s *Server) showTrainingOver(c echo.Context, overlay templ.Component) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	live, err := s.trainingLive(c, j)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, trainings.Live(live), func() (templ.Component, error) { return s.trainingPage(c, overlay) })
}

// trainingPage is the page of a job with a dialog over it, if there is one.
func (s *Server) trainingPage(c echo.Context, overlay templ.Component) (templ.Component, error) {
	j, err := s.findTraining(c)
	if err != nil {
		return nil, err
	}
	live, err := s.trainingLive(c, j)
	if err != nil {
		return nil, err
	}
	ws := here(c).ID
	p := trainings.DetailProps{ID: string(j.ID), Name: j.Name, BackURL: trainingsURL(ws), Live: live}
	p.CloneURL = when(actor(c).MayIn(ws, access.ChangeTrainings), newTrainingURL(ws)+"?clone="+string(j.ID))
	p.Chrome, err = s.chrome(c, j.Name, atTrainings)
	p.Chrome.Overlay = overlay
	return trainings.Detail(p), err
}

// showTrainingLog answers GET …/trainings/:training/log.
func (s *Server) showTrainingLog(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	const most = 200
	from, err := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	if err != nil || from < 1 {
		from = 1
	}
	ws := here(c).ID
	lines, total, err := s.Trainings.Log(c.Request().Context(), actor(c), ws, j.ID, from, most)
	if err != nil {
		return err
	}
	p := trainings.LogProps{Name: j.Name, BackURL: trainingURL(ws, j.ID), Lines: logLines(lines), Total: counted(int(total), "line") + "."}
	address := trainingURL(ws, j.ID) + "/log?from="
	p.Pager.Summary = strconv.FormatInt(from, 10) + "–" + strconv.FormatInt(from+int64(len(lines))-1, 10)
	if from > 1 {
		p.Pager.PrevURL = address + strconv.FormatInt(max(1, from-most), 10)
	}
	if next := from + int64(len(lines)); next <= total && len(lines) > 0 {
		p.Pager.NextURL = address + strconv.FormatInt(next, 10)
	}
	p.Chrome, err = s.chrome(c, "Log of "+j.Name, atTrainings)
	if err != nil {
		return err
	}
	return s.send(c, http.StatusOK, trainings.Log(p))
}

// confirmCancelTraining answers GET …/trainings/:training/cancel.
func (s *Server) confirmCancelTraining(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	address := trainingURL(here(c).ID, j.ID)
	return s.showDialog(c, http.StatusOK, trainings.CancelDialog(ui.Confirm{
		Title: "Cancel this training?", Text: "What was learnt until now is lost, but for the checkpoints.", Action: address + "/cancel", Button: "Cancel training", CancelURL: address, Tone: ui.Bad,
	}), s.trainingPage)
}

// cancelTraining answers POST …/trainings/:training/cancel.
func (s *Server) cancelTraining(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	ws := here(c).ID
	if _, err := s.Trainings.Cancel(c.Request().Context(), actor(c), ws, j.ID); err != nil {
		return err
	}
	return s.leaveSaying(c, trainingURL(ws, j.ID), "Training cancelled")
}

// confirmDeleteTraining answers GET …/trainings/:training/delete.
func (s *Server) confirmDeleteTraining(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	address := trainingURL(here(c).ID, j.ID)
	return s.showDialog(c, http.StatusOK, trainings.DeleteDialog(ui.Confirm{
		Title: "Delete this training?", Text: "Its log, its curves and its unpublished checkpoints are gone for good. Models that came of it stay.", Action: address + "/delete", Button: "Delete", CancelURL: address, Tone: ui.Bad,
	}), s.trainingPage)
}

// deleteTraining answers POST …/trainings/:training/delete.
func (s *Server) deleteTraining(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	ws := here(c).ID
	if err := s.Trainings.Delete(c.Request().Context(), actor(c), ws, j.ID); err != nil {
		return err
	}
	return s.leaveSaying(c, trainingsURL(ws), "Training deleted")
}

// publishCheckpoint answers POST …/trainings/:training/checkpoints/:checkpoint/publish.
func (s *Server) publishCheckpoint(c echo.Context) error {
	j, err := s.findTraining(c)
	if err != nil {
		return err
	}
	ws := here(c).ID
	m, err := s.Trainings.Publish(c.Request().Context(), actor(c), ws, j.ID, param(c, "checkpoint"), "")
	if err != nil {
		return err
	}
	return s.leaveSaying(c, trainingURL(ws, j.ID), "Published as "+string(m.Name))
}

func trainingsURL(ws ident.Workspace) string   { return workspaceURL(ws) + "/trainings" }
func newTrainingURL(ws ident.Workspace) string { return trainingsURL(ws) + "/new" }
func trainingURL(ws ident.Workspace, id ident.Training, act ...string) string {
	return strings.Join(append([]string{trainingsURL(ws), string(id)}, act...), "/")
}
