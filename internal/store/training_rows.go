package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

type trainingRow struct {
	Account       ident.Account   `gorm:"column:account_id;primaryKey"`
	ID            ident.Training  `gorm:"primaryKey"`
	Workspace     ident.Workspace `gorm:"column:workspace_id"`
	Name          string
	Folded        string      // what it is found by: name, id, model and output
	Model         ident.Model `gorm:"column:model_id"`
	Base          ident.Model `gorm:"column:base_id"`
	From          ident.Tuned `gorm:"column:from_id"`
	Method        provider.Method
	Adapter       provider.Adapter
	Train         string // JSON
	Valid         string // JSON
	Split         int
	Hyper         string // JSON
	Suffix        string
	Output        ident.Model `gorm:"column:output_id"`
	Result        ident.Tuned `gorm:"column:result_id"`
	Deploy        bool
	Clone         ident.Training `gorm:"column:clone_id"`
	Provider      ident.Provider `gorm:"column:provider_id"`
	Engine        string
	Demo          bool
	Handle        string
	Cursor        provider.Cursor
	State         training.State
	Reason        string
	Message       string
	Step          int64
	Steps         int64
	Epoch         int
	TimeLeft      time.Duration
	Tokens        int64
	TrainedTokens int64
	Attempts      int
	Restarts      int
	Lines         int64
	Price         int64
	Currency      string
	Created       stamp
	CreatedBy     ident.User
	Creator       string
	ByKey         ident.Key
	Started       stamp
	Ended         stamp
	Updated       stamp
	Version       int64
	Metadata      string // JSON
}

func (trainingRow) TableName() string { return "trainings" }

func trainingRowOf(j training.Job) trainingRow {
	return trainingRow{
		Account: j.Account, ID: j.ID, Workspace: j.Workspace, Name: j.Name,
		Folded: fold(j.Name + "\n" + string(j.ID) + "\n" + string(j.Model) + "\n" + string(j.Output)),
		Model:  j.Model, Base: j.Base, From: j.From, Method: j.Method, Adapter: j.Adapter,
		Train: jsonText(j.Train), Valid: jsonText(j.Valid), Split: j.Split, Hyper: jsonText(j.Hyper), Suffix: j.Suffix, Output: j.Output, Result: j.Result,
		Deploy: j.Deploy, Clone: j.Clone, Provider: j.Provider, Engine: clip(j.Engine, 200), Demo: j.Demo, Handle: j.Handle, Cursor: j.Cursor,
		State: j.State, Reason: clip(j.Reason, 100), Message: clip(j.Message, 2000), Step: j.Step, Steps: j.Steps, Epoch: j.Epoch, TimeLeft: j.Left,
		Tokens: j.Tokens, TrainedTokens: j.TrainedTokens, Attempts: j.Attempts, Restarts: j.Restarts, Lines: j.Lines,
		Price: j.Price.Millionths, Currency: j.Price.Currency,
		Created: stampOf(j.CreatedAt), CreatedBy: j.CreatedBy, Creator: j.Creator, ByKey: j.ByKey,
		Started: stampOf(j.StartedAt), Ended: stampOf(j.EndedAt), Updated: stampOf(j.UpdatedAt), Version: j.Version, Metadata: jsonText(j.Metadata),
	}
}

func (r trainingRow) job() (training.Job, error) {
	j := training.Job{
		ID: r.ID, Account: r.Account, Workspace: r.Workspace, Name: r.Name, Model: r.Model, Base: r.Base, From: r.From, Method: r.Method, Adapter: r.Adapter,
		Split: r.Split, Suffix: r.Suffix, Output: r.Output, Result: r.Result, Deploy: r.Deploy, Clone: r.Clone,
		Provider: r.Provider, Engine: r.Engine, Demo: r.Demo, Handle: r.Handle, Cursor: r.Cursor,
		State: r.State, Reason: r.Reason, Message: r.Message, Step: r.Step, Steps: r.Steps, Epoch: r.Epoch, Left: r.TimeLeft,
		Tokens: r.Tokens, TrainedTokens: r.TrainedTokens, Attempts: r.Attempts, Restarts: r.Restarts, Lines: r.Lines,
		Price:     training.Price{Millionths: r.Price, Currency: r.Currency},
		CreatedAt: r.Created.time(), CreatedBy: r.CreatedBy, Creator: r.Creator, ByKey: r.ByKey,
		StartedAt: r.Started.time(), EndedAt: r.Ended.time(), UpdatedAt: r.Updated.time(), Version: r.Version,
	}
	return j, readJSON("training "+string(r.ID), column{r.Train, &j.Train}, column{r.Valid, &j.Valid}, column{r.Hyper, &j.Hyper}, column{r.Metadata, &j.Metadata})
}

