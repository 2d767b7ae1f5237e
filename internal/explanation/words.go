package explanation

import (
	"fmt"
	"strings"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// Title says what holds when a check passes.
func Title(c policy.Check, capability catalogue.Capability, console bool) string {
	switch {
	case c == policy.ModelOffers:
		return "The model offers " + orElse(capability.Title(), "what is asked for")
	case c == policy.WorkspaceIsOurs && console:
		return "The person may work in the workspace"
	}
	return titles[c]
}

var titles = map[policy.Check]string{
	policy.KeyPresented: "An API key is presented", policy.KeyKnown: "The key is one that was issued here", policy.KeyEnabled: "The key is enabled",
	policy.KeyCurrent: "The key has not expired", policy.OwnerBelongs: "The key's owner belongs to its workspace",
	policy.NamesAgree: "The workspace is named once, or alike", policy.WorkspaceNamed: "The workspace is named where it must be",
	policy.WorkspaceExists: "The named workspace exists", policy.WorkspaceIsOurs: "The named workspace is the key's own",
	policy.AddressAllowed: "The key may be used from this address", policy.ModelExists: "The model is in the catalogue, or deployed in the workspace",
	policy.KeyCovers: "The key's scope holds the model", policy.Granted: "The workspace is authorized", policy.IsServed: "A provider serves the model",
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// speech puts an explanation into words. The names are what the person who asks
// may read.
type speech struct {
	policy.Explanation
	key       string // how the key is called, such as `sk-ws-…a1b2 ("newsletter")`
	owner     string // such as "alice@acme"
	nameOf    func(ident.Workspace) string
	wellKnown bool // what was presented has the form of a key
}

// found says what a check found.
func (s speech) found(c policy.Check, failed bool) string {
	q := s.Question
	switch c {
	case policy.KeyPresented:
		return either(failed, "None was sent. It goes into the header Authorization: Bearer.", "")
	case policy.KeyKnown:
		return s.known(failed)
	case policy.KeyEnabled:
		return either(failed, "It is disabled.", "")
	case policy.KeyCurrent:
		return s.current(failed)
	case policy.OwnerBelongs:
		return s.owned(failed)
	case policy.NamesAgree:
		return either(failed, "Header, path and host name different ones: "+list(q.Header, q.Path, q.Host)+".", "")
	case policy.WorkspaceNamed:
		return s.named(failed)
	case policy.WorkspaceExists:
		return either(failed, "The account has no workspace "+quoted(list(q.Header, q.Path, q.Host))+".", "")
	case policy.WorkspaceIsOurs:
		return s.ours(failed)
	case policy.AddressAllowed:
		return s.address(failed)
	}
	return s.about(c, failed)
}

// about says what was found of the model.
func (s speech) about(c policy.Check, failed bool) string {
	capability := s.Question.Capability
	switch c {
	case policy.ModelExists:
		return either(failed, "The account's catalogue has no "+quoted(string(s.Question.Model))+", and the workspace has no deployment of that name.", s.exists())
	case policy.ModelOffers:
		return either(failed, s.model()+" cannot be authorized for "+capability.Title()+" at all.", "")
	case policy.KeyCovers:
		return s.scope()
	case policy.Granted:
		return s.right(failed)
	case policy.IsServed:
		if s.Model.Private() {
			return either(failed, "The deployment "+s.model()+" is not up.", "It is up.")
		}
		return either(failed, "No provider serves "+s.model()+".", s.served())
	}
	return ""
}

func either(failed bool, bad, good string) string {
	if failed {
		return bad
	}
	return good
}

func (s speech) known(failed bool) string {
	switch {
	case !failed:
		return s.key + "."
	case s.Stale != nil:
		return "This is the secret that " + s.key + " had before its last reset. It worked until " + moment(s.Stale.Terms().PreviousUntil) + "."
	case !s.wellKnown:
		return "What was presented has not the form of a key: a key begins with " + secret.KeyPrefix + " and ends in a checksum. It may be cut off or mistyped."
	}
	return "It has the form of a key, but none has this secret: it was deleted or reset, or it belongs elsewhere."
}

func (s speech) current(failed bool) string {
	end := s.Key.Expires
	temporary := !s.Question.Until.IsZero() && (end.IsZero() || s.Question.Until.Before(end))
	switch {
	case failed && temporary:
		return "The temporary key ended " + moment(s.Question.Until) + "."
	case failed:
		return "It expired " + moment(end) + "."
	case temporary:
		return "The temporary key ends " + moment(s.Question.Until) + "."
	case end.IsZero():
		return "It does not expire."
	}
	return "It expires " + moment(end) + "."
}

func (s speech) owned(failed bool) string {
	if !failed {
		return s.owner + "."
	}
	switch s.firstDo() {
	case policy.IssueKey:
		return "Its owner" + named(s.owner) + " is gone, so the key is dead for good."
	case policy.EnableUser:
		return s.owner + " is disabled."
	}
	return s.owner + " is no member of the key's workspace any more."
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name + ","
}

// firstDo is the change that would make the failed check pass.
func (s speech) firstDo() policy.Do {
	if len(s.Changes) == 0 {
		return 0
	}
	return s.Changes[0].Do
}

func (s speech) named(failed bool) string {
	name := list(s.Question.Header, s.Question.Path, s.Question.Host)
	switch {
	case failed:
		return "It is not named, and the account asks calls of sub-workspaces to name theirs."
	case name != "":
		return "Named " + name + "."
	case !s.Account.NameWorkspace:
		return "It is not named; the account lets the key alone be enough."
	}
	return "It is not named; in the Default Workspace it need not be."
}

func (s speech) ours(failed bool) string {
	name := list(s.Question.Header, s.Question.Path, s.Question.Host)
	switch {
	case s.Question.Person != "":
		return either(failed, "They are no member of it, or may not log on.", "")
	case failed:
		return "The call names " + name + ", and the key belongs to " + s.home() + ". A key never leaves its workspace."
	}
	return s.home() + "."
}

func (s speech) home() string {
	if s.Workspace == nil {
		return string(s.Key.Workspace)
	}
	return called(s.Workspace.Name, s.Workspace.ID)
}

func called(name string, id ident.Workspace) string {
	if name == "" {
		return string(id)
	}
	return name + " (" + string(id) + ")"
}

func (s speech) address(failed bool) string {
	inside := s.Key.Terms().Networks
	if inside == nil {
		return "It may be used from everywhere."
	}
	networks := make([]string, len(inside))
	for i, p := range inside {
		networks[i] = p.String()
	}
	allowed := orElse(strings.Join(networks, ", "), "no network")
	if !s.Question.Address.IsValid() {
		return "No address was given, and the key may be used from " + allowed + " only."
	}
	return either(failed, s.Question.Address.String()+" is not in "+allowed+".", s.Question.Address.String()+" is in "+allowed+".")
}

func (s speech) model() string {
	if s.Model == nil {
		return string(s.Question.Model)
	}
	return orElse(s.Model.Name, string(s.Model.ID))
}

func (s speech) scope() string {
	covered := s.Key.Terms().Models
	if covered == nil {
		return "It covers every model of its workspace."
	}
	models := make([]string, len(covered))
	for i, m := range covered {
		models[i] = string(m)
	}
	return "It covers " + orElse(strings.Join(models, ", "), "no model") + "."
}

func (s speech) exists() string {
	switch {
	case !s.Model.Private():
		return s.model()
	case s.Model.Needs == catalogue.Train:
		return s.model() + ", a deployment of this workspace alone, of a model it tuned from " + string(s.Model.Base) + "."
	}
	return s.model() + ", a deployment of " + string(s.Model.Base) + " of this workspace alone."
}

// ownRight is about the right that a deployment was made by: it is called as long
// as that is held.
func (s speech) ownRight(failed bool) string {
	held := s.Model.Needs.Title() + " of " + string(s.Model.Base)
	switch w := s.Workspace; {
	case failed:
		return w.Name + " is not authorized for " + held + " any more, which this deployment was made by."
	case w.Default:
		return "The Default Workspace may do everything that a model offers."
	default:
		return w.Name + " is authorized for " + held + ", and may call what came of it."
	}
}

func (s speech) right(failed bool) string {
	w, capability := s.Workspace, s.Question.Capability
	switch {
	case s.Model.Private():
		return s.ownRight(failed)
	case failed:
		return w.Name + " is not authorized for " + capability.Title() + " of " + s.model() + "."
	case w.Default:
		return "The Default Workspace may do everything that a model offers."
	case capability == catalogue.Call && w.CallAll:
		return w.Name + " is authorized to call every model."
	}
	return w.Name + " is authorized for " + capability.Title() + " of " + s.model() + "."
}

func (s speech) served() string {
	if n := len(s.Model.Servings); n > 1 {
		return fmt.Sprintf("%d providers serve it.", n)
	}
	return ""
}

// list joins what is not empty, each once.
func list(names ...string) string {
	var said []string
	for _, n := range names {
		if n != "" && !strings.Contains(strings.Join(said, ", "), n) {
			said = append(said, n)
		}
	}
	return strings.Join(said, ", ")
}

func quoted(text string) string { return "“" + text + "”" }

func moment(t time.Time) string { return "on " + t.UTC().Format("2 January 2006 at 15:04:05") + " UTC" }
