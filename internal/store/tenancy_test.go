package store_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/explanation"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/work"
	"bailiwick/internal/workspace"
)

// estate is a world with one thing of each sort.
type estate struct {
	*storetest.World
	ws       workspace.Workspace
	user     account.User
	key      apikey.Key
	provider provider.Provider
	model    ident.Model
	refused  ident.Call
	adminKey adminkey.Key
	file     dataset.Version
	job      training.Job
	tuned    training.Tuned
	put      deployment.Deployment
}

func newEstate(t *testing.T, s *store.Store, alias ident.Alias) estate {
	e := estate{World: storetest.NewWorld(t, s, alias), model: ident.Model("model-of-" + alias)}
	e.ws, e.user = e.Workspace("Marketing"), e.User("alice", access.Regular)
	e.Member(e.ws.ID, e.user.ID, access.Regular)
	e.key, _ = e.Key(e.ws.ID, secret.Pepper{})
	e.provider = e.Provider("vLLM", provider.Embedded, "")
	e.Model(e.model)
	e.Serve(e.provider.ID, e.model)
	e.Grant(e.model, catalogue.Call, e.ws.ID)
	e.put = e.Deployment(e.ws.ID, e.provider.ID, e.model, e.model+"-put")
	must(t, s.InsertUsage(t.Context(), []usage.Record{{Call: ident.NewCall(), At: storetest.Start, Account: e.Account.ID, Workspace: e.ws.ID}}))
	e.file = e.Dataset(e.ws.ID)
	e.job, e.tuned = e.Training(e.ws.ID), e.Tuned(e.ws.ID)
	e.refused = ident.NewCall()
	must(t, s.InsertRefusals(t.Context(), []explanation.Refusal{{Call: e.refused, At: storetest.Start, Account: e.Account.ID, Workspace: e.ws.ID}}))
	return e
}

// What is another account's is missing to every method, exactly as what never
// existed, and stays as it is.
func TestSec06_WhatIsForeignIsMissing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := newEstate(t, s, "acme"), newEstate(t, s, "umbrella")
		mine.adminKey, theirs.adminKey = mine.AdminKey(mine.Root.ID), theirs.AdminKey(theirs.Root.ID)
		nobody := estate{
			World: &storetest.World{Account: account.Account{ID: ident.NewAccount()}, Root: account.User{ID: ident.NewUser()}, Default: ident.NewWorkspace()},
			ws:    workspace.Workspace{ID: ident.NewWorkspace()}, user: account.User{ID: ident.NewUser()}, key: apikey.Key{ID: ident.NewKey()},
			provider: provider.Provider{ID: ident.NewProvider()}, model: "model-of-nobody", adminKey: adminkey.Key{ID: ident.NewAdminKey()},
			file: dataset.Version{ID: ident.NewFile(), Dataset: ident.NewDataset()},
			job:  training.Job{ID: "ft-202001010000-0000"}, tuned: training.Tuned{ID: ident.NewTuned(), Name: "nobody-ft", Training: "ft-202001010000-0000"},
			put: deployment.Deployment{ID: ident.NewDeployment(), Name: "model-of-nobody-put"},
		}
		giveFactors(t, s, theirs.World, theirs.user.ID)
		(&browser{t: t, sessions: s.Sessions(store.SessionConfig{})}).logOn(theirs.user.ID)
		before := version(t, s)
		for _, other := range []estate{theirs, nobody} {
			tries := foreignTries(t, s, mine, other)
			maps.Copy(tries, foreignDeployments(t, s, mine, other))
			for name, try := range tries {
				if err := try(); !fault.Is(err, fault.Missing) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if version(t, s) != before {
			t.Error("something changed")
		}
		theirs.limit(t)
		for name, n := range foreignLists(t, s, mine, theirs) {
			if n != 0 {
				t.Errorf("%s lists %d", name, n)
			}
		}
	})
}

