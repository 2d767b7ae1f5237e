package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// Deploys implements provider.Deployer: the base, and what the engine trained.
func (s Server) Deploys(_ string, a *provider.Artifact) error {
	switch {
	case s.shelf == nil || s.shelf.folder == "":
		return provider.ErrUnsupported
	case a != nil && (a.Format != provider.FormatGGUF || a.Folder == "" || !slices.Contains(a.Files, weightsFile)):
		return provider.ErrUnsupported
	}
	return nil
}

// Apply implements provider.Deployer. What is there already stays and only its
// papers change; an older generation than the present changes nothing.
func (s Server) Apply(_ context.Context, d provider.DeploySpec) (string, error) {
	if err := s.Deploys(d.Base, d.Model); err != nil {
		return "", err
	}
	if !named(d.Name) {
		return "", fault.New(fault.Invalid, "The demo engine keeps no model of that name.")
	}
	before, err := s.shelf.read(d.Name)
	switch {
	case err == nil && before.Generation >= d.Generation:
		return d.Name, nil
	case err == nil:
		before.Generation, before.Replicas = d.Generation, d.Replicas
		return d.Name, kept(s.shelf.rewrite(d.Name, before))
	}
	return d.Name, kept(s.shelf.put(d))
}

// kept is the fault of a folder that does not take what it should: it may be full
// or out of reach now.
func kept(err error) error {
	var f *fault.Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Unavailable, "The demo engine cannot write its folder.").Because(err)
}

// put makes the folder of a deployment beside its place, and then puts it there.
func (s *shelf) put(d provider.DeploySpec) error {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return err
	}
	if err := s.tidy(d.Name); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(s.folder, "."+d.Name+".")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	p := papers{Deployment: string(d.Deployment), Generation: d.Generation, Base: d.Base, Replicas: d.Replicas}
	if d.Model != nil {
		if p.Weights, err = copyWeights(*d.Model, filepath.Join(fresh, weightsFile)); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(fresh, papersFile), p); err != nil {
		return err
	}
	// What lies at its place has no papers that can be read, or they would have been.
	if err := os.RemoveAll(filepath.Join(s.folder, d.Name)); err != nil {
		return err
	}
	if err := os.Rename(fresh, filepath.Join(s.folder, d.Name)); err != nil {
		return err
	}
	return syncFolder(s.folder)
}

// copyWeights copies the weights, if they can be read as such.
func copyWeights(a provider.Artifact, to string) (sum string, err error) {
	from, err := a.Open(weightsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.New(fault.Missing, "The files of the tuned model are gone.").Because(err)
	}
	if err != nil {
		return "", err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(from, weightsMost+1))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if n > weightsMost {
		return "", fault.New(fault.Invalid, "The demo engine takes models of up to 64 MB.")
	}
	if _, err := readWeights(to); err != nil {
		return "", fault.New(fault.Invalid, "The demo engine cannot read this model: it is damaged, or not one of its own.").Because(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// rewrite replaces the papers of a deployment.
func (s *shelf) rewrite(name string, p papers) error {
	at := filepath.Join(s.folder, name, papersFile)
	fresh := at + ".fresh" // whoever writes holds the deployment's lease
	if err := writeFile(fresh, p); err != nil {
		return err
	}
	if err := os.Rename(fresh, at); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(at))
}

func writeFile(name string, p papers) error {
	b, _ := json.Marshal(p) // strings and numbers only
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Status implements provider.Deployer.
func (s Server) Status(_ context.Context, handle string) (provider.DeployState, error) {
	p, err := s.shelf.read(handle)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return provider.DeployState{Phase: provider.DeployGone}, nil
	case err != nil:
		return provider.DeployState{Phase: provider.DeployGone, Message: "Its papers cannot be read."}, nil
	case p.Replicas == 0:
		return provider.DeployState{Phase: provider.DeployDown}, nil
	}
	return provider.DeployState{Phase: provider.DeployUp, Replicas: p.Replicas, Calls: handle}, nil
}

// Remove implements provider.Deployer. The papers go first: from then on nothing
// answers under the name.
func (s Server) Remove(_ context.Context, handle string) error {
	if s.shelf == nil || !named(handle) {
		return nil
	}
	if err := s.shelf.tidy(handle); err != nil {
		return kept(err)
	}
	at := filepath.Join(s.shelf.folder, handle)
	if err := os.Remove(filepath.Join(at, papersFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kept(err)
	}
	return kept(os.RemoveAll(at))
}

// tidy removes what was being made for a deployment when its process died.
func (s *shelf) tidy(name string) error {
	left, err := filepath.Glob(filepath.Join(s.folder, "."+name+".*"))
	for _, l := range left {
		err = errors.Join(err, os.RemoveAll(l))
	}
	return err
}

// Handles implements provider.Deployer: those that are there, and those that were
// being made.
func (s Server) Handles(_ context.Context, prefix string) (list []string, err error) {
	if s.shelf == nil {
		return nil, nil
	}
	entries, err := os.ReadDir(s.shelf.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".")
		if strings.HasPrefix(name, prefix) && named(name) && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, kept(err)
}
