package web

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
	"bailiwick/views/trainings"
)

// trainingLive is what the page of a job shows of it now.
func (s *Server) trainingLive(c echo.Context, j training.Job) (trainings.LiveProps, error) {
	ctx, by, ws := c.Request().Context(), actor(c), here(c).ID
	address := trainingURL(ws, j.ID)
	change := by.MayIn(ws, access.ChangeTrainings)
	p := trainings.LiveProps{
		State: trainingWords[j.State], Tone: trainingTones[j.State], Message: j.Message, Demo: j.Demo, Percent: percent(j), Progress: s.progress(j),
		PollURL: when(!j.State.Over(), address), CancelURL: when(change && !j.State.Over() && j.State != training.Cancelling, address+"/cancel"),
		DeleteURL: when(change && j.State.Over(), address+"/delete"), Facts: s.trainingFacts(c, j), LogURL: address + "/log",
	}
	if j.State.Over() {
		p.Percent = -1
	}
	if j.State == training.Succeeded {
		if m, err := s.Trainings.Store.Tuned(ctx, ws, j.Result); err == nil {
			p.Output = &trainings.Output{Name: string(m.Name), URL: ownModelURL(ws, m.ID), DeployURL: when(by.MayIn(ws, access.ChangeDeployments), deployURL(ws, m.Name))}
		}
	}
	curves, err := s.Trainings.Curves(ctx, by, ws, j.ID)
	if err != nil {
		return p, err
	}
	p.Curves, p.CurveNote = pictures(curves, j)
	points, err := s.Trainings.Checkpoints(ctx, by, ws, j.ID)
	if err != nil {
		return p, err
	}
	p.CheckpointNote = "The engine has reported none."
	for _, cp := range points {
		row := trainings.Checkpoint{Name: cp.Name, Step: number(cp.Step), Epoch: strconv.Itoa(cp.Epoch), Created: moment(cp.At), Published: string(cp.Published)}
		if row.ModelURL = ownModelsURL(ws) + "?q=" + url.QueryEscape(row.Published); row.Published == "" && change {
			row.PublishURL = trainingURL(ws, j.ID, "checkpoints", url.PathEscape(cp.Name), "publish")
		}
		p.Checkpoints = append(p.Checkpoints, row)
	}
	const tail = 12
	lines, total, err := s.Trainings.Log(ctx, by, ws, j.ID, max(1, j.Lines-tail+1), tail)
	p.Log = logLines(lines)
	if total > tail {
		p.LogNote = "The last " + strconv.Itoa(tail) + " of " + counted(int(total), "line") + "."
	}
	return p, err
}

// progress says how far a job is, and for how long it will go on.
func (s *Server) progress(j training.Job) string {
	var words []string
	if j.Steps > 0 && j.State != training.Queued && j.State != training.Validating {
		words = append(words, "step "+number(j.Step)+" of "+number(j.Steps))
	}
	switch {
	case j.State.Over() && !j.StartedAt.IsZero():
		words = append(words, "took "+took(j.EndedAt.Sub(j.StartedAt)))
	case j.Left > 0 && j.State == training.Running:
		words = append(words, "about "+strings.TrimPrefix(within(j.Left), "in ")+" left")
	case j.State == training.Running:
		words = append(words, "time left not reported")
	}
	return strings.Join(words, " · ")
}

// took says how long something went on.
func took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// trainingFacts are what was asked for and what is known by now.
func (s *Server) trainingFacts(c echo.Context, j training.Job) []trainings.Fact {
	facts := []trainings.Fact{
		{Name: "Training ID", Value: string(j.ID), Mono: true}, {Name: "Base model", Value: string(j.Model), Mono: true}, {Name: "Method", Value: methodWords(j.Method, j.Adapter)},
		{Name: "Data", Value: sourceNames(j.Train)},
	}
	if len(j.Valid) > 0 {
		facts = append(facts, trainings.Fact{Name: "Validation", Value: sourceNames(j.Valid)})
	} else {
		facts = append(facts, trainings.Fact{Name: "Validation", Value: validationWords(j.Split)})
	}
	for _, f := range hyperFacts(j.Hyper) {
		facts = append(facts, trainings.Fact{Name: f[0], Value: f[1]})
	}
	if j.Engine != "" {
		facts = append(facts, trainings.Fact{Name: "Provider", Value: j.Engine})
	}
	trained := "not reported"
	if j.TrainedTokens > 0 {
		trained = number(j.TrainedTokens)
	}
	facts = append(facts, trainings.Fact{Name: "Trained tokens", Value: trained}, trainings.Fact{Name: "Result", Value: string(j.Output), Mono: true})
	if j.Price.Millionths > 0 && j.TrainedTokens > 0 {
		facts = append(facts, trainings.Fact{Name: "Cost", Value: inCurrency(j.Price.Currency, amount(j.Price.Cost(j.TrainedTokens)))})
	}
	facts = append(facts, trainings.Fact{Name: "Created", Value: moment(j.CreatedAt).Text + " by " + j.Creator})
	if j.Clone != "" {
		facts = append(facts, trainings.Fact{Name: "Cloned from", Value: string(j.Clone), URL: trainingURL(here(c).ID, j.Clone)})
	}
	return facts
}