func foreignTries(t *testing.T, s *store.Store, mine, other estate) map[string]func() error {
	ctx, a, why := t.Context(), mine.Account.ID, mine.Why("tries:foreign")
	subject := grant.Subject{Model: other.model, Capability: catalogue.Call}
	replace := func(subject grant.Subject, to ident.Workspace) error {
		version := int64(1)
		if subject.Model == mine.model {
			version = 2
		}
		_, err := s.ReplaceGrants(ctx, a, subject, grant.Edit{Version: version, Authorized: []ident.Workspace{to}}, "root@acme", func(grant.Change) audit.Event { return why })
		return err
	}
	second := func(_ any, err error) error { return err }
	told := func(workspace.MemberChange) audit.Event { return why }
	put := func(ws ident.Workspace, u ident.User) error {
		return s.PutMembers(ctx, a, ws, []workspace.Member{{User: u, Role: access.Regular, Version: workspace.AnyVersion}}, true, told)
	}
	newKey := func(owner ident.User) apikey.Key {
		return apikey.Key{ID: ident.NewKey(), Account: a, Owner: owner, Digest: secret.TokenDigest(string(ident.NewKey())), CreatedAt: storetest.Start}
	}
	serving := func(p ident.Provider, m ident.Model) []provider.Serving {
		return []provider.Serving{{Provider: p, Model: m, Name: "x"}}
	}
	permitted := func(ws ident.Workspace, m ident.Model) error {
		yes := true
		p := grant.Permit{Models: []grant.Flags{{Model: m, Train: &yes}}}
		return s.PermitWorkspace(ctx, a, ws, p, "root@acme", func(grant.Subject, bool) audit.Event { return why }, func(bool, int) audit.Event { return why })
	}
	limited := func(ws ident.Workspace, m ident.Model) error {
		return s.ChangeLimits(ctx, a, ws, []limit.Change{ratesOf(m, 7, 60, 0, 0)}, "root@acme", func(ident.Model, limit.Limit, limit.Limit) audit.Event { return why })
	}
	digest := strings.Repeat("0", 64)
	return map[string]func() error{
		"Dependents": func() error { return second(s.Dependents(ctx, a, other.provider.ID)) },
		"PutApp": func() error {
			return s.PutApp(ctx, a, other.user.ID, factor.App{Seed: []byte("x"), CreatedAt: storetest.Start}, nil, why)
		},
		"DropApp":     func() error { return s.DropApp(ctx, a, other.user.ID, why) },
		"DropFactors": func() error { return s.DropFactors(ctx, a, other.user.ID, why) },
		"InsertPasskey": func() error {
			return s.InsertPasskey(ctx, a, other.user.ID, factor.Passkey{ID: ident.NewPasskey(), Credential: []byte("x")}, 9, nil, why)
		},
		"DropPasskey":               func() error { return s.DropPasskey(ctx, a, mine.user.ID, ident.NewPasskey(), why) },
		"ReplaceCodes":              func() error { return s.ReplaceCodes(ctx, a, other.user.ID, nil, why) },
		"TakeStep":                  func() error { return s.TakeStep(ctx, a, other.user.ID, 1<<40) },
		"TakeCode":                  func() error { return s.TakeCode(ctx, a, other.user.ID, secret.Digest{}, why) },
		"TakePasskey":               func() error { return s.TakePasskey(ctx, a, other.user.ID, factor.Passkey{Challenge: 1 << 60}) },
		"RemindAfter":               func() error { return second(s.RemindAfter(ctx, a, other.user.ID)) },
		"PutOffReminder":            func() error { return s.PutOffReminder(ctx, a, other.user.ID, time.Now(), why) },
		"EndSession":                func() error { return s.EndSession(ctx, a, other.user.ID, digest, why) },
		"SetPassword":               func() error { return s.SetPassword(ctx, a, other.user.ID, "x", false, why) },
		"User":                      func() error { return second(s.User(ctx, a, other.user.ID)) },
		"UpdateUser":                func() error { u := other.user; u.Version = 1; return s.UpdateUser(ctx, a, u, why) },
		"SetUserRole":               func() error { return s.SetUserRole(ctx, a, other.user.ID, access.Super, why) },
		"SetUserDisabled":           func() error { return s.SetUserDisabled(ctx, a, other.user.ID, time.Now(), why) },
		"DeleteUser":                func() error { return s.DeleteUser(ctx, a, other.user.ID, why) },
		"EndSessions":               func() error { return s.EndSessions(ctx, a, other.user.ID, why) },
		"Invite":                    func() error { return s.Invite(ctx, a, other.user.ID, account.Invitation{}, why) },
		"Member":                    func() error { return second(s.Member(ctx, a, other.ws.ID, other.user.ID)) },
		"Leaving":                   func() error { return second(s.Leaving(ctx, a, other.ws.ID, other.user.ID)) },
		"RemoveMember":              func() error { return s.RemoveMember(ctx, a, other.ws.ID, other.user.ID, true, told) },
		"RenameWorkspace":           func() error { return s.RenameWorkspace(ctx, a, other.ws.ID, "x", 1, why) },
		"DeleteWorkspace":           func() error { return second(s.DeleteWorkspace(ctx, a, other.ws.ID, why)) },
		"Remains":                   func() error { return second(s.Remains(ctx, a, other.ws.ID)) },
		"Workspace":                 func() error { return second(s.Workspace(ctx, a, other.ws.ID)) },
		"PutMembers of a workspace": func() error { return put(other.ws.ID, mine.user.ID) },
		"PutMembers of a user":      func() error { return put(mine.ws.ID, other.user.ID) },
		"Model":                     func() error { return second(s.Model(ctx, a, other.model)) },
		"UsageCall": func() error {
			return second(s.UsageCall(ctx, a, other.ws.ID, "00000000-0000-4000-8000-000000000000", storetest.Start))
		},
		"GrantList":                func() error { return second(s.GrantList(ctx, a, subject)) },
		"Refusal":                  func() error { return second(s.Refusal(ctx, a, other.refused)) },
		"ReplaceGrants of a model": func() error { return replace(subject, mine.ws.ID) },
		"ReplaceGrants to a workspace": func() error {
			return replace(grant.Subject{Model: mine.model, Capability: catalogue.Call}, other.ws.ID)
		},
		"InsertKey in a workspace": func() error { return s.InsertKey(ctx, other.ws.ID, newKey(mine.user.ID), 50, why) },
		"InsertKey of an owner":    func() error { return s.InsertKey(ctx, mine.ws.ID, newKey(other.user.ID), 50, why) },
		"Key":                      func() error { return second(s.Key(ctx, mine.ws.ID, other.key.ID)) },
		"SetKeyDisabled":           func() error { return s.SetKeyDisabled(ctx, mine.ws.ID, other.key.ID, time.Now(), why) },
		"UpdateKey":                func() error { k := other.key; k.Version = 1; return s.UpdateKey(ctx, mine.ws.ID, k, why) },
		"ResetKey":                 func() error { return s.ResetKey(ctx, mine.ws.ID, other.key, other.key.Digest, why) },
		"AdminKey":                 func() error { return second(s.AdminKey(ctx, a, other.adminKey.ID)) },
		"DeleteAdminKey":           func() error { return s.DeleteAdminKey(ctx, a, other.adminKey.ID, why) },
		"InsertAdminKey of an owner": func() error {
			return s.InsertAdminKey(ctx, a, adminkey.Key{ID: ident.NewAdminKey(), Owner: other.user.ID, Digest: secret.TokenDigest("x"), ExpiresAt: time.Now()}, 9, why)
		},
		"InsertTraining": func() error {
			return s.InsertTraining(ctx, other.ws.ID, training.Job{ID: "ft-202011280000-0001", Account: a, Output: "x-ft", State: training.Queued}, training.Entry{}, 9, why)
		},
		"Training": func() error { return second(s.Training(ctx, mine.ws.ID, other.job.ID)) },
		"MoveTraining": func() error {
			return second(s.MoveTraining(ctx, mine.ws.ID, other.job.ID, func(j *training.Job) (training.Entry, audit.Event, error) {
				e, err := j.Cancel(time.Now())
				return e, why, err
			}))
		},
		"NoteTraining": func() error {
			return second(s.NoteTraining(ctx, mine.ws.ID, other.job.ID, work.Lease{}, func(*training.Job) (training.News, error) { return training.News{}, nil }))
		},
		"EndTraining": func() error {
			return second(s.EndTraining(ctx, mine.ws.ID, other.job.ID, work.Lease{}, func(*training.Job) (training.News, audit.Event, error) { return training.News{}, why, nil }))
		},
		"DeleteTraining":      func() error { return s.DeleteTraining(ctx, mine.ws.ID, other.job.ID, why) },
		"TrainingLog":         func() error { _, _, err := s.TrainingLog(ctx, mine.ws.ID, other.job.ID, 1, 9); return err },
		"TrainingCurves":      func() error { return second(s.TrainingCurves(ctx, mine.ws.ID, other.job.ID)) },
		"TrainingCheckpoints": func() error { return second(s.TrainingCheckpoints(ctx, mine.ws.ID, other.job.ID)) },
		"PublishCheckpoint": func() error {
			m := other.tuned
			m.ID, m.Name, m.Checkpoint = ident.NewTuned(), "x-ft-2", "checkpoint-9"
			return s.PublishCheckpoint(ctx, mine.ws.ID, m, why)
		},
		"Tuned":       func() error { return second(s.Tuned(ctx, mine.ws.ID, other.tuned.ID)) },
		"TunedByName": func() error { return second(s.TunedByName(ctx, other.ws.ID, "no-such-ft")) },
		"RenameTuned": func() error { return s.RenameTuned(ctx, mine.ws.ID, other.tuned.ID, "x", 1, why) },
		"DeleteTuned": func() error { return s.DeleteTuned(ctx, mine.ws.ID, other.tuned.ID, why) },
		"Dataset":     func() error { return second(s.Dataset(ctx, mine.ws.ID, other.file.Dataset)) },
		"File":        func() error { return second(s.File(ctx, mine.ws.ID, other.file.ID)) },
		"FileReport":  func() error { return second(s.FileReport(ctx, mine.ws.ID, other.file.ID)) },
		"DeleteFile":  func() error { return s.DeleteFile(ctx, mine.ws.ID, other.file.ID, why) },
		"RenameDataset": func() error {
			return s.RenameDataset(ctx, mine.ws.ID, other.file.Dataset, dataset.Words{}, dataset.Words{Name: "else"}, why)
		},
		"DeleteDataset": func() error { return s.DeleteDataset(ctx, mine.ws.ID, other.file.Dataset, why) },
		"InsertDataset": func() error {
			d := dataset.Dataset{ID: ident.NewDataset(), Account: a, Method: "sft"}
			return s.InsertDataset(ctx, other.ws.ID, d, dataset.Version{ID: ident.NewFile(), Dataset: d.ID, Account: a, Number: 1, Size: 1}, dataset.Report{}, dataset.Quota{Bytes: 9, Files: 9}, why)
		},
		"InsertVersion": func() error {
			return second(s.InsertVersion(ctx, mine.ws.ID, dataset.Version{ID: ident.NewFile(), Dataset: other.file.Dataset, Account: a, Size: 1}, dataset.Report{}, dataset.Quota{Bytes: 9, Files: 9}, why))
		},
		"DeleteKey":      func() error { return s.DeleteKey(ctx, mine.ws.ID, other.key.ID, why) },
		"Provider":       func() error { return second(s.Provider(ctx, a, other.provider.ID)) },
		"UpdateProvider": func() error { p := other.provider; p.Version = 1; return s.UpdateProvider(ctx, a, p, why) },
		"DeleteProvider": func() error { return s.DeleteProvider(ctx, a, other.provider.ID, why) },
		"NoteTest":       func() error { return s.NoteTest(ctx, a, other.provider.ID, time.Now(), "x", why) },
		"Servings":       func() error { return second(s.Servings(ctx, a, other.provider.ID)) },
		"ReplaceServings of a provider": func() error {
			return s.ReplaceServings(ctx, a, other.provider.ID, serving(other.provider.ID, mine.model), why)
		},
		"ReplaceServings of a model": func() error {
			return s.ReplaceServings(ctx, a, mine.provider.ID, serving(mine.provider.ID, other.model), why)
		},
		"PermitWorkspace":             func() error { return permitted(other.ws.ID, mine.model) },
		"PermitWorkspace of a model":  func() error { return permitted(mine.ws.ID, other.model) },
		"Limits":                      func() error { return second(s.Limits(ctx, a, other.ws.ID)) },
		"ChangeLimits of a workspace": func() error { return limited(other.ws.ID, mine.model) },
		"ChangeLimits of a model":     func() error { return limited(mine.ws.ID, other.model) },
		"ChangeModelLimit": func() error {
			return s.ChangeModelLimit(ctx, a, other.model, catalogue.Limit{Requests: 1, RequestPeriod: 1}, 1, func(catalogue.Limit) audit.Event { return why })
		},
		"ChangeModelPrices": func() error {
			return s.ChangeModelPrices(ctx, a, other.model, nil, 1, func([]catalogue.Price) audit.Event { return why })
		},
		"ImportModels": func() error {
			return s.ImportModels(ctx, a, other.provider.ID, nil, serving(other.provider.ID, mine.model), why)
		},
	}
}

