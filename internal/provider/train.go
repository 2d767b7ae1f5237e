package provider

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"bailiwick/internal/ident"
)

// Method is what a training teaches from.
type Method string

// The methods: dialogues, preferred and rejected answers, plain text.
const (
	SFT Method = "sft"
	DPO Method = "dpo"
	CPT Method = "cpt"
)

// Adapter is how much of a model a training changes.
type Adapter string

// The adapters: every weight, or low-rank matrices beside them.
const (
	Full Adapter = "full"
	LoRA Adapter = "lora"
)

// Abilities are what an engine can train and what comes of it, for screens and
// for checks before a training begins.
type Abilities struct {
	Methods     map[Method][]Adapter
	Continue    bool     // an own tuned model can be trained further
	Checkpoints bool     // steps on the way can be published
	Formats     []string // of what comes of it: "gguf", "safetensors", "peft"; none: the weights stay there
	Demo        bool     // the engine is for trying things out, and screens say so
	Usual       Hyper    // what it chooses where nothing is said, as far as it says so
}

// Can reports whether the engine trains so.
func (a Abilities) Can(m Method, how Adapter) bool {
	for _, x := range a.Methods[m] {
		if x == how {
			return true
		}
	}
	return false
}

// Data is a validated set of examples, one JSON object a line. It never changes.
type Data struct {
	SHA256   string // of the bytes, in hexadecimal
	Size     int64  // bytes
	Examples int
	Tokens   int64 // estimated; 0: not known
	Open     func() (io.ReadSeekCloser, error)
}

// Hyper are the settings of a training; a field that is zero is the engine's to choose.
type Hyper struct {
	Epochs       int
	BatchSize    int
	LearningRate float64
	MaxLength    int // tokens of one example
	Rank         int // of LoRA
	Seed         int64
	Others       map[string]json.RawMessage // as the caller wrote them, in DashScope's names
}

// TrainSpec is one training as an engine is told of it.
type TrainSpec struct {
	Job       ident.Training
	Workspace ident.Workspace
	Base      string    // the base model's name at the provider
	From      *Artifact // a tuned model to go on from; nil: the base as it is
	Name      string    // what the result is to be called, as far as the engine has names
	Method    Method
	Adapter   Adapter
	Train     Data
	Valid     Data // Open is nil: none
	Hyper     Hyper
	// Folder is the job's own. A local engine keeps there what it needs to go on
	// after a restart, and below model/ what comes of it.
	Folder *os.Root
}

// Artifact is a model that came of a training.
type Artifact struct {
	Folder string   // on this host, absolute; empty: the weights stay with the engine
	Files  []string // below Folder
	Remote string   // its name with the engine; empty: it has none
	Format string   // one of the formats
	Engine string   // which engine, of which version, made it
}

// The formats of artifacts. A PEFT folder has adapter_config.json and
// adapter_model.safetensors, and is of use with its base only.
const (
	FormatGGUF        = "gguf"
	FormatGGUFLoRA    = "gguf-lora" // an adapter
	FormatPEFT        = "peft"
	FormatSafetensors = "safetensors" // a whole model in a Hugging Face folder
	FormatRemote      = "remote"      // it stays with the engine
)

// Phase is how far a training is with the engine.
type Phase string

// The phases. The last three are final.
const (
	PhaseWaiting   Phase = "waiting" // the engine has not begun
	PhaseRunning   Phase = "running"
	PhaseExporting Phase = "exporting"
	PhaseSucceeded Phase = "succeeded"
	PhaseFailed    Phase = "failed"
	PhaseCancelled Phase = "cancelled"
)

// Over reports whether the phase is final.
func (p Phase) Over() bool { return p == PhaseSucceeded || p == PhaseFailed || p == PhaseCancelled }

// Point is one value of one curve.
type Point struct {
	Step  int64
	Name  string // "train_loss", "valid_loss", "valid_accuracy", "learning_rate"
	Value float64
}

// Line is one line of a training's log.
type Line struct {
	At   time.Time
	Text string
}

// Checkpoint is a state on the way that can be published as a model of its own.
type Checkpoint struct {
	Name  string // "checkpoint-20"
	Step  int64
	Epoch int
	Model Artifact
}