func validationWords(split int) string {
	if split >= 100 {
		return "none"
	}
	return strconv.Itoa(100-split) + " of a hundred examples, drawn by chance"
}

func sourceNames(list []training.Source) string {
	var names []string
	for _, f := range list {
		names = append(names, f.Name+" ("+counted(f.Examples, "example")+")")
	}
	return strings.Join(names, ", ")
}

// hyperFacts are the parameters that somebody chose; the others are the engine's.
func hyperFacts(h provider.Hyper) (facts [][2]string) {
	for _, f := range []struct {
		name string
		n    int
	}{{"Epochs", h.Epochs}, {"Batch size", h.BatchSize}, {"Longest example", h.MaxLength}, {"LoRA rank", h.Rank}} {
		if f.n > 0 {
			facts = append(facts, [2]string{f.name, number(f.n)})
		}
	}
	if h.LearningRate > 0 {
		facts = append(facts, [2]string{"Learning rate", strconv.FormatFloat(h.LearningRate, 'g', -1, 64)})
	}
	if len(facts) == 0 {
		facts = append(facts, [2]string{"Parameters", "the engine's own"})
	}
	return facts
}

func methodWords(m provider.Method, a provider.Adapter) string {
	words := map[provider.Method]string{provider.SFT: "SFT", provider.DPO: "DPO", provider.CPT: "CPT"}[m]
	switch a {
	case provider.Full:
		words += ", full"
	case provider.LoRA:
		words += ", LoRA"
	}
	return words
}

func logLines(list []training.Entry) (lines []trainings.Line) {
	for _, e := range list {
		at := moment(e.At)
		at.Text = e.At.UTC().Format("15:04:05")
		lines = append(lines, trainings.Line{Number: number(e.Number), At: at, Text: e.Text, Move: e.State != ""})
	}
	return lines
}

// measures are the curves of the page, as the original has them.
var measures = []struct{ name, title string }{
	{"train_loss", "Training loss"}, {"valid_loss", "Validation loss"}, {"valid_accuracy", "Validation token accuracy"},
}

// pictures makes the curves. What an engine does not report is said to be so.
func pictures(curves []training.Curve, j training.Job) (list []trainings.Curve, note string) {
	for _, m := range measures {
		p := trainings.Curve{Title: m.title, Last: "not reported"}
		if !j.State.Over() {
			p.Last = "nothing yet"
		}
		for _, c := range curves {
			if c.Name == m.name {
				picture(&p, c.Points, m.name == "valid_accuracy")
			}
		}
		list = append(list, p)
	}
	if j.Demo {
		note = "Real loss of a real, very small model."
	}
	return list, note
}

// tableMost is how many values the table behind a curve shows.
const tableMost = 100

func picture(p *trainings.Curve, points []provider.Point, share bool) {
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	if share {
		text = func(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }
	}
	highest := 0.0
	for _, v := range points {
		p.Points = append(p.Points, trainings.Point{Step: v.Step, Value: v.Value, Text: text(v.Value)})
		highest = math.Max(highest, v.Value)
	}
	if len(points) == 0 {
		return
	}
	p.Last = p.Points[len(points)-1].Text
	if p.Top = nice(highest); share {
		p.Top = 1
	}
	for _, part := range []float64{1, 0.5, 0} {
		tick := strconv.FormatFloat(p.Top*part, 'g', 3, 64)
		if share {
			tick = strconv.FormatFloat(100*part, 'f', 0, 64) + " %"
		}
		p.Ticks = append(p.Ticks, tick)
	}
	p.First, p.End = "step "+number(points[0].Step), "step "+number(points[len(points)-1].Step)
	every := (len(p.Points) + tableMost - 1) / tableMost
	p.Thinned = every > 1
	for i, v := range p.Points {
		if i%every == 0 || i == len(p.Points)-1 {
			p.Table = append(p.Table, v)
		}
	}
}

// nice is the next number that begins with 1, 2, 4, 5 or 8 and goes on with zeros.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, first := range []float64{1, 2, 4, 5, 8, 10} {
		if first*unit >= v {
			return first * unit
		}
	}
	return 10 * unit
}
