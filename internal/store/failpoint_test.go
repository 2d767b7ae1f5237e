package store_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
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
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/workspace"
)

// P23: no change without its audit row, whichever method makes it.
func TestP23_AnEventThatCannotBeWrittenUndoesItsChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		e.adminKey = e.AdminKey(e.Root.ID)
		token := secret.TokenDigest("invited")
		invited := e.User("invited", access.Regular)
		must(t, s.Invite(t.Context(), e.Account.ID, invited.ID, account.Invitation{Token: token, Created: storetest.Start, Until: storetest.Start.Add(time.Hour)}, e.Why("users:invite")))
		holder := e.User("holder", access.Regular)
		held := giveFactors(t, s, e.World, holder.ID)
		changes := explainedChanges(t, s, e, e.Workspace("second"), token)
		maps.Copy(changes, factorChanges(t, s, e, holder, held))
		maps.Copy(changes, datasetChanges(t, s, e))
		maps.Copy(changes, trainingChanges(t, s, e))
		maps.Copy(changes, deploymentChanges(t, s, e))
		fillDisk(t, s)
		before := everything(t, s)
		for name, change := range changes {
			if err := change(); err == nil || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := everything(t, s); before != after {
			t.Errorf("something was kept without its event:\n%s\n%s", before, after)
		}
		methods := reflect.TypeFor[*store.Store]()
		for i := range methods.NumMethod() {
			if m := methods.Method(i); explained(m.Type) && changes[m.Name] == nil {
				t.Errorf("%s takes an event and is not tried here", m.Name)
			}
		}
	})
}

// explained reports whether a method takes an event, or what makes one.
func explained(method reflect.Type) bool {
	event := reflect.TypeFor[audit.Event]()
	for i := range method.NumIn() {
		in := method.In(i)
		if in == event || in.Kind() == reflect.Func && slices.Contains(slices.Collect(in.Outs()), event) {
			return true
		}
	}
	return false
}

// fillDisk makes the writing of every event fail from now on.
func fillDisk(t *testing.T, s *store.Store) {
	if !s.Postgres() {
		must(t, s.Exec("CREATE TRIGGER fail BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"))
		return
	}
	must(t, s.Exec("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"))
	must(t, s.Exec("CREATE TRIGGER fail BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION fail()"))
}