// column is a text of JSON and what it is read into.
type column struct {
	text string
	into any
}

func readJSON(of string, columns ...column) error {
	var errs []error
	for _, c := range columns {
		if err := json.Unmarshal([]byte(c.text), c.into); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", of, err))
		}
	}
	return errors.Join(errs...)
}

type trainingFileRow struct {
	Account  ident.Account  `gorm:"column:account_id"`
	Training ident.Training `gorm:"column:training_id"`
	File     ident.File     `gorm:"column:file_id"`
}

func (trainingFileRow) TableName() string { return "training_files" }

type entryRow struct {
	Account  ident.Account  `gorm:"column:account_id"`
	Training ident.Training `gorm:"column:training_id"`
	Number   int64
	At       stamp
	State    training.State
	Text     string
}

func (entryRow) TableName() string { return "training_log" }

type pointRow struct {
	Account  ident.Account  `gorm:"column:account_id"`
	Training ident.Training `gorm:"column:training_id"`
	Name     string
	Step     int64
	Value    float64
}

func (pointRow) TableName() string { return "training_points" }

type checkpointRow struct {
	Account   ident.Account  `gorm:"column:account_id"`
	Training  ident.Training `gorm:"column:training_id"`
	Name      string
	Step      int64
	Epoch     int
	Artifact  string // JSON
	At        stamp
	Published *ident.Model `gorm:"->;column:published"` // from tuned_models
}

func (checkpointRow) TableName() string { return "training_checkpoints" }

func (r checkpointRow) checkpoint() (training.Checkpoint, error) {
	c := training.Checkpoint{Checkpoint: provider.Checkpoint{Name: r.Name, Step: r.Step, Epoch: r.Epoch}, At: r.At.time()}
	if r.Published != nil {
		c.Published = *r.Published
	}
	return c, readJSON("checkpoint "+r.Name, column{r.Artifact, &c.Model})
}

type tunedRow struct {
	ID         ident.Tuned
	Account    ident.Account   `gorm:"column:account_id"`
	Workspace  ident.Workspace `gorm:"column:workspace_id"`
	Name       ident.Model
	Title      string
	Folded     string         // what it is found by: title, name and base
	Base       ident.Model    `gorm:"column:base_id"`
	Training   ident.Training `gorm:"column:training_id"`
	Checkpoint string
	Provider   ident.Provider `gorm:"column:provider_id"`
	Artifact   string         // JSON
	Size       int64
	Demo       bool
	From       ident.Model `gorm:"column:from_id"`
	Data       string      // JSON
	DataSHA256 string      `gorm:"column:data_sha256"`
	Method     provider.Method
	Adapter    provider.Adapter
	Hyper      string // JSON
	Created    stamp
	CreatedBy  ident.User
	Creator    string
	Version    int64
}

func (tunedRow) TableName() string { return "tuned_models" }

func tunedFolded(title string, name, base ident.Model) string {
	return fold(title + "\n" + string(name) + "\n" + string(base))
}

func tunedRowOf(t training.Tuned) tunedRow {
	return tunedRow{
		ID: t.ID, Account: t.Account, Workspace: t.Workspace, Name: t.Name, Title: t.Title, Folded: tunedFolded(t.Title, t.Name, t.Base),
		Base: t.Base, Training: t.Training, Checkpoint: t.Checkpoint, Provider: t.Provider, Artifact: jsonText(t.Artifact), Size: t.Size, Demo: t.Demo,
		From: t.From, Data: jsonText(t.Data), DataSHA256: t.DataSHA256, Method: t.Method, Adapter: t.Adapter, Hyper: jsonText(t.Hyper),
		Created: stampOf(t.CreatedAt), CreatedBy: t.CreatedBy, Creator: t.Creator, Version: t.Version,
	}
}

func (r tunedRow) tuned() (training.Tuned, error) {
	t := training.Tuned{
		ID: r.ID, Account: r.Account, Workspace: r.Workspace, Name: r.Name, Title: r.Title, Base: r.Base, Training: r.Training, Checkpoint: r.Checkpoint,
		Provider: r.Provider, Size: r.Size, Demo: r.Demo, From: r.From, DataSHA256: r.DataSHA256, Method: r.Method, Adapter: r.Adapter,
		CreatedAt: r.Created.time(), CreatedBy: r.CreatedBy, Creator: r.Creator, Version: r.Version,
	}
	return t, readJSON("tuned model "+string(r.ID), column{r.Artifact, &t.Artifact}, column{r.Data, &t.Data}, column{r.Hyper, &t.Hyper})
}
