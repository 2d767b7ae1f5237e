// Package catalogue knows the models: what they are and what can be done with
// them. Each account has its own catalogue, which begins as ours.
package catalogue

import (
	"context"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Capability is one of the three things a workspace can be authorized to do
// with a model.
type Capability uint8

// The capabilities. Their words on screens are Model Calling, Model Training
// and Model Deployment.
const (
	Call Capability = 1 << iota
	Train
	Deploy
)

// All lists the capabilities in the order of the screens.
var All = []Capability{Call, Train, Deploy}

func (c Capability) String() string {
	switch c {
	case Call:
		return "call"
	case Train:
		return "train"
	case Deploy:
		return "deploy"
	}
	return "none"
}

// Title is the capability's name on screens.
func (c Capability) Title() string {
	switch c {
	case Call:
		return "Model Calling"
	case Train:
		return "Model Training"
	case Deploy:
		return "Model Deployment"
	}
	return ""
}

// ParseCapability reads what String writes.
func ParseCapability(s string) (Capability, error) {
	for _, c := range All {
		if c.String() == s {
			return c, nil
		}
	}
	return 0, fault.NoSuch("capability")
}

// Capabilities is a set of them.
type Capabilities uint8

// Of makes a set.
func Of(cs ...Capability) (set Capabilities) {
	for _, c := range cs {
		set |= Capabilities(c)
	}
	return set
}

// Has reports whether c is in the set.
func (s Capabilities) Has(c Capability) bool { return s&Capabilities(c) != 0 }

// Model is one entry of the catalogue.
type Model struct {
	ID           ident.Model
	Account      ident.Account
	Name         string   // for people, such as "Qwen-Turbo"
	Vendor       string   // its maker, such as "qwen"
	Kinds        []string // codes of the original, such as "TG" and "Reasoning"; KindTitle has their words
	Features     []string
	Input        []string // modalities: Text, Image, Video, Audio
	Output       []string
	Context      int // tokens; 0: not given
	MaxInput     int // tokens; 0: not given
	MaxOutput    int // tokens; 0: not given
	Snapshot     bool
	OpenWeights  bool
	OnlineSince  string              // yyyy-mm-dd; empty: not given
	TrainingWays map[string][]string // method (sft, dpo, cpt) → lora, full
	Limit        Limit
	Prices       []Price
	Offers       Capabilities // what the model can be authorized for at all
	Note         string       // what limits an offer, such as "only a dated snapshot can be deployed"
	Custom       bool         // added by the account, not from our catalogue
	Version      int64
}

// Limit is the account-level limit of a model; zero fields mean none.
type Limit struct {
	Requests      int    // in RequestSeconds
	RequestPeriod int    // seconds
	Usage         int    // of UsageField, in UsageSeconds
	UsagePeriod   int    // seconds
	UsageField    string // what is counted, such as "total_tokens"

	SetBy string    // such as "root@acme"; empty: it is as the catalogue has it
	SetAt time.Time // zero: likewise
}

// PerMinute scales a count per period in seconds to a minute; 0: no limit.
func PerMinute(count, period int) int {
	if period == 0 {
		return 0
	}
	return count * 60 / period
}

// Price is what one unit of something costs.
type Price struct {
	Tier     string // by input length, such as "Input<=128k"; empty: one price for all
	Item     string // such as "input_token"
	Amount   string // decimal
	Unit     string // such as "1M tokens"
	Currency string // such as "CNY"
}

// PriceOf finds the first price of an item; ok is false where there is none.
func (m Model) PriceOf(item string) (p Price, ok bool) {
	for _, p := range m.Prices {
		if p.Item == item {
			return p, true
		}
	}
	return Price{}, false
}

var kinds = map[string]string{
	"TG": "Text", "Reasoning": "Reasoning", "VU": "Vision", "IG": "Image", "VG": "Video",
	"TTS": "Speech", "ASR": "Transcription", "TR": "Embedding & rerank", "ME": "Multimodal embedding",
	"Multimodal-Omni": "Omni",
}

// KindTitle is the word for a kind's code on screens; unknown codes stay as they are.
func KindTitle(code string) string {
	if t, ok := kinds[code]; ok {
		return t
	}
	return code
}

var vendors = map[string]string{
	"qwen": "Qwen", "qwen-domain-model": "Qwen", "wan": "Wan", "deepseek": "DeepSeek",
	"moonshot-ai": "Moonshot AI", "zhipu-ai": "Zhipu AI", "mini-max": "MiniMax",
}

// VendorTitle is a vendor's name on screens; unknown codes stay as they are.
func VendorTitle(code string) string {
	if t, ok := vendors[code]; ok {
		return t
	}
	return code
}

// Store is what the service needs of storage. InstallModels adds those of our
// catalogue that the account does not have and leaves the others as they are.
type Store interface {
	InstallModels(ctx context.Context, a ident.Account, models []Model, why audit.Event) error
	InsertModel(ctx context.Context, a ident.Account, m Model, why audit.Event) error
	Models(ctx context.Context, a ident.Account) ([]Model, error)
	Model(ctx context.Context, a ident.Account, id ident.Model) (Model, error)
	// ChangeModelPrices replaces the prices of a model; a conflict unless the
	// model has that version.
	ChangeModelPrices(ctx context.Context, a ident.Account, id ident.Model, to []Price, version int64, why func(before []Price) audit.Event) error
}

// Service is what people and programs can do with the catalogue.
type Service struct{ Store Store }

// Install gives an account the models of our catalogue. It is what the program
// itself does when an account is made and at each start, so it asks nobody.
func (s *Service) Install(ctx context.Context, a ident.Account) error {
	models, err := Builtin()
	if err != nil {
		return err
	}
	return s.Store.InstallModels(ctx, a, models, audit.Event{
		ID: ident.NewEvent(), Account: a, ActorName: "bailiwick", Action: "models:install", Object: string(a),
		Summary: "installed the models of the catalogue",
	})
}

// List gives the account's catalogue by id. It needs models:read in the workspace it is shown in.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace) ([]Model, error) {
	if err := by.RequireIn(ws, access.ReadModels); err != nil {
		return nil, err
	}
	return s.Store.Models(ctx, by.Account)
}

// Find gives one model. It needs models:read in the workspace it is shown in.
func (s *Service) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Model) (Model, error) {
	if err := by.RequireIn(ws, access.ReadModels); err != nil {
		return Model{}, err
	}
	return s.Store.Model(ctx, by.Account, id)
}

// Add puts a model into the account's catalogue that ours does not have, such
// as one found at a provider. It can be called, and neither trained nor
// deployed. It needs providers:change.
func (s *Service) Add(ctx context.Context, by access.Actor, id ident.Model, name, vendor string) (Model, error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return Model{}, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = string(id)
	}
	m := Model{ID: id, Account: by.Account, Name: name, Vendor: vendor, Kinds: []string{"TG"}, Input: []string{"Text"}, Output: []string{"Text"}, Offers: Of(Call), Custom: true, Version: 1}
	return m, s.Store.InsertModel(ctx, by.Account, m, by.Event("models:add", "", string(id), "added model "+string(id)+" to the catalogue"))
}
