// Package trainings shows the jobs that make models: their list, the form that
// begins one, and one job while it runs and after.
package trainings

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps is the page of a workspace's trainings.
type IndexProps struct {
	layout.Chrome
	Workspace string
	CreateURL string
	CreateOff string // why nothing can be trained; empty: it can
	List      ListProps
}

// ListProps is the table and what stands around it.
type ListProps struct {
	URL, Search, ClearURL, CreateURL, DataURL string
	States                                    []ui.Option
	Rows                                      []Row
	Pager                                     ui.Pager
}

// Row is one job.
type Row struct {
	ID, Name         string
	Model            string
	Method           string
	State            string
	Tone             ui.Tone
	Progress         string // "40 %"; empty: not known
	Demo             bool
	Creator          string
	Created          ui.Time
	URL, CloneURL    string
	Output, ModelURL string // of what came of it; empty: nothing yet
}

// FormProps is the page on which a training is asked for.
type FormProps struct {
	layout.Chrome
	Workspace string
	Notice    *ui.Notice
	Action    string
	Estimate  EstimateProps
	CancelURL string
	Clone     string

	Methods     []ui.Choice
	MethodError string
	Bases       []ui.Option
	BaseError   string
	Data        []ui.Option
	DataError   string
	DataURL     string // where data is uploaded; empty: the person may not
	Valid       []ui.Option
	ValidError  string
	Split       ui.Field
	Presets     []Preset
	Adapters    []ui.Option
	AdapterErr  string
	Fields      []ui.Field // the parameters, shown to who chooses to say them
	Name        ui.Field
	Suffix      ui.Field
	Deploy      bool
	MayDeploy   bool
}

// Preset is a set of parameters by a word.
type Preset struct {
	Value, Label, Hint string
	Chosen             bool
}

// EstimateProps is what a training would take.
type EstimateProps struct {
	URL    string // asks again
	Notice *ui.Notice
	Facts  []Fact
	Demo   bool
}

// Fact is one thing that is known.
type Fact struct {
	Name  string
	Value string
	Mono  bool
	URL   string
	Note  string
}

// DetailProps is the page of one job.
type DetailProps struct {
	layout.Chrome
	ID, Name string
	BackURL  string
	CloneURL string
	Live     LiveProps
}

// LiveProps is what changes while a job runs.
type LiveProps struct {
	PollURL        string // asks again; empty: it is over
	State          string
	Tone           ui.Tone
	Message        string
	Demo           bool
	Percent        int // 0–100; -1: not known
	Progress       string
	CancelURL      string
	DeleteURL      string
	Facts          []Fact
	Output         *Output
	Curves         []Curve
	CurveNote      string
	Checkpoints    []Checkpoint
	CheckpointNote string
	Log            []Line
	LogURL         string
	LogNote        string
}

// Output is the model that came of a job.
type Output struct {
	Name, URL, DeployURL, PlayURL string
}

// Curve is the picture of one measure.
type Curve struct {
	Title       string
	Points      []Point
	Last        string // the newest value
	Top, Bottom float64
	Ticks       []string // three, from the top
	First, End  string   // steps at the two ends
	Thinned     bool     // the table leaves some out
	Table       []Point
}

// Point is one value of a curve.
type Point struct {
	Step  int64
	Value float64
	Text  string
}

// Checkpoint is one state on the way.
type Checkpoint struct {
	Name, Step, Epoch   string
	Created             ui.Time
	Published, ModelURL string
	PublishURL          string
}

// Line is one line of a log.
type Line struct {
	Number string
	At     ui.Time
	Text   string
	Move   bool
}

// LogProps is the whole log.
type LogProps struct {
	layout.Chrome
	Name, BackURL string
	Lines         []Line
	Pager         ui.Pager
	Total         string
}
