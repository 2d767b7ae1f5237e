// Package anthropic is the dialect of callers who speak the Anthropic Messages
// protocol. Providers are asked for chat completions, so requests and answers
// are translated; what cannot cross is refused by its name, never dropped.
package anthropic

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// Dialect implements dialect.Dialect.
type Dialect struct{}

// Name implements dialect.Dialect.
func (Dialect) Name() string { return "anthropic" }

// RequestID is the header that SDKs of this protocol read the request id from.
const RequestID = "Request-Id"

// Refusal implements dialect.Dialect. The protocol has types and no codes; the
// books keep the native code, which says more.
func (Dialect) Refusal(dst []byte, r dialect.Refusal, _ dialect.Service, id ident.Call) ([]byte, string) {
	return appendRefusal(dst, r, id), r.Native.Code
}

func appendRefusal(b []byte, r dialect.Refusal, id ident.Call) []byte {
	message := strings.TrimSpace(r.OpenAI.Message)
	if r.Param != "" {
		message = r.Param + ": " + message
	}
	b = wire.Quote(append(b, `{"type":"error","error":{"type":`...), kind(r.Status))
	b = wire.Quote(append(b, `,"message":`...), message)
	return append(append(append(b, `},"request_id":"`...), id...), `"}`...)
}

// kind is the type of an error, which follows from its status.
func kind(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

type entry struct {
	Type    string    `json:"type"`
	ID      string    `json:"id"`
	Name    string    `json:"display_name"`
	Created time.Time `json:"created_at"`
}

type page struct {
	Data  []entry `json:"data"`
	More  bool    `json:"has_more"`
	First *string `json:"first_id"`
	Last  *string `json:"last_id"`
}

// largestPage bounds limit.
const largestPage = 1000

// List implements dialect.Dialect.
func (Dialect) List(r *http.Request, models []*policy.Model, _ ident.Call) ([]byte, *dialect.Refusal) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	limit := 20
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > largestPage {
			return nil, dialect.Range("limit", "Range of limit should be [1, %d]", largestPage)
		}
	}
	after, before := q.Get("after_id"), q.Get("before_id")
	if after != "" && before != "" {
		return nil, dialect.Range("before_id", "Give either after_id or before_id, not both.")
	}
	from, to := 0, len(models)
	for i, m := range models { // by id
		if after != "" && string(m.ID) <= after {
			from = i + 1
		}
		if before != "" && string(m.ID) < before {
			to = i + 1
		} else if before != "" {
			to = min(to, i)
		}
	}
	p := page{Data: []entry{}, More: to-from > limit}
	if from = max(from, 0); before != "" {
		from = max(from, to-limit)
	} else {
		to = min(to, from+limit)
	}
	for _, m := range models[from:to] {
		p.Data = append(p.Data, entryOf(m))
	}
	if n := len(p.Data); n > 0 {
		p.First, p.Last = &p.Data[0].ID, &p.Data[n-1].ID
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, &dialect.Internal
	}
	return b, nil
}

// Describe implements dialect.Dialect.
func (Dialect) Describe(m *policy.Model, _ ident.Call) []byte {
	b, _ := json.Marshal(entryOf(m)) // strings only
	return b
}

// entryOf describes a model; one whose age is not known is as old as time.
func entryOf(m *policy.Model) entry {
	at, err := time.Parse(time.DateOnly, m.OnlineSince)
	if err != nil {
		at = time.Unix(0, 0)
	}
	return entry{"model", string(m.ID), m.Name, at.UTC()}
}
