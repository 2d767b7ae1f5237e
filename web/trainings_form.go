package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
	"bailiwick/views/trainings"
	"bailiwick/views/ui"
)

// newTraining answers GET /workspaces/:workspace/trainings/new. A job to clone,
// or a model to begin with, may be named.
func (s *Server) newTraining(c echo.Context) error {
	in := form{c.QueryParams()}
	if ordinary(in.Values) != nil {
		in = form{}
	}
	if id, err := ident.ParseTraining(in.Get("clone")); err == nil {
		j, err := s.Trainings.Find(c.Request().Context(), actor(c), here(c).ID, id)
		if err != nil {
			return err
		}
		in = cloned(j)
	}
	return s.showTask(c, http.StatusOK, in, nil)
}

// cloned is the form of a job that is there.
func cloned(j training.Job) form {
	v := map[string][]string{
		"clone": {string(j.ID)}, "method": {string(j.Method)}, "model": {string(j.Model)}, "adapter": {string(j.Adapter)}, "suffix": {j.Suffix}, "preset": {"own"},
		"n_epochs": {figureOf(j.Hyper.Epochs)}, "batch_size": {figureOf(j.Hyper.BatchSize)}, "max_length": {figureOf(j.Hyper.MaxLength)}, "lora_rank": {figureOf(j.Hyper.Rank)},
		"seed": {strconv.FormatInt(j.Hyper.Seed, 10)},
	}
	if j.Hyper.LearningRate > 0 {
		v["learning_rate"] = []string{strconv.FormatFloat(j.Hyper.LearningRate, 'g', -1, 64)}
	}
	if j.Name != string(j.ID) {
		v["name"] = []string{j.Name}
	}
	if len(j.Train) > 0 {
		v["train"] = []string{string(j.Train[0].File)}
	}
	if len(j.Valid) > 0 {
		v["valid"] = []string{string(j.Valid[0].File)}
	} else {
		v["split"] = []string{strconv.Itoa(j.Split)}
	}
	if j.Deploy {
		v["deploy"] = []string{"yes"}
	}
	return form{v}
}

func figureOf(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// createTraining answers POST /workspaces/:workspace/trainings.
func (s *Server) createTraining(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	w, err := s.wantedOf(c, in)
	var j training.Job
	if err == nil {
		j, err = s.Trainings.Create(c.Request().Context(), actor(c), here(c).ID, w)
	}
	if besideField(err) {
		return s.showTask(c, statusOf(err), in, err)
	}
	if err != nil {
		return err
	}
	return s.leaveSaying(c, trainingURL(here(c).ID, j.ID), "Training created")
}

// besideField reports whether the form can say what is wrong: a fault on a field,
// or something that can be mended.
func besideField(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && (mendable(err) || f.Field != "" && f.Kind != fault.Internal)
}

// estimateTraining answers POST …/trainings/new/estimate.
func (s *Server) estimateTraining(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	if !visitOf(c).scripted {
		return s.showTask(c, http.StatusOK, in, nil)
	}
	return s.send(c, http.StatusOK, trainings.Estimate(s.estimate(c, in)))
}

// estimate is what the training would take that the form asks for.
func (s *Server) estimate(c echo.Context, in form) trainings.EstimateProps {
	p := trainings.EstimateProps{URL: newTrainingURL(here(c).ID) + "/estimate"}
	w, err := s.wantedOf(c, in)
	var e training.Estimate
	if err == nil {
		e, err = s.Trainings.Estimate(c.Request().Context(), actor(c), here(c).ID, w)
	}
	if err != nil {
		p.Notice = &ui.Notice{Text: fault.Show(err)}
		return p
	}
	add := func(name, value, note string) {
		p.Facts = append(p.Facts, trainings.Fact{Name: name, Value: value, Note: note})
	}
	add("Provider", e.Engine, map[bool]string{true: "Demo engine: a real, very small model, 0.2 million parameters"}[e.Demo])
	add("Tokens", "about "+number(e.Trained), number(e.Tokens)+" in the data, "+counted(e.Epochs, "epoch"))
	switch {
	case e.Demo:
		add("Cost", "nothing", "the demo engine is free")
	case e.Price.Millionths == 0:
		add("Cost", "not known", "the catalogue has no training price for this model")
	default:
		add("Cost", "about "+inCurrency(e.Price.Currency, amount(e.Cost)), inCurrency(e.Price.Currency, amount(e.Price.Millionths))+" for a million tokens")
	}
	if e.Time > 0 {
		add("Time", "about "+strings.TrimPrefix(within(e.Time), "in "), "on two free cores")
	} else {
		add("Time", "not reported", "")
	}
	return p
}

// The presets: what they say of a training.
var presets = []struct {
	value, label, hint string
	epochs             func(usual int) int
}{
	{"usual", "Standard", "The engine's own parameters.", func(int) int { return 0 }},
	{"quick", "Quick", "A third of the epochs: a first look at the curve.", func(n int) int { return max(1, n/3) }},
	{"long", "Thorough", "Half as many epochs again, for few examples.", func(n int) int { return n + n/2 }},
	{"own", "Own parameters", "As written below.", nil},
}

// wantedOf reads a form.
func (s *Server) wantedOf(c echo.Context, in form) (training.Wanted, error) {
	w := training.Wanted{
		Model: in.Get("model"), Method: provider.Method(orElse(in.Get("method"), string(provider.SFT))), Adapter: provider.Adapter(in.Get("adapter")),
		Name: in.Get("name"), Suffix: in.Get("suffix"), Deploy: in.Get("deploy") != "" && actor(c).MayIn(here(c).ID, access.ChangeDeployments),
	}
	if id, err := ident.ParseTraining(in.Get("clone")); err == nil {
		w.Clone = id
	}
	if f := in.Get("train"); f != "" {
		w.Train = []string{f}
	}
	if f := in.Get("valid"); f != "" {
		w.Valid = []string{f}
	}
	var err error
	if w.Split, err = wholeNumber(in, "split", training.SplitLeast, 100); err != nil {
		return w, err
	}
	return w, s.hyperOf(c, in, &w)
}

// hyperOf reads the parameters: those of a preset, or one's own.
func (s *Server) hyperOf(c echo.Context, in form, w *training.Wanted) (err error) {
	for _, p := range presets {
		if p.value == orElse(in.Get("preset"), "usual") && p.epochs != nil {
			bases, err := s.Trainings.Bases(c.Request().Context(), actor(c), here(c).ID)
			for _, b := range bases {
				if string(b.Model) == w.Model && b.Usual.Epochs > 0 {
					w.Hyper.Epochs = p.epochs(b.Usual.Epochs)
				}
			}
			return err
		}
	}
	h := &w.Hyper
	for _, f := range []struct {
		name string
		to   *int
		most int
	}{{"n_epochs", &h.Epochs, training.EpochsMax}, {"batch_size", &h.BatchSize, training.BatchMax}, {"max_length", &h.MaxLength, training.LengthMax}, {"lora_rank", &h.Rank, training.RankMax}} {
		if *f.to, err = wholeNumber(in, f.name, 1, f.most); err != nil {
			return err
		}
	}
	if text := strings.TrimSpace(in.Get("learning_rate")); text != "" {
		if h.LearningRate, err = strconv.ParseFloat(text, 64); err != nil || h.LearningRate == 0 {
			return fault.Field("learning_rate", "The learning rate is a number such as 3e-3.")
		}
	}
	if text := strings.TrimSpace(in.Get("seed")); text != "" {
		if h.Seed, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fault.Field("seed", "The seed is a whole number.")
		}
	}
	return nil
}

