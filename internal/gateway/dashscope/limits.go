package dashscope

import (
	"net/http"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
)

// limitLine is a model's line in the body of a change.
type limitLine struct {
	Model         *string `json:"model"`
	Operation     *string `json:"operation_type"`
	Requests      *int    `json:"request_limit"`
	RequestPeriod *int    `json:"request_limit_period"`
	Usage         *int    `json:"usage_limit"`
	UsagePeriod   *int    `json:"usage_limit_period"`
}

// ReadLimits reads POST /api/v1/models/limits.
func ReadLimits(body []byte) ([]limit.Change, *dialect.Refusal) {
	var in struct {
		Models *[]limitLine `json:"models"`
	}
	if r := strictly(body, &in); r != nil {
		return nil, r
	}
	if in.Models == nil || len(*in.Models) == 0 || len(*in.Models) > limit.MaxChanges {
		return nil, dialect.Range("models", "Range of models should be [1, %d]", limit.MaxChanges)
	}
	changes := make([]limit.Change, 0, len(*in.Models))
	for _, line := range *in.Models {
		c, r := line.change()
		if r != nil {
			return nil, r
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func (l limitLine) change() (c limit.Change, r *dialect.Refusal) {
	if c.Model, r = namedModel(l.Model); r != nil {
		return c, r
	}
	c.Version, c.Requests, c.RequestPeriod, c.Tokens, c.TokenPeriod = limit.AnyVersion, l.Requests, l.RequestPeriod, l.Usage, l.UsagePeriod
	empty := l.Requests == nil && l.RequestPeriod == nil && l.Usage == nil && l.UsagePeriod == nil
	switch {
	case l.Operation == nil, *l.Operation == "OVERLAY":
		if empty {
			return c, dialect.Range("request_limit", "No limit is given for model %s", c.Model)
		}
	case *l.Operation == "DELETE":
		if !empty {
			return c, dialect.Range("operation_type", "With operation_type DELETE no limit may be given for model %s", c.Model)
		}
		c.Delete = true
	default:
		return c, dialect.Range("operation_type", "operation_type should be OVERLAY or DELETE")
	}
	return c, nil
}

type quota struct {
	Model     ident.Model     `json:"model"`
	Workspace ident.Workspace `json:"workspace_id"`
	Account   *figures        `json:"model_limit"`
	Own       *figures        `json:"workspace_limit"`
}

// figures are null where there is no limit.
type figures struct {
	Requests      *int    `json:"request_limit"`
	RequestPeriod *int    `json:"request_limit_period"`
	Usage         *int    `json:"usage_limit"`
	UsageField    *string `json:"usage_limit_field"`
	UsagePeriod   *int    `json:"usage_limit_period"`
	Queue         *int    `json:"async_user_queue_limit"`       // no asynchronous calls are taken
	Concurrency   *int    `json:"async_user_concurrency_limit"` // so
}

// ListLimits answers GET /api/v1/models/limits and, which is the same, GET
// /api/v1/quotas: of each model the account's limit and the workspace's.
func ListLimits(r *http.Request, models []*policy.Model, ws *policy.Workspace, id ident.Call) ([]byte, *dialect.Refusal) {
	q, refusal := readQuery(r)
	if refusal != nil {
		return nil, refusal
	}
	found := []quota{}
	for _, m := range models {
		if q.named(m) {
			found = append(found, quota{m.ID, ws.ID, figuresOf(limit.Of(m.Limit), m.Limit.UsageField), figuresOf(ws.Limits.Get(m.ID).Limit, "")})
		}
	}
	return enveloped(struct {
		Total  int     `json:"total"`
		Number int     `json:"page_no"`
		Size   int     `json:"page_size"`
		Quotas []quota `json:"quotas"`
	}{len(found), q.number, q.size, page(q, found)}, id)
}

func figuresOf(l limit.Limit, field string) *figures {
	if !l.Set() {
		return nil
	}
	f := &figures{}
	if l.Requests.Set() {
		f.Requests, f.RequestPeriod = &l.Requests.Count, &l.Requests.Period
	}
	if l.Tokens.Set() {
		if field == "" {
			field = "total_tokens"
		}
		f.Usage, f.UsageField, f.UsagePeriod = &l.Tokens.Count, &field, &l.Tokens.Period
	}
	return f
}
