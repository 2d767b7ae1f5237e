package workshop

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
)

// wanted is the body of POST /api/v1/deployments.
type wanted struct {
	Model    string          `json:"model_name"`
	Version  string          `json:"model_version"` // the SDK may send one; there is but one of each
	Capacity *int            `json:"capacity"`
	Plan     string          `json:"plan"`
	Name     string          `json:"name"`
	Display  string          `json:"display_name"`
	Suffix   string          `json:"suffix"`
	Requests int             `json:"rpm_limit"`
	Tokens   int             `json:"tpm_limit"`
	Stream   *bool           `json:"stream"`
	Spec     json.RawMessage `json:"deploy_spec"`
	PTU      json.RawMessage `json:"ptu_capacity"`
}

// plans are the native words for what a deployment is billed by, as far as they
// are true here: compute units.
var plans = []string{"", "cu"}

// deploy answers POST /api/v1/deployments.
func (w *Workshop) deploy(ctx context.Context, v *Visit) *dialect.Refusal {
	var in wanted
	if r := v.read(&in); r != nil {
		return r
	}
	switch {
	case in.Model == "":
		return invalid("model_name", `Required parameter "model_name" missing from request.`)
	case !slices.Contains(plans, in.Plan):
		return invalid("plan", "Deployments are billed by compute units here: leave the plan out, or say cu.")
	case in.Spec != nil:
		return dialect.Unknown("deploy_spec")
	case in.PTU != nil:
		return dialect.Unknown("ptu_capacity")
	}
	if r := w.may(ctx, v, in.Model, catalogue.Deploy); r != nil {
		return r
	}
	capacity := 1
	if in.Capacity != nil {
		capacity = *in.Capacity
	}
	d, err := w.Deployments.Create(ctx, v.By, v.Workspace, deployment.Wanted{
		Model: in.Model, Title: cmp.Or(in.Name, in.Display), Suffix: in.Suffix, Capacity: capacity, Requests: in.Requests, Tokens: in.Tokens,
	})
	if err != nil {
		return explain(err, false, noDeployment(in.Model))
	}
	return v.output(deploymentOf(d))
}

// phases are the native words for how far a deployment is.
var phases = map[deployment.State]string{
	deployment.Pending: "PENDING", deployment.Deploying: "DEPLOYING", deployment.Running: "RUNNING", deployment.Degraded: "RUNNING",
	deployment.Updating: "UPDATING", deployment.Stopped: "STOPPED", deployment.Failed: "FAILED", deployment.Deleting: "DELETING",
}

// deploymentOf is a deployment as the native protocol tells it.
func deploymentOf(d deployment.Deployment) object {
	o := object{
		"deployed_model": d.Name, "name": d.Title, "status": phases[d.State], "model_name": d.Model, "base_model": d.Base, "base_capacity": 1,
		"capacity": d.Capacity, "ready_capacity": d.Ready, "workspace_id": d.Workspace, "charge_type": "post_paid", "plan": "cu",
		"creator": d.Creator, "modifier": d.Creator, "gmt_create": precise(d.CreatedAt), "gmt_modified": precise(d.UpdatedAt),
		"rpm_limit": limitOf(d.Requests), "tpm_limit": limitOf(d.Tokens),
	}
	if d.Reason != "" {
		o["message"] = d.Reason
	}
	return o
}