func explainedChanges(t *testing.T, s *store.Store, e estate, second workspace.Workspace, token secret.Digest) map[string]func() error {
	ctx, a, why := t.Context(), e.Account.ID, e.Why("tries:change")
	user := account.User{ID: ident.NewUser(), Account: a, LogOn: "new", Name: "new", Role: access.Regular, CreatedAt: storetest.Start, Version: 1}
	model := catalogue.Model{ID: "new-model", Account: a, Name: "new", Vendor: "custom", Offers: catalogue.Of(catalogue.Call), Version: 1}
	key := apikey.Key{ID: ident.NewKey(), Account: a, Owner: e.Root.ID, Digest: secret.TokenDigest("new"), CreatedAt: storetest.Start, Version: 1}
	seat := func(workspace.MemberChange) audit.Event { return why }
	idle := e.Provider("idle", provider.Embedded, "")
	edited, reset := e.key, e.key
	edited.Description, reset.Digest = "edited", secret.TokenDigest("reset")
	return map[string]func() error{
		"OpenAccount": func() error {
			o := account.Opening{Account: account.Account{ID: ident.NewAccount(), Alias: "new", Name: "new", Settings: account.Defaults, CreatedAt: storetest.Start, Version: 1}, Root: user, Workspace: ident.NewWorkspace()}
			o.Root.Role, o.Root.LogOn = access.Root, "root"
			return s.OpenAccount(ctx, o, false, why)
		},
		"ChangeSettings":  func() error { return s.ChangeSettings(ctx, a, account.Defaults, 1, why) },
		"Note":            func() error { return s.Note(ctx, why) },
		"LoggedOn":        func() error { return s.LoggedOn(ctx, a, e.user.ID, storetest.Start, why) },
		"InsertUser":      func() error { return s.InsertUser(ctx, a, user, why) },
		"UpdateUser":      func() error { u := e.user; u.Name, u.Version = "x", 1; return s.UpdateUser(ctx, a, u, why) },
		"SetUserRole":     func() error { return s.SetUserRole(ctx, a, e.user.ID, access.Super, why) },
		"SetUserDisabled": func() error { return s.SetUserDisabled(ctx, a, e.user.ID, storetest.Start, why) },
		"DeleteUser":      func() error { return s.DeleteUser(ctx, a, e.user.ID, why) },
		"SetPassword":     func() error { return s.SetPassword(ctx, a, e.user.ID, "x", true, why) },
		"EndSessions":     func() error { return s.EndSessions(ctx, a, e.user.ID, why) },
		"Invite": func() error {
			return s.Invite(ctx, a, e.user.ID, account.Invitation{Token: secret.TokenDigest("x"), Created: storetest.Start, Until: storetest.Start}, why)
		},
		"AcceptInvitation": func() error { return s.AcceptInvitation(ctx, token, storetest.Start, "x", why) },
		"InsertWorkspace": func() error {
			return s.InsertWorkspace(ctx, a, workspace.Workspace{ID: ident.NewWorkspace(), Name: "new", Version: 1}, why)
		},
		"RenameWorkspace": func() error { return s.RenameWorkspace(ctx, a, e.ws.ID, "x", 1, why) },
		"DeleteWorkspace": func() error { _, err := s.DeleteWorkspace(ctx, a, second.ID, why); return err },
		"PutMembers": func() error {
			m := workspace.Member{User: e.user.ID, Role: access.Administrator, Version: workspace.AnyVersion}
			return s.PutMembers(ctx, a, e.ws.ID, []workspace.Member{m}, true, seat)
		},
		"RemoveMember":   func() error { return s.RemoveMember(ctx, a, e.ws.ID, e.user.ID, true, seat) },
		"InsertKey":      func() error { return s.InsertKey(ctx, e.ws.ID, key, 50, why) },
		"UpdateKey":      func() error { return s.UpdateKey(ctx, e.ws.ID, edited, why) },
		"ResetKey":       func() error { return s.ResetKey(ctx, e.ws.ID, reset, e.key.Digest, why) },
		"SetKeyDisabled": func() error { return s.SetKeyDisabled(ctx, e.ws.ID, e.key.ID, storetest.Start, why) },
		"DeleteKey":      func() error { return s.DeleteKey(ctx, e.ws.ID, e.key.ID, why) },
		"ReplaceGrants": func() error {
			subject := grant.Subject{Model: e.model, Capability: catalogue.Call}
			_, err := s.ReplaceGrants(ctx, a, subject, grant.Edit{Version: 2, Authorized: []ident.Workspace{second.ID}}, "root@acme", func(grant.Change) audit.Event { return why })
			return err
		},
		"InsertAdminKey": func() error {
			return s.InsertAdminKey(ctx, a, adminkey.Key{ID: ident.NewAdminKey(), Owner: e.user.ID, Digest: secret.TokenDigest("new"), ExpiresAt: storetest.Start}, 9, why)
		},
		"DeleteAdminKey": func() error { return s.DeleteAdminKey(ctx, a, e.adminKey.ID, why) },
		"PermitWorkspace": func() error {
			return s.PermitWorkspace(ctx, a, e.ws.ID, grant.Permit{All: grant.Open}, "root@acme", func(grant.Subject, bool) audit.Event { return why }, func(bool, int) audit.Event { return why })
		},
		"ChangeLimits": func() error {
			return s.ChangeLimits(ctx, a, e.ws.ID, []limit.Change{ratesOf(e.model, 7, 60, 0, 0)}, "root@acme", func(ident.Model, limit.Limit, limit.Limit) audit.Event { return why })
		},
		"ChangeModelLimit": func() error {
			return s.ChangeModelLimit(ctx, a, e.model, catalogue.Limit{Requests: 1, RequestPeriod: 1}, 1, func(catalogue.Limit) audit.Event { return why })
		},
		"ChangeModelPrices": func() error {
			return s.ChangeModelPrices(ctx, a, e.model, []catalogue.Price{{Item: "input_token", Amount: "1", Unit: "1M tokens", Currency: "CNY"}}, 1, func([]catalogue.Price) audit.Event { return why })
		},
		"InstallModels": func() error { return s.InstallModels(ctx, a, []catalogue.Model{model}, why) },
		"InsertModel":   func() error { return s.InsertModel(ctx, a, model, why) },
		"InsertProvider": func() error {
			return s.InsertProvider(ctx, a, provider.Provider{ID: ident.NewProvider(), Account: a, Name: "new", Kind: provider.Embedded, CreatedAt: storetest.Start, Version: 1}, why)
		},
		"UpdateProvider": func() error { p := e.provider; p.Name, p.Version = "x", 1; return s.UpdateProvider(ctx, a, p, why) },
		"NoteTest":       func() error { return s.NoteTest(ctx, a, e.provider.ID, storetest.Start, "x", why) },
		"ExpireTrail": func() error {
			sign := func(seq int64, hash audit.Digest) audit.Anchor {
				return audit.SignAnchor(signingKey(), a, seq, hash, storetest.Start)
			}
			_, err := s.ExpireTrail(ctx, a, time.Now().AddDate(1, 0, 0), sign, func(int64, int64) audit.Event { return why })
			return err
		},
		"DeleteProvider":  func() error { return s.DeleteProvider(ctx, a, idle.ID, why) },
		"ReplaceServings": func() error { return s.ReplaceServings(ctx, a, e.provider.ID, nil, why) },
		"ImportModels":    func() error { return s.ImportModels(ctx, a, e.provider.ID, []catalogue.Model{model}, nil, why) },
	}
}

