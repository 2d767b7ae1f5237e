package embedded_test

import (
	"path/filepath"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/line"
	"bailiwick/internal/provider/providertest"
)

func TestTheDemoEngineKeepsTheContract(t *testing.T) {
	shelf := filepath.Join(t.TempDir(), "engine")
	e := providertest.Engine{Kind: func(line.Dial) provider.Open { return embedded.Kind(shelf) }, Base: embedded.Name, Any: true}
	providertest.Speaks(t, e)
	open := func(t *testing.T) provider.LocalTrainer {
		s, err := embedded.Kind(shelf)(provider.Target{})
		if err != nil {
			t.Fatal(err)
		}
		return s.(provider.LocalTrainer)
	}
	providertest.TrainsLocal(t, providertest.Local{Open: open, Base: embedded.Name, Adapter: provider.Full, Format: provider.FormatGGUF, Losses: 6})
	a, err := open(t).Train(t.Context(), providertest.Spec(t, embedded.Name, provider.Full), func(provider.Observation) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	providertest.Deploys(t, e, providertest.Deployable{Model: &a})
	providertest.Deploys(t, e, providertest.Deployable{})
}
