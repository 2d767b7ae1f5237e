package anthropic

import (
	"strconv"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// counting is a request to count tokens, for providers that can. It passes as
// it is; nothing is consumed by it.
type counting struct {
	id    ident.Call
	body  wire.Object
	model ident.Model
}

var countingWays = []string{"messages/count_tokens"}

func (x *counting) Model() ident.Model { return x.model }
func (x *counting) Stream() bool       { return false }
func (x *counting) Said() int          { return 0 }
func (x *counting) Ways() []string     { return countingWays }

// MostAnswer implements dialect.Bounded: no text is answered.
func (x *counting) MostAnswer() (tokens, times int) { return 0, 0 }

// Fits implements dialect.Exchange.
func (x *counting) Fits(m *policy.Model) *dialect.Refusal {
	if !m.Talks() {
		return noMessages(m)
	}
	return nil
}

// Body implements dialect.Exchange.
func (x *counting) Body(_, name string) ([]byte, *dialect.Refusal) {
	m := x.body.Find("model")
	return wire.Splice(x.body.Text, wire.Edit{Start: m.Start, End: m.End, With: wire.Quote(nil, name)}), nil
}

// Whole implements dialect.Exchange.
func (x *counting) Whole(answer wire.Object) ([]byte, *dialect.Refusal) {
	n, ok := wire.Int(answer.Get("input_tokens"))
	if !ok || n < 0 || n > wire.MostTokens {
		return nil, &dialect.ProviderBabbles
	}
	return append(appendInt([]byte(`{"input_tokens":`), int(n)), '}'), nil
}

// Event, Done and Fail implement dialect.Exchange: there are no streams here.
func (x *counting) Event(dst []byte, _ *dialect.Event) ([]byte, *dialect.Refusal) {
	return dst, &dialect.ProviderBabbles
}
func (x *counting) Done(dst, _ []byte) []byte { return dst }
func (x *counting) Fail(dst []byte, r dialect.Refusal) ([]byte, string) {
	return appendRefusal(dst, r, x.id), r.Native.Code
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
