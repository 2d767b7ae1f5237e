package dashscope

import (
	"net/http"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// permit is a model's line in the body of a change. The original's own pages
// spell training in two ways.
type permit struct {
	Model     *string `json:"model"`
	Inference *bool   `json:"inference"`
	Finetune  *bool   `json:"finetune"`
	FineTune  *bool   `json:"fine_tune"`
	Deploy    *bool   `json:"deploy"`
}

// ReadPermissions reads POST /api/v1/models/permissions.
func ReadPermissions(body []byte) (p grant.Permit, r *dialect.Refusal) {
	var in struct {
		Models *[]permit `json:"models"`
		All    *string   `json:"access_all_entities"`
	}
	if r := strictly(body, &in); r != nil {
		return p, r
	}
	if p.All, r = readAll(in.All); r != nil {
		return p, r
	}
	if in.Models == nil {
		in.Models = new([]permit)
	}
	if n := len(*in.Models); n > grant.MaxPermitted || n == 0 && p.All == grant.Keep {
		return p, dialect.Range("models", "Range of models should be [1, %d]; none only with access_all_entities OPEN or CLOSE", grant.MaxPermitted)
	}
	for _, line := range *in.Models {
		f, r := line.flags()
		if r != nil {
			return p, r
		}
		p.Models = append(p.Models, f)
	}
	return p, nil
}

func readAll(said *string) (grant.All, *dialect.Refusal) {
	switch {
	case said == nil, *said == "KEEP":
		return grant.Keep, nil
	case *said == "OPEN":
		return grant.Open, nil
	case *said == "CLOSE":
		return grant.Close, nil
	}
	return "", dialect.Range("access_all_entities", "access_all_entities should be OPEN, CLOSE or KEEP")
}

func (p permit) flags() (grant.Flags, *dialect.Refusal) {
	m, r := namedModel(p.Model)
	if r != nil {
		return grant.Flags{}, r
	}
	if p.Finetune != nil && p.FineTune != nil && *p.Finetune != *p.FineTune {
		return grant.Flags{}, dialect.Range("finetune", "finetune and fine_tune of model %s say different things", m)
	}
	if p.Finetune == nil {
		p.Finetune = p.FineTune
	}
	return grant.Flags{Model: m, Call: p.Inference, Train: p.Finetune, Deploy: p.Deploy}, nil
}

func namedModel(name *string) (ident.Model, *dialect.Refusal) {
	if name == nil || *name == "" {
		return "", &dialect.EmptyModel
	}
	m, err := ident.ParseModel(*name)
	if err != nil {
		return "", &dialect.OddModel
	}
	return m, nil
}

type permitted struct {
	Model       ident.Model `json:"model"`
	Name        string      `json:"name"`
	Permissions flags       `json:"permissions"`
}

// flags are null for what a model does not offer.
type flags struct {
	Inference *bool `json:"inference"`
	FineTune  *bool `json:"fine_tune"`
	Deploy    *bool `json:"deploy"`
}

// ListPermissions answers GET /api/v1/models/permissions: what the workspace was
// granted of each model. As in the original a model that shows false can be
// callable in another way: through "authorize all", or in the Default Workspace.
// The scope AUTHORIZED asks for what may be called in whatever way.
func ListPermissions(r *http.Request, models []*policy.Model, ws *policy.Workspace, holds func(ident.Workspace, ident.Model, catalogue.Capability) bool, id ident.Call) ([]byte, *dialect.Refusal) {
	q, refusal := readQuery(r, "authorization_scope", "action")
	if refusal != nil {
		return nil, refusal
	}
	scope, refusal := q.one("authorization_scope", "AUTHORIZABLE", "AUTHORIZED")
	if refusal != nil {
		return nil, refusal
	}
	if _, refusal = q.one("action", "INFERENCE"); refusal != nil {
		return nil, refusal
	}
	found := []permitted{}
	for _, m := range models {
		if m.Offers != 0 && q.named(m) && (scope == "AUTHORIZABLE" || holds(ws.ID, m.ID, catalogue.Call)) {
			found = append(found, permitted{m.ID, m.Name, granted(m, ws.Grants.Get(m.ID))})
		}
	}
	return enveloped(struct {
		Total       int         `json:"total"`
		Number      int         `json:"page_no"`
		Size        int         `json:"page_size"`
		Permissions []permitted `json:"permissions"`
	}{len(found), q.number, q.size, page(q, found)}, id)
}

func granted(m *policy.Model, has catalogue.Capabilities) (f flags) {
	for c, to := range map[catalogue.Capability]**bool{catalogue.Call: &f.Inference, catalogue.Train: &f.FineTune, catalogue.Deploy: &f.Deploy} {
		if m.Offers.Has(c) {
			is := has.Has(c)
			*to = &is
		}
	}
	return f
}
