package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/dataset"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// ours are things of workspace A and of the account, made for one request.
func (o *company) ours(route string) things {
	t := things{"workspace": string(o.a), "model": "qwen-turbo", "capability": "call", "offer": "found", "passkey": string(ident.NewPasskey()), "session": "00"}
	if strings.Contains(route, ":key") {
		t["key"] = string(o.key(o.root, o.a, "ours").ID)
	}
	if strings.Contains(route, ":dataset") {
		v := o.dataset(o.root, o.a)
		t["dataset"], t["file"] = string(v.Dataset), string(v.ID)
	}
	if strings.Contains(route, ":call") {
		t["call"] = o.aCall(o.account.ID, o.a)
	}
	if strings.Contains(route, ":provider") {
		t["provider"] = string(o.provider(o.root, "Ours "+string(ident.NewEvent())).ID)
	}
	if strings.Contains(route, ":adminkey") {
		t["adminkey"] = string(o.adminKey(o.actor("super"), "ours").ID)
	}
	if strings.Contains(route, ":user") {
		t["user"] = string(o.member(o.root, o.a).ID)
	}
	if strings.Contains(route, ":event") {
		t["event"] = o.event(o.root, o.a)
	}
	if strings.Contains(route, ":training") {
		t["training"], t["checkpoint"] = o.training(o.root, o.a), "checkpoint-7"
	}
	if strings.Contains(route, ":deployment") {
		t["deployment"] = o.deployment(o.root, o.a)
	}
	if strings.Contains(route, ":tuned") {
		t["tuned"], t["artifact"] = o.tuned(o.root, o.a), "model.gguf"
	}
	return t
}

// dataset uploads a file to a workspace.
func (o *company) dataset(by access.Actor, ws ident.Workspace) dataset.Version {
	o.t.Helper()
	v, err := o.config.Datasets.Upload(o.t.Context(), by, ws, dataset.New{FileName: "desk.jsonl"}, strings.NewReader(someExamples(12)))
	o.must(err)
	return v
}

// engine is the one provider of an account that its deployments stand on.
func (o *company) engine(by access.Actor) ident.Provider {
	o.t.Helper()
	if o.engines == nil {
		o.engines = map[ident.Account]ident.Provider{}
	}
	if o.engines[by.Account] == "" {
		o.engines[by.Account] = o.provider(by, "Engine").ID
	}
	return o.engines[by.Account]
}

// deployment asks for a deployment in a workspace, which nobody works on.
func (o *company) deployment(by access.Actor, ws ident.Workspace) string {
	o.t.Helper()
	d := storetest.Draft(by.Account, by.User, ws, o.engine(by), "qwen-turbo", ident.Model("qwen-turbo-"+strings.ToLower(string(ident.NewEvent()[4:12]))))
	o.must(o.store.InsertDeployment(o.t.Context(), ws, d, 100_000, by.Event("deployments:create", ws, string(d.ID), "deployed")))
	return string(d.ID)
}