// foreignLists counts what lists of mine show of theirs.
func foreignLists(t *testing.T, s *store.Store, mine, theirs estate) map[string]int {
	ctx, a := t.Context(), mine.Account.ID
	workspaces, _, err := s.Workspaces(ctx, a, workspace.Filter{Only: []ident.Workspace{theirs.ws.ID, theirs.Default}})
	must(t, err)
	one, _, err := s.Keys(ctx, a, apikey.Filter{Only: []ident.Workspace{theirs.ws.ID}})
	must(t, err)
	two, _, err := s.Keys(ctx, a, apikey.Filter{Only: []ident.Workspace{theirs.ws.ID, theirs.Default}})
	must(t, err)
	searched, _, err := s.Keys(ctx, a, apikey.Filter{Search: string(theirs.key.ID)})
	must(t, err)
	models, err := s.Models(ctx, a)
	must(t, err)
	foreign := 0
	for _, m := range models {
		if m.Account != a {
			foreign++
		}
	}
	providers, err := s.Providers(ctx, a)
	must(t, err)
	if len(models) != 1 || len(providers) != 1 {
		t.Errorf("%d models and %d providers", len(models), len(providers))
	}
	records, _, err := s.Usage(ctx, a, usage.Filter{Workspace: theirs.ws.ID}, usage.Page{})
	must(t, err)
	used, err := s.UsageSums(ctx, a, usage.Query{Filter: usage.Filter{Workspace: theirs.ws.ID}})
	must(t, err)
	own, _, err := s.Usage(ctx, a, usage.Filter{}, usage.Page{})
	must(t, err)
	members, _, err := s.Members(ctx, a, theirs.ws.ID, workspace.MemberFilter{})
	must(t, err)
	heads, err := s.Administrators(ctx, a, theirs.ws.ID)
	must(t, err)
	seats, err := s.Seats(ctx, a, theirs.user.ID)
	must(t, err)
	impact, err := s.UserImpact(ctx, a, theirs.user.ID, time.Now())
	must(t, err)
	candidates, _, err := s.Candidates(ctx, a, mine.ws.ID, workspace.CandidateFilter{Among: []ident.User{theirs.user.ID}})
	must(t, err)
	people, _, err := s.Users(ctx, a, account.UserFilter{})
	must(t, err)
	adminKeys, err := s.AdminKeys(ctx, a)
	must(t, err)
	strangers := len(adminKeys) - 1
	for _, c := range candidates {
		if c.User == theirs.user.ID {
			strangers++
		}
	}
	for _, u := range people {
		if u.Account != a {
			strangers++
		}
	}
	refused, _, err := s.Refusals(ctx, a, theirs.ws.ID, "", 10)
	must(t, err)
	sums, err := s.LimitSums(ctx, a)
	must(t, err)
	_, _, jobs, err := s.Trainings(ctx, mine.ws.ID, training.Filter{Search: string(theirs.job.ID)})
	must(t, err)
	using, err := s.TrainingsWith(ctx, mine.ws.ID, []ident.File{theirs.job.Train[0].File})
	must(t, err)
	own2, _, err := s.TunedModels(ctx, mine.ws.ID, training.ModelFilter{Training: theirs.tuned.Training})
	must(t, err)
	named := 0
	if _, err := s.TunedByName(ctx, mine.ws.ID, theirs.tuned.Name); err == nil {
		named = 1
	}
	versions, err := s.Versions(ctx, mine.ws.ID, theirs.file.Dataset)
	must(t, err)
	files, _, err := s.Files(ctx, mine.ws.ID, dataset.FileFilter{After: theirs.file.ID})
	must(t, err)
	sets, _, err := s.Datasets(ctx, mine.ws.ID, dataset.Filter{Search: string(theirs.file.ID)})
	must(t, err)
	factors, err := s.Factors(ctx, a, theirs.user.ID)
	must(t, err)
	sessions, err := s.UserSessions(ctx, a, theirs.user.ID)
	must(t, err)
	put, _, all, err := s.Deployments(ctx, mine.ws.ID, deployment.Filter{})
	must(t, err)
	at, err := s.DeploymentsAt(ctx, a, theirs.provider.ID)
	must(t, err)
	return map[string]int{
		"Trainings": jobs, "TrainingsWith": len(using), "TunedModels": len(own2), "TunedByName": named,
		"Versions": len(versions), "Files": len(files), "Datasets": len(sets),
		"Deployments": len(put) + all - 2, "DeploymentsAt": len(at),
		"LimitSums": len(sums), "Refusals": len(refused),
		"Factors": len(factors.Passkeys) + factors.Codes + len(factors.App.Seed), "UserSessions": len(sessions),
		"Members": len(members), "Administrators": len(heads), "Seats": len(seats), "UserImpact": len(impact.Keys) + len(impact.Workspaces),
		"Users and Candidates": strangers,
		"Workspaces":           len(workspaces), "Keys of one": len(one), "Keys of two": len(two), "Keys found": len(searched),
		"Models": foreign, "Usage": len(records) + len(used), "Usage of all": len(own) - 1,
	}
}