func datasetChanges(t *testing.T, s *store.Store, e estate) map[string]func() error {
	ctx, ws, why := t.Context(), e.ws.ID, e.Why("tries:change")
	room := dataset.Quota{Bytes: 1 << 30, Files: 100, FileSize: 1 << 30}
	next := e.file
	next.ID = ident.NewFile()
	return map[string]func() error{
		"InsertDataset": func() error {
			d, v := dataset.Dataset{ID: ident.NewDataset(), Account: e.Account.ID, Name: "new", Method: "sft", CreatedAt: storetest.Start}, next
			v.Dataset = d.ID
			return s.InsertDataset(ctx, ws, d, v, dataset.Report{}, room, why)
		},
		"InsertVersion": func() error { _, err := s.InsertVersion(ctx, ws, next, dataset.Report{}, room, why); return err },
		"DeleteFile":    func() error { return s.DeleteFile(ctx, ws, e.file.ID, why) },
		"RenameDataset": func() error {
			d, err := s.Dataset(ctx, ws, e.file.Dataset)
			must(t, err)
			return s.RenameDataset(ctx, ws, d.ID, d.Words(), dataset.Words{Name: "else"}, why)
		},
		"DeleteDataset": func() error { return s.DeleteDataset(ctx, ws, e.file.Dataset, why) },
	}
}

func trainingChanges(t *testing.T, s *store.Store, e estate) map[string]func() error {
	ctx, ws, why := t.Context(), e.ws.ID, e.Why("tries:change")
	lease, found, err := s.ClaimWork(ctx, training.Work, "a", day)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	_, leased, _ := strings.Cut(lease.Ref, "/")
	cancel := func(j *training.Job) (training.Entry, audit.Event, error) {
		entry, err := j.Cancel(storetest.Start)
		return entry, e.Why("trainings:cancel"), err
	}
	over, err := s.MoveTraining(ctx, ws, e.Training(ws).ID, cancel)
	must(t, err)
	return map[string]func() error{
		"InsertTraining": func() error {
			j := e.job
			j.ID, j.Output, j.Result = "ft-202011280000-0001", "new-ft", ident.NewTuned()
			return s.InsertTraining(ctx, ws, j, training.Entry{At: storetest.Start, State: training.Queued}, 99, why)
		},
		"MoveTraining": func() error { _, err := s.MoveTraining(ctx, ws, e.job.ID, cancel); return err },
		"EndTraining": func() error {
			_, err := s.EndTraining(ctx, ws, ident.Training(leased), lease, func(j *training.Job) (training.News, audit.Event, error) {
				j.State, j.EndedAt, j.TrainedTokens = training.Succeeded, storetest.Start, 1000
				j.Price = training.Price{Millionths: 30_000_000, Currency: "CNY"}
				return training.News{Entries: []training.Entry{{At: storetest.Start, State: j.State}}}, why, nil
			})
			return err
		},
		"DeleteTraining": func() error { return s.DeleteTraining(ctx, ws, over.ID, why) },
		"PublishCheckpoint": func() error {
			m := e.tuned
			m.ID, m.Name, m.Checkpoint = ident.NewTuned(), "new-ft", "checkpoint-9"
			return s.PublishCheckpoint(ctx, ws, m, why)
		},
		"RenameTuned": func() error { return s.RenameTuned(ctx, ws, e.tuned.ID, "x", 1, why) },
		"DeleteTuned": func() error { return s.DeleteTuned(ctx, ws, e.tuned.ID, why) },
	}
}

