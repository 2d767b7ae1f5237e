// Package usage is about what calls consumed. Every call with a known key,
// refused ones too, leaves one record.
package usage

import (
	"time"

	"bailiwick/internal/ident"
)

// Source says where the figures of a record came from.
type Source string

// The sources.
const (
	FromProvider Source = "provider"  // the provider said so
	Counted      Source = "counted"   // we counted them
	Estimated    Source = "estimated" // the provider said nothing, or nothing that can be; worked out from the size of the text
	Nothing      Source = ""          // nothing was consumed
)

// Interrupted is the code of calls whose end nobody saw: the process died
// before it. Their figures are those estimated when they began.
const Interrupted = "Interrupted"

// Record is what one call consumed.
type Record struct {
	Call      ident.Call
	At        time.Time // when it came in
	Account   ident.Account
	Workspace ident.Workspace
	Key       ident.Key  // empty: the console's own
	Member    ident.User // who stands behind it: the key's owner; empty: nobody does any more
	Model     ident.Model
	Dialect   string // "openai", "dashscope" or "anthropic"
	Provider  ident.Provider
	Input     int // tokens
	Output    int // tokens
	Cached    int // of Input: tokens read from a cache
	Reasoning int // of Output: tokens of reasoning
	Source    Source
	// Cost is in millionths of the currency, at the prices of PriceVersion, the
	// version of the model in the account's catalogue. No currency: no price.
	Cost         int64
	Currency     string
	PriceVersion int64
	Status       int    // HTTP
	Code         string // of a refusal or failure, in the caller's dialect (Anthropic's has none: the native one); empty: none
	Stream       bool
	Duration     time.Duration // until the last byte was about to be sent
	FirstByte    time.Duration // until the first byte of the answer; zero: none came
}

// Listed is a record as lists show it.
type Listed struct {
	Record
	KeyDescription string
	MemberName     string // how the member logs on; empty: gone
	WorkspaceName  string // empty: gone
}

// Costs is money by currency, in millionths of it.
type Costs map[string]int64

// Sum is the total of some records.
type Sum struct {
	Calls, Failed     int
	Input, Output     int // tokens
	Cached, Reasoning int // of Input and Output
	Costs             Costs
}

// Tokens are those of input and output together.
func (s Sum) Tokens() int { return s.Input + s.Output }

// Add adds another sum.
func (s *Sum) Add(o Sum) {
	s.Calls, s.Failed = s.Calls+o.Calls, s.Failed+o.Failed
	s.Input, s.Output = s.Input+o.Input, s.Output+o.Output
	s.Cached, s.Reasoning = s.Cached+o.Cached, s.Reasoning+o.Reasoning
	for currency, n := range o.Costs {
		if s.Costs == nil {
			s.Costs = Costs{}
		}
		s.Costs[currency] += n
	}
}

// Dimension is what sums can be told apart by.
type Dimension string

// The dimensions.
const (
	ByNothing   Dimension = ""
	ByModel     Dimension = "model"
	ByKey       Dimension = "key"
	ByMember    Dimension = "member"
	ByWorkspace Dimension = "workspace"
	BySource    Dimension = "source"
	ByCode      Dimension = "code" // of refusals and failures
)

// Dimensions are those a report can be about, in the order of the screens.
var Dimensions = []Dimension{ByModel, ByKey, ByMember, ByWorkspace, BySource, ByCode}

// Filter chooses records of an account. Empty fields choose all.
type Filter struct {
	From, To  time.Time // half open; zero: unbounded
	Workspace ident.Workspace
	Model     ident.Model
	Key       ident.Key
	Member    ident.User
	Failed    bool // only those with a code
}

// Page is which part of a list of records is wanted, newest first.
type Page struct {
	After string // the cursor the previous page ended with
	Limit int
}

// Step is how long the periods are that sums are told apart by.
type Step time.Duration

// The steps.
const (
	Whole Step = 0
	Hour  Step = Step(time.Hour)
	Day   Step = Step(24 * time.Hour)
)

// Query asks for sums. From and To begin hours, and days unless Hourly.
type Query struct {
	Filter
	By     Dimension
	Step   Step
	Hourly bool     // read by the hour, even where Step does not ask for it
	Apart  []string // not nil: only these are told apart, all others are summed up as ""
}

// Line is the sum of one thing in one period.
type Line struct {
	At    time.Time // when the period begins; zero: Step is Whole
	Name  string    // as the dimension has it, such as a key's id
	Label string    // what people call it; empty: nothing else than Name
	Sum
}

// Others is the name of the line that sums up what Apart does not name.
const Others = "*"