// someExamples is a training file without mistakes.
func someExamples(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"messages":[{"role":"user","content":"What is %d?"},{"role":"assistant","content":"A number."}]}`+"\n", i)
	}
	return b.String()
}

// training asks for a training of a workspace, which nobody works on.
func (o *company) training(by access.Actor, ws ident.Workspace) string {
	o.t.Helper()
	j, err := storetest.NewTraining(o.t.Context(), o.store, by.Account, by.User, ws)
	o.must(err)
	return string(j.ID)
}

// tuned gives a workspace a model of its own, with a file.
func (o *company) tuned(by access.Actor, ws ident.Workspace) string {
	o.t.Helper()
	m, err := storetest.NewTuned(o.t.Context(), o.store, by.Account, by.User, ws)
	o.must(err)
	folder := filepath.Join(o.config.Trainings.Folder, m.Artifact.Folder)
	o.must(os.MkdirAll(folder, 0o700))
	o.must(os.WriteFile(filepath.Join(folder, "model.gguf"), []byte("weights"), 0o600))
	return string(m.ID)
}

// event notes something in a workspace and gives the line's id.
func (o *company) event(by access.Actor, ws ident.Workspace) string {
	o.t.Helper()
	why := by.Event("tries:guard", ws, string(ws), "noted something")
	o.must(o.store.Note(o.t.Context(), why))
	return string(why.ID)
}

// member adds a RAM user who belongs to a workspace.
func (o *company) member(root access.Actor, ws ident.Workspace) account.User {
	o.t.Helper()
	o.hired++
	u, _, err := o.config.People.Add(o.t.Context(), root, account.Profile{LogOn: "hired-" + strconv.Itoa(o.hired)})
	o.must(err)
	o.must(o.config.Members.Put(o.t.Context(), root, ws, []workspace.Member{{User: u.ID, Role: access.Regular}}, false))
	return u
}

// aCall books a call and gives its name in addresses.
func (o *company) aCall(a ident.Account, ws ident.Workspace) string {
	o.t.Helper()
	r := usage.Record{Call: ident.NewCall(), At: o.clock.Now(), Account: a, Workspace: ws, Status: 200}
	o.must(o.store.InsertUsage(o.t.Context(), []usage.Record{r}))
	return string(r.Call) + "." + strconv.FormatInt(r.At.UnixMicro(), 10)
}

// clear deletes what was made for requests, if it is still there, and what they made.
func (o *company) clear(ws ident.Workspace, t things) {
	o.t.Helper()
	ctx := o.t.Context()
	gone := func(err error) {
		o.t.Helper()
		if !fault.Is(err, fault.Missing) { // a request deleted it
			o.must(err)
		}
	}
	if t["key"] != "" {
		gone(o.config.Keys.Delete(ctx, o.root, ws, ident.Key(t["key"])))
	}
	if t["adminkey"] != "" {
		gone(o.config.AdminKeys.Revoke(ctx, o.root, ident.AdminKey(t["adminkey"])))
	}
	if t["user"] != "" {
		gone(o.config.People.Delete(ctx, o.root, ident.User(t["user"])))
	}
	if t["dataset"] != "" {
		gone(o.config.Datasets.Delete(ctx, o.root, ws, ident.Dataset(t["dataset"])))
	}
	there, err := o.config.Providers.List(ctx, o.root)
	o.must(err)
	for _, p := range there {
		if p.ID != o.engines[o.account.ID] { // the deployments, which nobody takes down here, keep it
			o.must(o.config.Providers.Delete(ctx, o.root, p.ID))
		}
	}
}

// neighbour makes the other company and gives its things.
func (o *company) neighbour() things {
	_, root, home := o.open("Other", "other")
	w, err := o.config.Workspaces.Add(o.t.Context(), root, "Secret plans")
	o.must(err)
	_ = home
	member := o.member(root, w.ID)
	holder, err := o.store.Actor(o.t.Context(), member.ID)
	o.must(err)
	file := o.dataset(root, w.ID)
	return things{
		"dataset": string(file.Dataset), "file": string(file.ID),
		"workspace": string(w.ID), "model": "qwen-turbo", "capability": "call", "offer": "no-such",
		"key": string(o.key(root, w.ID, "theirs").ID), "provider": string(o.provider(root, "theirs").ID),
		"user": string(member.ID), "adminkey": string(o.adminKey(root, "theirs").ID), "passkey": string(o.passkey(holder, "theirs")), "session": o.sessionOf(root, "root@other"),
		"event": o.event(root, w.ID), "call": o.aCall(root.Account, w.ID),
		"deployment": o.deployment(root, w.ID),
		"training":   o.training(root, w.ID), "checkpoint": "checkpoint-7", "tuned": o.tuned(root, w.ID), "artifact": "model.gguf",
	}
}

// passkey gives somebody a passkey that no device holds.
func (o *company) passkey(who access.Actor, name string) ident.Passkey {
	o.t.Helper()
	p := factor.Passkey{ID: ident.NewPasskey(), Name: name, Credential: []byte(ident.NewEvent()), Record: []byte(`{"id":"YQ=="}`), CreatedAt: o.clock.Now()}
	o.must(o.store.InsertPasskey(o.t.Context(), who.Account, who.User, p, factor.PasskeysMax, nil, who.Event("factors:add-passkey", "", string(p.ID), "added")))
	return p.ID
}

// sessionOf logs somebody on and gives the name of the session.
func (o *company) sessionOf(who access.Actor, name string) string {
	o.t.Helper()
	o.cookie(name)
	all, err := o.store.UserSessions(o.t.Context(), who.Account, who.User)
	o.must(err)
	return all[0].ID
}

// strangers pairs things of others with things that never existed: whatever is
// asked about the one must be answered as about the other.
func (o *company) strangers(route string, foreign things, who string) [][2]things {
	missing := things{
		"workspace": string(ident.NewWorkspace()), "model": "qwen-turbo", "capability": "call", "offer": "never-was",
		"key": string(ident.NewKey()), "provider": string(ident.NewProvider()),
		"user": string(ident.NewUser()), "adminkey": string(ident.NewAdminKey()), "passkey": string(ident.NewPasskey()), "session": strings.Repeat("0", 64),
		"dataset": string(ident.NewDataset()), "file": string(ident.NewFile()),
		"event": string(ident.NewEvent()), "call": string(ident.NewCall()) + ".1764300000000000",
		"deployment": string(ident.NewDeployment()),
		"training":   "ft-202001010000-0000", "checkpoint": "checkpoint-7", "tuned": string(ident.NewTuned()), "artifact": "model.gguf",
	}
	if !strings.Contains(route, ":") {
		return nil
	}
	pairs := [][2]things{{foreign, missing}}
	if !strings.Contains(route, ":workspace") || who == "" {
		return pairs
	}
	mine := o.a
	if who == "bert" {
		mine = o.b
	}
	if strings.Contains(route, ":key") && who != "bob" { // bob has no page that would look for keys
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if strings.Contains(route, ":dataset") && who != "bob" && who != "carol" {
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if (strings.Contains(route, ":training") || strings.Contains(route, ":deployment") || strings.Contains(route, ":tuned")) && who != "bob" && who != "carol" {
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if strings.Contains(route, ":call") && who != "bob" && who != "carol" {
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if strings.Contains(route, ":user") && who != "bob" && who != "carol" { // they have no page that would look for members
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
		outsider := with(missing, "user", string(o.outsider.ID)) // of the account, and of neither workspace
		pairs = append(pairs, [2]things{with(outsider, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if strings.Contains(route, ":event") && who != "bob" && who != "carol" {
		pairs = append(pairs, [2]things{with(foreign, "workspace", string(mine)), with(missing, "workspace", string(mine))})
		outside := with(missing, "event", o.event(o.root, "")) // of the account, and of neither workspace
		pairs = append(pairs, [2]things{with(outside, "workspace", string(mine)), with(missing, "workspace", string(mine))})
	}
	if o.actor(ident.LogOn(who)).Role == access.Regular {
		theirs := o.b
		if who == "bert" {
			theirs = o.a
		}
		sibling := things{"workspace": string(theirs), "model": "qwen-turbo", "capability": "call", "key": string(o.sibling[theirs]), "user": string(o.colleague[theirs])}
		sibling["dataset"], sibling["file"] = string(o.siblingFile[theirs].Dataset), string(o.siblingFile[theirs].ID)
		if strings.Contains(route, ":event") {
			sibling["event"] = o.event(o.root, theirs)
		}
		if strings.Contains(route, ":call") {
			sibling["call"] = o.aCall(o.account.ID, theirs)
		}
		if strings.Contains(route, ":training") {
			sibling["training"], sibling["checkpoint"] = o.training(o.root, theirs), "checkpoint-7"
		}
		if strings.Contains(route, ":deployment") {
			sibling["deployment"] = o.deployment(o.root, theirs)
		}
		if strings.Contains(route, ":tuned") {
			sibling["tuned"], sibling["artifact"] = o.tuned(o.root, theirs), "model.gguf"
		}
		pairs = append(pairs, [2]things{sibling, missing})
	}
	return pairs
}
