package training

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Wanted is what somebody says of a training.
type Wanted struct {
	Model   string // a model of the catalogue, or the name of an own tuned one
	Method  provider.Method
	Adapter provider.Adapter // empty: the first that the engine can
	Train   []string         // ids of files
	Valid   []string
	Split   int // of a hundred examples, those learnt from; 0: SplitUsual
	Hyper   provider.Hyper
	Name    string // empty: the id
	Suffix  string // of the result's name
	Deploy  bool
	Clone   ident.Training // the job that it is made like; empty: none
	// Metadata is the caller's own and told to them again; nothing else reads it.
	Metadata map[string]string
}

// The bounds of what can be said. The words and the usual values are those of
// the original's parameters.
const (
	NameMax    = 64 // characters
	SuffixMax  = 40
	FilesMax   = 20 // of each set
	SplitUsual = 80
	SplitLeast = 50
	EpochsMax  = 200
	BatchMax   = 1024
	LengthMax  = 1 << 20 // tokens
	RankMax    = 512
	RateLeast  = 1e-8
	RateMost   = 1.0
	OthersMax  = 4096 // bytes of parameters that only the engine knows
)

// settle checks what is wanted and makes a job of it, all but its id and names.
func (s *Service) settle(ctx context.Context, by access.Actor, ws ident.Workspace, w Wanted) (Job, error) {
	now := s.Now()
	j := Job{
		Account: by.Account, Workspace: ws, Method: w.Method, Adapter: w.Adapter, Hyper: w.Hyper, Deploy: w.Deploy, Clone: w.Clone, Split: w.Split, Metadata: w.Metadata,
		State: Validating, CreatedAt: now, UpdatedAt: now, CreatedBy: by.User, Creator: by.FullName(), ByKey: by.Key, Version: 1, Result: ident.NewTuned(),
	}
	if err := firstOf(s.words(&j, w), s.model(ctx, &j, w.Model), bounds(w.Hyper)); err != nil {
		return Job{}, err
	}
	e, err := s.engine(ctx, &j)
	if err != nil {
		return Job{}, err
	}
	if err := s.sources(ctx, &j, w); err != nil {
		return Job{}, err
	}
	j.Price = s.price(&j, e)
	return j, e.trainer.Check(ctx, s.spec(&j, e))
}

// firstOf gives the first error.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) words(j *Job, w Wanted) error {
	name := strings.Join(strings.Fields(w.Name), " ")
	if utf8.RuneCountInString(name) > NameMax {
		return fault.Field("name", "A name has at most %d characters.", NameMax)
	}
	j.Name = name
	j.Suffix = strings.TrimSpace(w.Suffix)
	if _, err := ident.ParseModel("x" + j.Suffix); err != nil || len(j.Suffix) > SuffixMax || strings.ContainsAny(j.Suffix, ":/@") {
		return fault.Field("suffix", "A suffix has at most %d letters, digits and . _ -", SuffixMax)
	}
	if j.Split == 0 {
		j.Split = SplitUsual
	}
	if j.Split < SplitLeast || j.Split > 100 {
		return fault.Field("split", "Between %d and 100 of a hundred examples are learnt from.", SplitLeast)
	}
	return nil
}

// model finds what is to be trained, which the workspace must hold the right for.
func (s *Service) model(ctx context.Context, j *Job, name string) error {
	id, err := ident.ParseModel(name)
	if err != nil {
		return fault.Field("model", "Choose a model to train.").Because(err)
	}
	j.Model, j.Base = id, id
	known := func(m catalogue.Model) bool { return m.ID == id }
	if !slices.ContainsFunc(s.World.Models(j.Account), known) {
		t, err := s.Store.TunedByName(ctx, j.Workspace, id)
		if err != nil {
			return about(err, "model")
		}
		j.Base, j.From = t.Base, t.ID
	}
	if !s.World.Holds(j.Workspace, j.Base, catalogue.Train) {
		return fault.New(fault.Forbidden, "This workspace is not authorized to train %s. The account owner or a super administrator can authorize it, under Models in the Default Workspace.", j.Base).About("model")
	}
	return nil
}

// about names the field of a fault.
func about(err error, field string) error {
	if fault.KindOf(err) == fault.Missing {
		return fault.NoSuch("model").About(field).Because(err)
	}
	return err
}

// bounds checks the parameters that every engine knows. Zero is the engine's to choose.
func bounds(h provider.Hyper) error {
	switch {
	case h.Epochs < 0 || h.Epochs > EpochsMax:
		return fault.Field("n_epochs", "The number of epochs is 1–%d.", EpochsMax)
	case h.BatchSize < 0 || h.BatchSize > BatchMax:
		return fault.Field("batch_size", "A batch has 1–%d examples.", BatchMax)
	case h.LearningRate != 0 && !(h.LearningRate >= RateLeast && h.LearningRate <= RateMost):
		return fault.Field("learning_rate", "The learning rate is between %g and %g, such as 3e-3.", RateLeast, RateMost)
	case h.MaxLength < 0 || h.MaxLength > LengthMax:
		return fault.Field("max_length", "The length of an example is 1–%d tokens.", LengthMax)
	case h.Rank < 0 || h.Rank > RankMax:
		return fault.Field("lora_rank", "The rank of LoRA is 1–%d.", RankMax)
	case h.Seed < 0:
		return fault.Field("seed", "The seed is 0 or more.")
	}
	if text, err := json.Marshal(h.Others); err != nil || len(text) > OthersMax {
		return fault.Field("hyper_parameters", "The parameters have at most %d bytes.", OthersMax)
	}
	return nil
}