// wholeNumber reads a number between bounds; empty: 0.
func wholeNumber(in form, name string, least, most int) (int, error) {
	text := strings.TrimSpace(in.Get(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fault.Field(name, "Write a whole number, %s–%s.", number(least), number(most))
	}
	return n, nil
}

// showTask shows the form as it was typed, and beside it what is wrong.
func (s *Server) showTask(c echo.Context, status int, in form, cause error) error {
	p, err := s.taskProps(c, in, cause)
	if err != nil {
		return err
	}
	return s.show(c, status, trainings.Task(p), func() (templ.Component, error) {
		p.Chrome, err = s.chrome(c, "Create training task", atTrainings)
		return trainings.Form(p), err
	})
}

func (s *Server) taskProps(c echo.Context, in form, cause error) (trainings.FormProps, error) {
	ws, by, ctx := here(c), actor(c), c.Request().Context()
	bases, err := s.Trainings.Bases(ctx, by, ws.ID)
	if err != nil {
		return trainings.FormProps{}, err
	}
	files, err := s.Trainings.Files(ctx, by, ws.ID)
	if err != nil {
		return trainings.FormProps{}, err
	}
	method := orElse(in.Get("method"), string(provider.SFT))
	if in.Get("model") == "" && len(bases) > 0 {
		in = in.saying("model", string(bases[0].Model))
	}
	if in.Get("train") == "" {
		for _, f := range files {
			if string(f.Method) == method {
				in = in.saying("train", string(f.Latest.ID))
				break
			}
		}
	}
	p := trainings.FormProps{
		Workspace: ws.Name, Action: trainingsURL(ws.ID), CancelURL: trainingsURL(ws.ID), Clone: in.Get("clone"), Notice: outside(cause),
		Methods: taughtChoices(bases, method), MethodError: about(cause, "method"), Bases: baseOptions(bases, in.Get("model")), BaseError: about(cause, "model"),
		Data: fileOptions(files, in.Get("train"), "Choose a dataset"), DataError: about(cause, "training_file_ids"), DataURL: when(by.MayIn(ws.ID, access.ReadDatasets), datasetsURL(ws.ID)),
		Valid: fileOptions(files, in.Get("valid"), "Split from the training set"), ValidError: about(cause, "validation_file_ids"),
		Adapters: adapterOptions(in.Get("adapter")), AdapterErr: about(cause, "adapter"),
		Split:  ui.Field{Name: "split", Label: "Examples to learn from, of a hundred", Value: orElse(in.Get("split"), strconv.Itoa(training.SplitUsual)), Error: about(cause, "split"), Hint: "The others measure how well the model does on what it does not learn from. Without a validation set of its own.", Type: "number"},
		Name:   ui.Field{Name: "name", Label: "Task name", Value: in.Get("name"), Error: about(cause, "name"), Hint: "Empty: its ID.", MaxLength: training.NameMax},
		Suffix: ui.Field{Name: "suffix", Label: "Suffix of the model's name", Value: in.Get("suffix"), Error: about(cause, "suffix"), Hint: "The model will be called base-suffix-ft-…, which is what callers write.", MaxLength: training.SuffixMax, NoSpell: true, Mono: true},
		Deploy: in.Get("deploy") != "", MayDeploy: by.MayIn(ws.ID, access.ChangeDeployments),
		Fields: hyperFields(in, cause), Estimate: s.estimate(c, in),
	}
	for _, x := range presets {
		p.Presets = append(p.Presets, trainings.Preset{Value: x.value, Label: x.label, Hint: x.hint, Chosen: x.value == orElse(in.Get("preset"), "usual")})
	}
	if len(bases) == 0 && p.Notice == nil {
		p.Notice = &ui.Notice{Tone: ui.Warn, Title: "There is no model that this workspace may train", Text: "The account owner or a super administrator authorizes Model Training, under Models in the Default Workspace. A provider that trains must serve the model."}
	}
	return p, nil
}

// saying is the form with one more word in it.
func (f form) saying(name, value string) form {
	values := map[string][]string{name: {value}}
	for k, v := range f.Values {
		if k != name {
			values[k] = v
		}
	}
	return form{values}
}

// outside is what is wrong with a form and stands beside none of its fields.
func outside(cause error) *ui.Notice {
	var f *fault.Fault
	if cause == nil || errors.As(cause, &f) && f.Field != "" && f.Field != "state" && f.Field != "id" && f.Field != "hyper_parameters" {
		return nil
	}
	return bad(cause)
}

func taughtChoices(bases []training.Base, chosen string) (list []ui.Choice) {
	for _, m := range []struct {
		method      provider.Method
		label, hint string
	}{
		{provider.SFT, "SFT: dialogues", "Questions and the answers that the model shall give."},
		{provider.DPO, "DPO: preferences", "Two answers to a question, of which one is better."},
		{provider.CPT, "CPT: plain text", "Texts whose language the model shall take on."},
	} {
		able := m.method == provider.SFT
		for _, b := range bases {
			able = able || len(b.Methods[m.method]) > 0
		}
		if able {
			list = append(list, ui.Choice{Value: string(m.method), Label: m.label, Hint: m.hint, Chosen: string(m.method) == chosen})
		}
	}
	return list
}

func baseOptions(bases []training.Base, chosen string) (list []ui.Option) {
	if len(bases) == 0 {
		return []ui.Option{{Label: "None"}}
	}
	for _, b := range bases {
		label := b.Name + " (" + string(b.Model) + ")"
		if b.Tuned {
			label = "Own: " + label
		}
		if b.Demo {
			label += ", demo engine"
		}
		list = append(list, ui.Option{Value: string(b.Model), Label: label, Selected: string(b.Model) == chosen})
	}
	return list
}

func adapterOptions(chosen string) []ui.Option {
	list := []ui.Option{{Label: "What the engine does"}, {Value: string(provider.Full), Label: "Every weight (full)"}, {Value: string(provider.LoRA), Label: "Matrices beside them (LoRA)"}}
	for i := range list {
		list[i].Selected = list[i].Value == chosen
	}
	return list
}

func hyperFields(in form, cause error) (list []ui.Field) {
	for _, f := range []struct{ name, label, hint, kind string }{
		{"n_epochs", "Epochs", "1–200. Under 10,000 examples 3–5 for large models.", "number"},
		{"batch_size", "Batch size", "1–1,024 examples.", "number"},
		{"learning_rate", "Learning rate", "1e-5 for large models, 1e-4 with LoRA, 3e-3 for the demo engine.", ""},
		{"max_length", "Longest example", "In tokens; what is longer is cut.", "number"},
		{"lora_rank", "LoRA rank", "1–512, such as 64. Only with LoRA.", "number"},
		{"seed", "Seed", "The same seed draws the same.", "number"},
	} {
		list = append(list, ui.Field{Name: f.name, Label: f.label, Hint: f.hint + map[bool]string{true: " Empty: the engine's own."}[f.name != "seed"], Value: in.Get(f.name), Error: about(cause, f.name), Type: f.kind})
	}
	return list
}

// fileOptions lists the files that can be learnt from; none is the first choice.
func fileOptions(files []dataset.Listed, chosen, none string) []ui.Option {
	list := []ui.Option{{Label: none}}
	for _, f := range files {
		label := f.Name + " V" + strconv.Itoa(f.Latest.Number) + ", " + counted(f.Latest.Examples, "example") + ", " + methodWords(f.Method, "")
		list = append(list, ui.Option{Value: string(f.Latest.ID), Label: label, Selected: string(f.Latest.ID) == chosen})
	}
	return list
}