func deploymentChanges(t *testing.T, s *store.Store, e estate) map[string]func() error {
	ctx, ws, why := t.Context(), e.ws.ID, e.Why("tries:change")
	lease := worker(t, s, "a")
	move := func(d *deployment.Deployment) (deployment.Moved, audit.Event, error) {
		m, err := d.Move(deployment.Deploying, "", storetest.Start)
		return m, why, err
	}
	return map[string]func() error{
		"InsertDeployment": func() error {
			return s.InsertDeployment(ctx, ws, e.Draft(ws, e.provider.ID, e.model, "new-put"), 9, why)
		},
		"ChangeDeployment": func() error { _, err := s.ChangeDeployment(ctx, ws, e.put.ID, move); return err },
		"NoteDeployment": func() error {
			d := e.put
			m, _, err := move(&d)
			must(t, err)
			return s.NoteDeployment(ctx, ws, d, lease, []deployment.Moved{m}, why)
		},
		"DropDeployment": func() error { return s.DropDeployment(ctx, ws, e.put, lease, why) },
	}
}

// everything is what the database holds, as text.
func everything(t *testing.T, s *store.Store) string {
	text := fmt.Sprintf("%+v\n", facts(t, s, 0))
	for _, query := range []string{
		"SELECT id || name || role || password || must_change || generation || last_log_on || version FROM users ORDER BY id",
		"SELECT id || name || version FROM workspaces ORDER BY id", "SELECT id || name || version FROM accounts ORDER BY id",
		"SELECT user_id || role || version FROM members ORDER BY user_id", "SELECT id || description || version FROM keys ORDER BY id",
		"SELECT id || name || version FROM providers ORDER BY id", "SELECT id || facts FROM models ORDER BY id", "SELECT model_id || version FROM limits ORDER BY model_id", "SELECT user_id FROM invitations ORDER BY user_id", "SELECT id FROM admin_keys ORDER BY id",
		"SELECT user_id || step FROM authenticators", "SELECT id || name || challenge FROM passkeys ORDER BY id", "SELECT user_id FROM recovery_codes", "SELECT user_id FROM sessions",
		"SELECT id || latest || numbers || versions || bytes FROM datasets ORDER BY id", "SELECT id || number FROM dataset_files ORDER BY id",
		"SELECT id || state || ended || version FROM trainings ORDER BY id", "SELECT training_id || number FROM training_log ORDER BY training_id, number",
		"SELECT training_id || file_id FROM training_files ORDER BY training_id, file_id", "SELECT id || title || version FROM tuned_models ORDER BY id",
		"SELECT id || state || version FROM deployments ORDER BY id", "SELECT deployment_id || number FROM deployment_moves ORDER BY deployment_id, number",
		"SELECT ref || hour || quantity FROM bookings ORDER BY ref, hour", "SELECT ref || fence || due FROM work_items ORDER BY ref",
		"SELECT id || remind_after FROM users ORDER BY id", "SELECT id FROM audit_events ORDER BY id", "SELECT seq || '' FROM audit_heads",
	} {
		column, err := s.Strings(query)
		must(t, err)
		text += strings.Join(column, " ") + "\n"
	}
	return text
}