// sources finds the files that are learnt from and measured by.
func (s *Service) sources(ctx context.Context, j *Job, w Wanted) (err error) {
	if len(w.Train) == 0 {
		return fault.Field("training_file_ids", "Choose what to learn from: a dataset of this workspace.")
	}
	if j.Train, err = s.find(ctx, j, "training_file_ids", w.Train); err == nil {
		j.Valid, err = s.find(ctx, j, "validation_file_ids", w.Valid)
	}
	for _, f := range j.Train {
		j.Tokens += f.Tokens
	}
	if len(j.Valid) > 0 {
		j.Split = 100
	}
	return err
}

func (s *Service) find(ctx context.Context, j *Job, field string, ids []string) (list []Source, err error) {
	if len(ids) > FilesMax {
		return nil, fault.Field(field, "A training takes at most %d files.", FilesMax)
	}
	for _, text := range ids {
		id, err := ident.ParseFile(text)
		if err != nil {
			return nil, fault.NoSuch("file").About(field)
		}
		d, v, err := s.Data.Source(ctx, j.Workspace, id)
		switch {
		case fault.Is(err, fault.Missing):
			return nil, fault.NoSuch("file").About(field)
		case err != nil:
			return nil, err
		case d.Method != j.Method:
			return nil, fault.Field(field, "%s is for %s, and this training is %s.", title(d, v), methodTitle(d.Method), methodTitle(j.Method))
		}
		list = append(list, sourceOf(v, title(d, v)))
	}
	return list, nil
}

func title(d dataset.Dataset, v dataset.Version) string {
	return d.Name + " V" + strconv.Itoa(v.Number)
}

func methodTitle(m provider.Method) string { return strings.ToUpper(string(m)) }

// name gives a job its id, and what is called after it.
func (s *Service) name(j *Job, wanted string) {
	j.ID = ident.NewTraining(j.CreatedAt)
	if strings.TrimSpace(wanted) == "" {
		j.Name = string(j.ID)
	}
	j.Output = outputName(j.Base, j.Suffix, j.ID, "")
}

// outputName is what a result is called: the base, the suffix, the job, and the
// step of a checkpoint that is published before the end.
func outputName(base ident.Model, suffix string, id ident.Training, step string) ident.Model {
	parts := []string{string(base)}
	for _, p := range []string{suffix, step, string(id)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	name := strings.Join(parts, "-")
	if over := len(name) - 128; over > 0 { // a base with a very long name
		parts[0] = parts[0][:len(parts[0])-over]
		name = strings.Join(parts, "-")
	}
	return ident.Model(name)
}

// files names the data of a job in one line.
func (j *Job) files() string {
	var names []string
	for _, f := range append(slices.Clone(j.Train), j.Valid...) {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// price is what training costs with an engine: the catalogue's, and nothing with
// the engine for trying things out.
func (s *Service) price(j *Job, e engine) Price {
	if e.abilities.Demo {
		return Price{}
	}
	for _, m := range s.World.Models(j.Account) {
		if p, ok := m.PriceOf("ft"); ok && m.ID == j.Base && p.Unit == "1M tokens" {
			if amount, err := strconv.ParseFloat(p.Amount, 64); err == nil {
				return Price{Millionths: int64(amount*1e6 + 0.5), Currency: p.Currency}
			}
		}
	}
	return Price{}
}

// Estimate is what a training will about take.
type Estimate struct {
	Engine   string // the provider's name
	Demo     bool
	Examples int
	Tokens   int64 // of the files; a version of the dataset says that it is an estimate
	Epochs   int
	Trained  int64 // tokens in all
	Price    Price
	Cost     int64         // millionths of the price's currency
	Time     time.Duration // 0: the engine does not say
	Hyper    provider.Hyper
}

// Estimate says what a training would take, if it can be as it is wanted; it
// refuses what Create refuses. It needs trainings:change.
func (s *Service) Estimate(ctx context.Context, by access.Actor, ws ident.Workspace, w Wanted) (Estimate, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return Estimate{}, err
	}
	j, err := s.settle(ctx, by, ws, w)
	if err != nil {
		return Estimate{}, err
	}
	e, err := s.engine(ctx, &j)
	if err != nil {
		return Estimate{}, err
	}
	est := Estimate{Engine: e.place.Provider.Name, Demo: e.abilities.Demo, Tokens: j.Tokens, Price: j.Price, Hyper: usual(j.Hyper, e.abilities.Usual)}
	for _, f := range j.Train {
		est.Examples += f.Examples
	}
	est.Epochs = max(est.Hyper.Epochs, 1)
	est.Trained = est.Tokens * int64(est.Epochs) * int64(j.Split) / 100
	est.Cost = est.Price.Cost(est.Trained)
	if t, ok := e.trainer.(provider.Timer); ok {
		est.Time = t.Takes(s.spec(&j, e))
	}
	return est, nil
}

// usual fills in what the engine would choose.
func usual(h, u provider.Hyper) provider.Hyper {
	h.Epochs, h.BatchSize, h.MaxLength, h.Rank = or(h.Epochs, u.Epochs), or(h.BatchSize, u.BatchSize), or(h.MaxLength, u.MaxLength), or(h.Rank, u.Rank)
	h.LearningRate = or(h.LearningRate, u.LearningRate)
	return h
}

func or[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}