// precise is a time as deployments tell it: ISO 8601.
func precise(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// limitOf is a limit; nil: there is none.
func limitOf(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// listDeployments answers GET /api/v1/deployments.
func (w *Workshop) listDeployments(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("page_no", "page_size", "page")
	if r != nil {
		return r
	}
	p, r := pageOf(values, 10, 100)
	if r != nil {
		return r
	}
	all, _, total, err := w.Deployments.List(ctx, v.By, v.Workspace, deployment.Filter{Skip: p.skip(), Limit: p.size})
	if err != nil {
		return explain(err, false, noDeployment(""))
	}
	list := make([]object, 0, len(all))
	for _, d := range all {
		list = append(list, deploymentOf(d))
	}
	return v.output(object{"page_no": p.number, "page_size": p.size, "total": total, "deployments": list})
}

// deployable answers GET /api/v1/deployments/models: what the workspace may put up.
func (w *Workshop) deployable(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("page_no", "page_size", "model_source", "version")
	if r != nil {
		return r
	}
	p, r := pageOf(values, 50, 200)
	if r != nil {
		return r
	}
	source := values.Get("model_source")
	if !slices.Contains([]string{"", "custom", "public", "base"}, source) {
		return invalid("model_source", "model_source should be one of custom, public, base")
	}
	offers, err := w.Deployments.Offers(ctx, v.By, v.Workspace)
	if err != nil {
		return explain(err, false, noDeployment(""))
	}
	list := []object{}
	for _, o := range offers {
		if source == "" || (source == "custom") == o.Tuned {
			list = append(list, object{"model_name": o.Model, "base_model": o.Base, "base_capacity": 1, "supported_plans": []string{"cu"}})
		}
	}
	from := min(p.skip(), len(list))
	return v.output(object{"page_no": p.number, "page_size": p.size, "total": len(list), "models": list[from:min(from+p.size, len(list))]})
}

// deployed finds the deployment that the path names.
func (w *Workshop) deployed(ctx context.Context, v *Visit) (deployment.Deployment, error) {
	name, err := ident.ParseModel(v.names[0])
	if err != nil {
		return deployment.Deployment{}, fault.NoSuch("deployment")
	}
	return w.Deployments.Named(ctx, v.By, v.Workspace, name)
}

// onDeployment does something with the deployment that the path names, and
// answers what it is then.
func (w *Workshop) onDeployment(ctx context.Context, v *Visit, do func(deployment.Deployment) (deployment.Deployment, error)) *dialect.Refusal {
	d, err := w.deployed(ctx, v)
	if err == nil {
		d, err = do(d)
	}
	if err != nil {
		return explain(err, false, noDeployment(v.names[0]))
	}
	return v.output(deploymentOf(d))
}

// tellDeployment answers GET /api/v1/deployments/{name}.
func (w *Workshop) tellDeployment(ctx context.Context, v *Visit) *dialect.Refusal {
	return w.onDeployment(ctx, v, func(d deployment.Deployment) (deployment.Deployment, error) { return d, nil })
}

// dropDeployment answers DELETE /api/v1/deployments/{name}.
func (w *Workshop) dropDeployment(ctx context.Context, v *Visit) *dialect.Refusal {
	return w.onDeployment(ctx, v, func(d deployment.Deployment) (deployment.Deployment, error) {
		return w.Deployments.Delete(ctx, v.By, v.Workspace, d.ID)
	})
}

// scaleDeployment answers PUT /api/v1/deployments/{name}/scale. The SDK says the
// name in the body too.
func (w *Workshop) scaleDeployment(ctx context.Context, v *Visit) *dialect.Refusal {
	var in struct {
		Name     string `json:"deployed_model"`
		Capacity *int   `json:"capacity"`
	}
	if r := v.read(&in); r != nil {
		return r
	}
	if in.Capacity == nil {
		return invalid("capacity", `Required parameter "capacity" missing from request.`)
	}
	if in.Name != "" && in.Name != v.names[0] {
		return invalid("deployed_model", "The body names another deployment than the address.")
	}
	return w.onDeployment(ctx, v, func(d deployment.Deployment) (deployment.Deployment, error) {
		return w.Deployments.Scale(ctx, v.By, v.Workspace, d.ID, *in.Capacity)
	})
}

// updateDeployment answers PUT /api/v1/deployments/{name}/update. What is not
// said stays as it is, and null takes a limit away.
func (w *Workshop) updateDeployment(ctx context.Context, v *Visit) *dialect.Refusal {
	var in struct {
		Requests json.RawMessage `json:"rpm_limit"`
		Tokens   json.RawMessage `json:"tpm_limit"`
	}
	if r := v.read(&in); r != nil {
		return r
	}
	return w.onDeployment(ctx, v, func(d deployment.Deployment) (deployment.Deployment, error) {
		requests, tokens := d.Requests, d.Tokens
		for name, field := range map[string]struct {
			raw json.RawMessage
			to  *int
		}{"rpm_limit": {in.Requests, &requests}, "tpm_limit": {in.Tokens, &tokens}} {
			if field.raw == nil {
				continue
			}
			if *field.to = 0; json.Unmarshal(field.raw, field.to) != nil {
				return d, fault.Field(name, "%s is a whole number, or null for none.", name)
			}
		}
		return w.Deployments.Limit(ctx, v.By, v.Workspace, d.ID, requests, tokens)
	})
}
