package adminapi

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/fault"
)

// reply is an answer that is ready to be sent.
type reply struct {
	status   int
	etag     string // quoted; empty: the thing has no version
	body     []byte
	replayed bool
}

// versioned is what has a version.
type versioned interface{ version() int64 }

func (c *call) replyWith(given any) (reply, error) {
	r := reply{status: c.op.succeeds()}
	if v, ok := given.(versioned); ok {
		r.etag = strconv.Quote(strconv.FormatInt(v.version(), 10))
	}
	if given == nil {
		return r, nil
	}
	body, err := json.Marshal(given)
	r.body = append(body, '\n')
	return r, err
}

func (c *call) send(r reply) {
	h := c.w.Header()
	if r.etag != "" {
		h.Set("ETag", r.etag)
	}
	if r.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	c.write(r.status, r.body)
}

func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	if len(body) > 0 {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a program that hangs up is no concern of ours
	}
}

// problem is a refusal that has no kind of fault.
type problem struct {
	status  int
	code    string
	message string
	field   string
}

func (p *problem) Error() string { return p.code + ": " + p.message }

// Failure is the body of every refusal.
type Failure struct {
	Error FailureDetail `json:"error" doc:"What went wrong."`
}

// FailureDetail says what went wrong.
type FailureDetail struct {
	Code      string `json:"code" doc:"What kind of failure it is; programs compare it."`
	Message   string `json:"message" doc:"What is wrong, for people: the limit, and what to do next."`
	Field     string `json:"field" doc:"The member of the body as a JSON pointer, the parameter or the header it is about; empty when it is about the whole."`
	RequestID string `json:"request_id" doc:"Also in the header X-Request-Id; it finds the request in logs and in the audit trail."`
}

// statuses gives every kind of fault its status.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.Missing:         http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Full:            http.StatusConflict,
	fault.Busy:            http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// explain finds status, code, message and field of an error.
func (c *call) explain(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	kind := fault.KindOf(err)
	p = &problem{statuses[kind], kind.String(), fault.Show(err), ""}
	var f *fault.Fault
	if errors.As(err, &f) {
		p.field = c.fieldOf(f.Field)
	}
	switch {
	case kind == fault.Busy && p.field == idempotencyKey:
		p.status, p.code = http.StatusConflict, "in_progress"
	case kind == fault.Invalid && p.field == idempotencyKey:
		p.code = "idempotency_key_reused"
	case kind == fault.Conflict && f != nil && f.Field == "version":
		p.status, p.code, p.field = http.StatusPreconditionFailed, "stale", "If-Match"
	}
	return p
}

// fieldNames are the members whose names differ from those of the forms.
var fieldNames = map[string]string{
	"expires": "expires_at", "overlap": "overlap_seconds", "keys": "key_limit", "present": "password",
	"audit": "audit_days", "factor": "require_factor",
}

// fieldOf names what a fault is about as the caller knows it: a parameter, a
// header, or a pointer to the member of the body.
func (c *call) fieldOf(name string) string {
	if name == "" || name == idempotencyKey {
		return name
	}
	for _, p := range c.op.parameters() {
		if p.name == name {
			return name
		}
	}
	if other, ok := fieldNames[name]; ok {
		name = other
	}
	if name == "limit" {
		name = "workspace_limit"
	}
	return "/" + name
}

// refuse answers with what went wrong. What caused it is for the log alone.
func (c *call) refuse(err error) {
	p := c.explain(err)
	h := c.w.Header()
	switch p.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="bailiwick management"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusConflict:
		if h.Get("Retry-After") == "" && (p.status != http.StatusConflict || p.code == "in_progress") {
			h.Set("Retry-After", "1")
		}
	case http.StatusForbidden:
		if c.by.User != "" {
			c.server.Trail.Record(c.by.Refused(c.op.action, c.place, "", p.message).With("page", c.op.method+" "+Prefix+c.op.path))
		}
	case http.StatusInternalServerError:
		slog.Error("an operation failed", "call", c.id, "operation", c.op.id, "err", err)
	}
	body, err := json.Marshal(Failure{FailureDetail{p.code, p.message, p.field, string(c.id)}})
	if err != nil {
		body = []byte(`{"error":{"code":"internal","message":"Something went wrong on our side.","field":"","request_id":"` + string(c.id) + `"}}`)
	}
	c.write(p.status, append(body, '\n'))
}
