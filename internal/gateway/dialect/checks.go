package dialect

import "bailiwick/internal/policy"

// refusals has the answer to every check of the policy that can refuse.
var refusals = map[policy.Check]struct {
	Refusal
	name string // shown in a header once the caller is known; empty: never shown
}{
	policy.KeyPresented:    {NoKey, ""},
	policy.KeyKnown:        {WrongKey, ""},
	policy.KeyEnabled:      {WrongKey, ""},
	policy.KeyCurrent:      {WrongKey, ""},
	policy.OwnerBelongs:    {WrongKey, ""},
	policy.NamesAgree:      {PlaceDenied, "names-agree"},
	policy.WorkspaceNamed:  {PlaceUnnamed, "workspace-named"},
	policy.WorkspaceExists: {PlaceMissing, "workspace-exists"},
	policy.WorkspaceIsOurs: {PlaceDenied, "workspace-is-the-keys"},
	policy.AddressAllowed:  {Denied, "address-allowed"},
	policy.ModelExists:     {NoModel(""), "model-exists"},
	policy.ModelOffers:     {ModelDenied, "model-offers-calling"},
	policy.KeyCovers:       {ModelDenied, "key-covers-model"},
	policy.Granted:         {ModelDenied, "workspace-authorized"},
	policy.IsServed:        {Unavailable, "model-is-served"},
}

// Refused words a decision that is not Allowed. The model is as the caller wrote it.
func Refused(check policy.Check, model string) Refusal {
	r, known := refusals[check]
	switch {
	case !known:
		return Internal // a check this table has not learnt: fail closed
	case check == policy.ModelExists:
		r.Refusal = NoModel(model)
	}
	r.Refusal.Check = r.name
	return r.Refusal
}