// Observation is what is new about a training since a cursor. Empty fields mean
// no change.
type Observation struct {
	Phase         Phase
	Reason        string // a machine's word for what went wrong
	Message       string // the same for people; may quote the engine
	Step, Steps   int64
	Epoch         int
	Left          time.Duration // until the end; 0: not known
	Points        []Point
	Lines         []Line
	Checkpoints   []Checkpoint
	TrainedTokens int64
	Result        *Artifact // with PhaseSucceeded
	Next          Cursor
}

// Cursor is where the next observation begins; the engine alone reads it.
type Cursor string

// Trainer is a server that trains. It is found by asking a Server for it, and is
// either a LocalTrainer or a RemoteTrainer.
type Trainer interface {
	// Abilities are what the engine can, as far as it is known. Some engines have
	// to be asked, which takes a few seconds at most and is remembered for a while;
	// one that does not answer can nothing until it does.
	Abilities(ctx context.Context) Abilities
	// Check says what the engine would not take, as a fault on the field, and changes nothing.
	// The data may be told of without being open.
	Check(ctx context.Context, s TrainSpec) error
}

// Timer is a trainer that can say how long a training about takes; Open of its
// data is nil then.
type Timer interface {
	Takes(s TrainSpec) time.Duration
}

// Place is where a model of the catalogue is served.
type Place struct {
	Provider Provider
	Name     string // of the model there
}

// LocalTrainer is an engine that runs where we run. Whoever calls Train holds
// the work's lease while it runs.
type LocalTrainer interface {
	Trainer
	// Train trains to the end and tells what happens, at least every few seconds
	// while there is something to tell. Called again for the same job it goes on
	// from what the job's folder keeps; that it finished an epoch it keeps after it
	// told so, since what was told before is written then. When ctx ends, its cause says why:
	// ErrCancel means that the training is not wanted any more; else it stops so
	// that it can be gone on with (a child process may run on, to be adopted).
	// An error of tell ends it like the end of ctx. A training that failed, and
	// would fail again, is a *Failure; after any other error it can be gone on with.
	Train(ctx context.Context, s TrainSpec, tell func(Observation) error) (Artifact, error)
}

// Stopper is a local trainer whose work can outlive whoever called Train. Once a
// training is over, however it ended, it is stopped.
type Stopper interface {
	// Stop ends what still works for a training, of which the spec says the job and
	// its folder; where nothing does it changes nothing.
	Stop(ctx context.Context, s TrainSpec) error
}

// RemoteTrainer is an engine elsewhere, which is asked from time to time.
type RemoteTrainer interface {
	Trainer
	// Start begins a training, or finds the one that was begun for the same job.
	Start(ctx context.Context, s TrainSpec) (handle string, err error)
	Observe(ctx context.Context, handle string, since Cursor) (Observation, error)
	// Cancel asks for the end; a training that is over or gone is no error.
	Cancel(ctx context.Context, handle string) error
	// Forget deletes what the engine keeps of it, such as our data, as far as it
	// can be deleted; the model that came of it stays.
	Forget(ctx context.Context, handle string) error
}

// Discarder is a trainer with which models stay, and which can delete them.
type Discarder interface {
	// Discard deletes a model that came of a training; one that is gone is no error.
	Discard(ctx context.Context, a Artifact) error
}

// Failure is a training that came to nothing.
type Failure struct {
	Reason  string // a machine's word, such as "exit_status"
	Message string // for people; may quote the engine
}

func (f *Failure) Error() string { return "the training failed (" + f.Reason + "): " + f.Message }

// What engines say with, besides faults on fields. A fault of kind Unavailable or
// Busy means that the same may go well later; other errors mean that it will not.
var (
	// ErrCancel is the cause with which a local training's context ends when
	// nobody wants it any more.
	ErrCancel = errors.New("the training was cancelled")
	// ErrLost means that the engine no longer knows the work.
	ErrLost = errors.New("the engine does not know this work any more")
	// ErrUnsupported means that the engine cannot do it.
	ErrUnsupported = errors.New("the engine cannot do this")
	// ErrRoom means that the engine has no room for it now.
	ErrRoom = errors.New("the engine has no room for this now")
)
