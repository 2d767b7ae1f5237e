// Package dialect is what the gateway asks of the protocols its callers speak,
// and the one table of refusals in the words of each.
package dialect

import (
	"net/http"

	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Header names that callers and answers use.
const (
	WorkspaceHeader = "X-Dashscope-Workspace" // canonical form of X-DashScope-WorkSpace
	RequestID       = "X-Request-Id"
)

// Service is one thing a dialect can be asked to do at one path.
type Service int

// The services.
const (
	Chat       Service = iota // answer messages with text
	Multimodal                // the same, where what is said are lists of parts (DashScope)
	Models                    // list the models
	Model                     // describe one model (OpenAI)
)

// Dialect is a protocol that callers speak.
type Dialect interface {
	// Name is the dialect's word in usage records.
	Name() string
	// Refusal gives the body of a refusal and the code it carries.
	Refusal(r Refusal, s Service, id ident.Call) (body []byte, code string)
	// Admit reads the body of a Chat or Multimodal call strictly.
	Admit(r *http.Request, s Service, body []byte, id ident.Call) (Exchange, *Refusal)
	// List answers Models, and Model for the id; the models are those the caller may use.
	List(r *http.Request, models []*policy.Model, id ident.Call) ([]byte, *Refusal)
	Describe(m *policy.Model, id ident.Call) []byte
}

// Exchange is one admitted call and the translation of its answer. It serves
// one call and is not used by two goroutines at once.
type Exchange interface {
	Model() ident.Model
	Stream() bool
	// Fits makes sure that the call can be made of this model.
	Fits(m *policy.Model) *Refusal
	// Body is the request in the OpenAI protocol, for a provider that calls the
	// model by the name. Of a stream it always asks for usage.
	Body(name string) []byte
	// Said is how many bytes of text the caller sent, for estimates.
	Said() int

	// Whole translates a whole answer.
	Whole(answer wire.Object) ([]byte, error)
	// Event appends what the caller gets for one event of a stream.
	Event(dst []byte, e Event) ([]byte, error)
	// Done appends what the caller gets at the stream's regular end.
	Done(dst []byte, raw []byte) []byte
	// Fail appends what the caller gets when the stream ends otherwise, and
	// gives the code it carries.
	Fail(dst []byte, r Refusal) ([]byte, string)
}

// Event is one event of a provider's stream.
type Event struct {
	Raw  []byte // with the blank line that ends it
	Data []byte // JSON; empty for comments
	// HasUsage reports that the data holds usage, which Tokens sums up so far.
	HasUsage bool
	Tokens   wire.Tokens
}
