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
	Chat        Service = iota // answer messages with text
	Multimodal                 // the same, where what is said are lists of parts (DashScope)
	Completion                 // go on with a text (OpenAI)
	Responses                  // answer input with items (OpenAI)
	Embeddings                 // give vectors for texts
	Rerank                     // order documents by how well they answer a query
	CountTokens                // count the tokens of messages (Anthropic)
	Models                     // list the models
	Model                      // describe one model (OpenAI, Anthropic)
	Permissions                // what a workspace may do with models: read, change (DashScope)
	Limits                     // how often and how much it may: read, change (DashScope)
	Quotas                     // the same, read (DashScope)
	Tokens                     // make a temporary key (DashScope)
	Work                       // training files, trainings, deployments
)

// Answers reports whether the service answers with text, which is counted
// apart from what was asked.
func (s Service) Answers() bool { return s != Embeddings && s != Rerank }

// Operation names the service as traces do: in the words of OpenTelemetry's
// GenAI conventions where these have one.
func (s Service) Operation() string {
	switch s {
	case Chat, Multimodal, Responses:
		return "chat"
	case Completion:
		return "text_completion"
	case Embeddings:
		return "embeddings"
	case Rerank:
		return "rerank"
	case CountTokens:
		return "count_tokens"
	case Models, Model:
		return "list_models"
	}
	return "manage"
}

// Dialect is a protocol that callers speak.
type Dialect interface {
	// Name is the dialect's word in usage records.
	Name() string
	// Refusal appends the body of a refusal, and gives the code it carries.
	Refusal(dst []byte, r Refusal, s Service, id ident.Call) (body []byte, code string)
	// Admit reads the body of a call strictly.
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
	// Ways are the paths at which a provider can be asked, the best first: one
	// that does not have the first is asked at the next.
	Ways() []string
	// Body is the request as it is said at one of the ways, to a provider that
	// calls the model by the name. Of a stream it always asks for usage. The
	// answer is translated from the way that was asked last.
	Body(way, name string) ([]byte, *Refusal)
	// Said is how many bytes of text the caller sent, for estimates.
	Said() int

	// Whole translates a whole answer.
	Whole(answer wire.Object) ([]byte, *Refusal)
	// Event appends what the caller gets for one event of a stream.
	Event(dst []byte, e *Event) ([]byte, *Refusal)
	// Done appends what the caller gets at the stream's regular end.
	Done(dst []byte, raw []byte) []byte
	// Fail appends what the caller gets when the stream ends otherwise, and
	// gives the code it carries.
	Fail(dst []byte, r Refusal) ([]byte, string)
}

// Hinting is an exchange whose caller gave hints: members that change no answer,
// such as what is worth keeping in a cache. One that cannot be passed on is no
// reason to refuse, and the caller is told its name.
type Hinting interface {
	// Marks says whether the provider that is asked next takes cache_control in the
	// parts of a content.
	Marks(taken bool)
	// LeftOut names the hints that the body made last does not hold.
	LeftOut() []string
}

// Event is one event of a provider's stream.
type Event struct {
	Raw  []byte // with the blank line that ends it
	Data []byte // JSON; empty for comments
	// HasUsage reports that the data holds usage, which Tokens sums up so far.
	HasUsage bool
	Tokens   wire.Tokens
	// Last is set by the exchange when the event is the stream's regular end;
	// what the OpenAI protocol ends with "[DONE]" needs it not.
	Last bool
}
