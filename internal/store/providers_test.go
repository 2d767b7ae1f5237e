package store_test

import (
	"reflect"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestAProviderComesBackAsItWasKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		p := provider.Provider{ID: ident.NewProvider(), Account: w.Account.ID, Name: "vLLM", Kind: provider.OpenAI, BaseURL: "http://10.0.0.1/v1", Sealed: []byte{0, 1, 255}, CreatedAt: storetest.Start, Version: 1}
		must(t, s.InsertProvider(ctx, w.Account.ID, p, w.Why("providers:add")))
		must(t, s.NoteTest(ctx, w.Account.ID, p.ID, storetest.Start.Add(time.Minute), "does not answer", w.Why("providers:test")))
		p.TestedAt, p.TestError = storetest.Start.Add(time.Minute), "does not answer"
		got, err := s.Provider(ctx, w.Account.ID, p.ID)
		must(t, err)
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("kept %+v, got %+v", p, got)
		}
		taken := p
		taken.ID, taken.Name = ident.NewProvider(), "VLLM"
		wantFault(t, s.InsertProvider(ctx, w.Account.ID, taken, w.Why("providers:add")), fault.Conflict, "name")
		w.Provider("Embedded", provider.Embedded, "")

		p.Name, p.BaseURL, p.Sealed = "vLLM 2", "http://10.0.0.2/v1", nil
		must(t, s.UpdateProvider(ctx, w.Account.ID, p, w.Why("providers:change")))
		wantFault(t, s.UpdateProvider(ctx, w.Account.ID, p, w.Why("providers:change")), fault.Conflict, "version")
		p.Version, p.TestedAt, p.TestError = 2, time.Time{}, ""
		list, err := s.Providers(ctx, w.Account.ID)
		must(t, err)
		if len(list) != 2 || list[0].Name != "Embedded" || !reflect.DeepEqual(list[1].Provider, p) {
			t.Fatalf("kept %+v, got %+v", p, list)
		}
		p.Name = "embedded"
		wantFault(t, s.UpdateProvider(ctx, w.Account.ID, p, w.Why("providers:change")), fault.Conflict, "name")
	})
}

func TestServingsAreReplacedAndImported(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		w.Model("a")
		w.Model("b")
		p := w.Provider("vLLM", provider.OpenAI, "http://10.0.0.1/v1")
		w.Serve(p.ID, "a", "b")
		before := version(t, s)
		w.Serve(p.ID, "b", "a")
		if version(t, s) != before {
			t.Fatal("serving the same was a change")
		}
		renamed := []provider.Serving{{Provider: p.ID, Model: "b", Name: "B-8bit"}}
		must(t, s.ReplaceServings(ctx, w.Account.ID, p.ID, renamed, w.Why("providers:serve")))
		f, err := s.Facts(ctx, before)
		must(t, err)
		if len(f.Models) != 2 || len(f.Providers) != 0 {
			t.Fatalf("%d models and %d providers changed", len(f.Models), len(f.Providers))
		}
		unknown := []provider.Serving{{Provider: p.ID, Model: "nobody", Name: "nobody"}}
		wantFault(t, s.ReplaceServings(ctx, w.Account.ID, p.ID, unknown, w.Why("providers:serve")), fault.Missing, "")

		c := catalogue.Model{ID: "c", Name: "C", Offers: catalogue.Of(catalogue.Call), Custom: true, Version: 1}
		imported := []provider.Serving{{Provider: p.ID, Model: "b", Name: "b", Order: 2, Weight: 3}, {Provider: p.ID, Model: "c", Name: "C", Order: 1, Weight: 1}}
		must(t, s.ImportModels(ctx, w.Account.ID, p.ID, []catalogue.Model{{ID: "b", Name: "another"}, c}, imported, w.Why("providers:import")))
		got, err := s.Servings(ctx, w.Account.ID, p.ID)
		must(t, err)
		if !reflect.DeepEqual(got, imported) {
			t.Fatalf("%+v", got)
		}
		if b, _ := s.Model(ctx, w.Account.ID, "b"); b.Name != "b" {
			t.Fatal("importing changed a model that was there")
		}
		list, err := s.Providers(ctx, w.Account.ID)
		must(t, err)
		if list[0].Serves != 2 {
			t.Fatalf("serves %d", list[0].Serves)
		}
	})
}

func TestADeletedProviderServesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("a")
		late, early := w.Provider("late", provider.Embedded, ""), w.Provider("early", provider.Embedded, "")
		must(t, s.Exec("UPDATE providers SET created = created - 1 WHERE id = ?", early.ID))
		w.Serve(late.ID, "a")
		w.Serve(early.ID, "a")
		f, err := s.Facts(t.Context(), 0)
		must(t, err)
		want := []policy.Serving{{Provider: early.ID, Name: "a", Order: 1, Weight: 1}, {Provider: late.ID, Name: "a", Order: 1, Weight: 1}}
		if !reflect.DeepEqual(f.Models[0].Servings, want) {
			t.Fatalf("%+v", f.Models[0].Servings)
		}
		must(t, s.DeleteProvider(t.Context(), w.Account.ID, early.ID, w.Why("providers:delete")))
		f, err = s.Facts(t.Context(), f.Version)
		must(t, err)
		if !reflect.DeepEqual(f.Models[0].Servings, want[1:]) || !reflect.DeepEqual(f.Gone.Providers, []ident.Provider{early.ID}) {
			t.Fatalf("%+v", f)
		}
	})
}

func TestAProgramThatOnlyTrainsIsNoPlaceForCalls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("a")
		program, server := w.Provider("program", provider.Command, "command:lf"), w.Provider("server", provider.OpenAI, "http://10.0.0.1/v1")
		w.Serve(program.ID, "a")
		k, err := policy.NewKeeper(t.Context(), s)
		must(t, err)
		if k.Now().Served(w.Account.ID, "a") || len(k.Places(w.Account.ID, "a")) != 1 {
			t.Errorf("with a program: served %t, places %v", k.Now().Served(w.Account.ID, "a"), k.Places(w.Account.ID, "a"))
		}
		w.Serve(server.ID, "a")
		must(t, k.Refresh(t.Context()))
		if !k.Now().Served(w.Account.ID, "a") || len(k.Places(w.Account.ID, "a")) != 2 {
			t.Errorf("with a server: served %t, places %v", k.Now().Served(w.Account.ID, "a"), k.Places(w.Account.ID, "a"))
		}
	})
}
