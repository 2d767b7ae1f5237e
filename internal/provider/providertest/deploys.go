package providertest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Deployable is what the suite puts up on an engine.
type Deployable struct {
	Model *provider.Artifact // nil: the base as it is
	// Always means that the engine answers for the model by itself: nothing is
	// put up, and nothing taken away.
	Always bool
	// Uncalled means that the engine is asked for nothing but deployments.
	Uncalled bool
}

// Deploys is the contract of a provider.Deployer.
func Deploys(t *testing.T, e Engine, what Deployable) {
	deployer := func(t *testing.T, s provider.Server) provider.Deployer {
		t.Helper()
		d, ok := s.(provider.Deployer)
		if !ok {
			t.Fatalf("%T keeps no models ready", s)
		}
		return d
	}
	spec := func() provider.DeploySpec {
		return provider.DeploySpec{
			Deployment: ident.NewDeployment(), Workspace: ident.NewWorkspace(), Generation: 1, Base: e.Base, Model: what.Model, Replicas: 1,
			Name: provider.NamePrefix + strings.ToLower(rand.Text()),
		}
	}
	t.Run("it says what it can put up", func(t *testing.T) {
		d := deployer(t, newFront(t, e).open(t))
		must(t, d.Deploys(e.Base, what.Model))
		if err := d.Deploys(e.Base, &provider.Artifact{Folder: t.TempDir(), Format: "papyrus"}); !errors.Is(err, provider.ErrUnsupported) {
			t.Errorf("papyrus: %v", err)
		}
	})
	t.Run("a deployment is put up once, answers, rests, and goes", func(t *testing.T) {
		f := newFront(t, e)
		s := f.open(t)
		d, one, two := deployer(t, s), spec(), spec()
		handle, err := d.Apply(t.Context(), one)
		must(t, err)
		for _, again := range []provider.Deployer{d, deployer(t, f.open(t))} {
			if got, err := again.Apply(t.Context(), one); err != nil || got != handle {
				t.Errorf("the same again: %s, %v", got, err)
			}
		}
		up := eventually(t, d, handle, provider.DeployUp)
		if up.Replicas < 1 {
			t.Errorf("it is up, with %+v", up)
		}
		if called := up.Calls; !what.Uncalled {
			if called == "" {
				called = one.Name
			}
			answers(t, s, called)
		}
		other, err := d.Apply(t.Context(), two)
		must(t, err)
		there, err := deployer(t, f.open(t)).Handles(t.Context(), provider.NamePrefix)
		must(t, err)
		if !what.Always && (other == handle || !slices.Contains(there, handle) || !slices.Contains(there, other) || len(there) != 2) {
			t.Errorf("there are %v, not %s and %s", there, handle, other)
		}
		if there, err := d.Handles(t.Context(), "bw-nobody"); err != nil || len(there) != 0 {
			t.Errorf("of somebody else: %v, %v", there, err)
		}
		if !what.Always {
			one.Replicas, one.Generation = 0, 2
			_, err = d.Apply(t.Context(), one)
			must(t, err)
			eventually(t, d, handle, provider.DeployDown, provider.DeployGone)
			one.Replicas, one.Generation = 1, 3
			if got, err := d.Apply(t.Context(), one); err != nil || got != handle {
				t.Errorf("up again: %s, %v", got, err)
			}
			eventually(t, d, handle, provider.DeployUp)
		}
		for range 2 {
			must(t, d.Remove(t.Context(), handle))
		}
		if !what.Always {
			eventually(t, d, handle, provider.DeployGone)
			eventually(t, d, other, provider.DeployUp)
		}
		must(t, d.Remove(t.Context(), other))
		there, err = d.Handles(t.Context(), provider.NamePrefix)
		if err != nil || len(there) != 0 {
			t.Errorf("left behind: %v, %v", there, err)
		}
	})
	t.Run("what never was is gone, and no error", func(t *testing.T) {
		d := deployer(t, newFront(t, e).open(t))
		if s, err := d.Status(t.Context(), nobody); err != nil || s.Phase != provider.DeployGone {
			t.Errorf("%+v, %v", s, err)
		}
		must(t, d.Remove(t.Context(), nobody))
	})
	t.Run("a base that the engine does not have cannot be put up", func(t *testing.T) {
		d, s := deployer(t, newFront(t, e).open(t)), spec()
		s.Base, s.Model = "no-such-model", nil
		if err := d.Deploys(s.Base, nil); err != nil || e.Any {
			return
		}
		if _, err := d.Apply(t.Context(), s); err == nil || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Internal) {
			t.Errorf("%v", err)
		}
	})
	one := spec()
	ops := []operation{
		{"Apply", func(ctx context.Context, s provider.Server) error {
			_, err := deployer(t, s).Apply(ctx, one)
			return err
		}},
		{"Status", func(ctx context.Context, s provider.Server) error {
			_, err := deployer(t, s).Status(ctx, nobody)
			return err
		}},
	}
	if !what.Always {
		ops = append(ops,
			operation{"Remove", func(ctx context.Context, s provider.Server) error { return deployer(t, s).Remove(ctx, nobody) }},
			operation{"Handles", func(ctx context.Context, s provider.Server) error {
				_, err := deployer(t, s).Handles(ctx, provider.NamePrefix)
				return err
			}})
	}
	fails(t, e, ops...)
}

// nobody is a handle that no engine gave out.
const nobody = "bw-aaaaaaaaaaaaaaaaaaaaaaaaaa"

// eventually waits for one of some phases.
func eventually(t *testing.T, d provider.Deployer, handle string, want ...provider.DeployPhase) provider.DeployState {
	t.Helper()
	var s provider.DeployState
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var err error
		s, err = d.Status(t.Context(), handle)
		must(t, err)
		if slices.Contains(want, s.Phase) {
			return s
		}
	}
	t.Fatalf("it is %+v, and never came to %v", s, want)
	return s
}