// A column that ties a row to another account's is refused by the tables themselves.
func TestSec07_TheTablesRefuseRowsAcrossAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := newEstate(t, s, "acme"), newEstate(t, s, "umbrella")
		mine.limit(t)
		mine.adminKey, theirs.adminKey = mine.AdminKey(mine.Root.ID), theirs.AdminKey(theirs.Root.ID)
		for _, statement := range []string{
			"UPDATE members SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE user_id = '" + string(mine.user.ID) + "'",
			"UPDATE members SET user_id = '" + string(theirs.user.ID) + "' WHERE user_id = '" + string(mine.user.ID) + "'",
			"UPDATE keys SET owner_id = '" + string(theirs.user.ID) + "' WHERE id = '" + string(mine.key.ID) + "'",
			"UPDATE keys SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.key.ID) + "'",
			"UPDATE grants SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE model_id = '" + string(mine.model) + "'",
			"UPDATE limits SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE model_id = '" + string(mine.model) + "'",
			"UPDATE limits SET model_id = '" + string(theirs.model) + "' WHERE model_id = '" + string(mine.model) + "'",
			"UPDATE limits SET request_period = 0, token_period = 60",
			"UPDATE servings SET provider_id = '" + string(theirs.provider.ID) + "' WHERE model_id = '" + string(mine.model) + "'",
			"UPDATE admin_keys SET owner_id = '" + string(theirs.user.ID) + "' WHERE id = '" + string(mine.adminKey.ID) + "'",
			"UPDATE trainings SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.job.ID) + "'",
			"UPDATE tuned_models SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.tuned.ID) + "'",
			"UPDATE training_log SET account_id = '" + string(theirs.Account.ID) + "' WHERE training_id = '" + string(mine.job.ID) + "'",
			"UPDATE training_files SET account_id = '" + string(theirs.Account.ID) + "' WHERE training_id = '" + string(mine.job.ID) + "'",
			"UPDATE trainings SET state = 'done' WHERE id = '" + string(mine.job.ID) + "'",
			"UPDATE trainings SET ended = 1 WHERE id = '" + string(mine.job.ID) + "'",
			"UPDATE datasets SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.file.Dataset) + "'",
			"UPDATE datasets SET account_id = '" + string(theirs.Account.ID) + "' WHERE id = '" + string(mine.file.Dataset) + "'",
			"UPDATE dataset_files SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.file.ID) + "'",
			"UPDATE dataset_files SET dataset_id = '" + string(theirs.file.Dataset) + "' WHERE id = '" + string(mine.file.ID) + "'",
			"UPDATE deployments SET workspace_id = '" + string(theirs.ws.ID) + "' WHERE id = '" + string(mine.put.ID) + "'",
			"UPDATE deployments SET account_id = '" + string(theirs.Account.ID) + "' WHERE id = '" + string(mine.put.ID) + "'",
			"UPDATE deployment_moves SET account_id = '" + string(theirs.Account.ID) + "' WHERE deployment_id = '" + string(mine.put.ID) + "'",
			"UPDATE users SET role = 'root' WHERE id = '" + string(mine.user.ID) + "'",
			"UPDATE workspaces SET is_default = TRUE WHERE id = '" + string(mine.ws.ID) + "'",
			"DELETE FROM workspaces WHERE id = '" + string(mine.ws.ID) + "'",
			"DELETE FROM users WHERE id = '" + string(mine.user.ID) + "'",
		} {
			if s.Exec(statement) == nil {
				t.Error(statement)
			}
		}
	})
}

// Whoever adds a method to the store has to think of its owner here.
func TestEveryMethodNamesItsOwnerFirst(t *testing.T) {
	without := map[string]string{
		"OpenAccount": "makes the owner", "Accounts": "the command line's", "AccountByAlias": "log-on", "UserByLogOn": "log-on",
		"Actor": "a session's user", "Half": "a session's user", "AdminKeyByDigest": "its secret", "Invitation": "the token's", "AcceptInvitation": "the token's", "Sessions": "their tokens", "Facts": "the policy's, of all",
		"ClaimWork": "the lease says", "RenewWork": "the lease says", "PutBackWork": "the lease says", "FinishWork": "the lease says", "BeginSweeps": "the loop's, of all", "Ask": "test", "Fenced": "test",
		"InsertUsage": "the recorder's, of all", "InsertRefusals": "the recorder's, of all", "PruneRefusals": "the recorder's, of all", "PurgeUsage": "the keeper's, of all", "VerifyUsage": "the keeper's, of all", "Note": "the event says",
		"Ping": "of all", "Tips": "the exporter's, of all", "Chains": "the verifier's, of all",
		"Beat": "of all servers", "Leave": "of all servers", "Canary": "the installation's", "Close": "", "OnChange": "", "Exec": "test", "Unchain": "test", "Unbook": "test", "Strings": "test", "Number": "test", "Postgres": "test", "Plan": "test", "Reads": "test", "SetReach": "test", "Unsearch": "test", "UnsetLimits": "test", "Visits": "test",
	}
	owners := []reflect.Type{reflect.TypeFor[ident.Account](), reflect.TypeFor[ident.Workspace]()}
	methods := reflect.TypeFor[*store.Store]()
	for i := range methods.NumMethod() {
		m := methods.Method(i)
		if _, known := without[m.Name]; known {
			continue
		}
		if m.Type.NumIn() < 3 || m.Type.In(2) != owners[0] && m.Type.In(2) != owners[1] {
			t.Errorf("%s does not name its owner after ctx", m.Name)
		}
	}
}
