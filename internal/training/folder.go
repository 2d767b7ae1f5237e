package training

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// home is the folder of a job below the data folder.
func home(ws ident.Workspace, id ident.Training) string {
	return path.Join("workspaces", string(ws), "trainings", string(id))
}

// folder opens the folder of a job, and makes it where it is missing. Whatever
// is opened through it lies in it, links or not.
func (s *Service) folder(ws ident.Workspace, id ident.Training) (*os.Root, error) {
	if s.Folder == "" {
		return nil, fault.New(fault.Unavailable, "This server keeps no files.")
	}
	abs, err := filepath.Abs(s.Folder)
	if err != nil {
		return nil, err
	}
	top, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	defer top.Close()
	if err := top.MkdirAll(home(ws, id), 0o700); err != nil {
		return nil, err
	}
	return top.OpenRoot(home(ws, id))
}

// place makes the folder of a model absolute.
func (s *Service) place(t *Tuned) {
	if t.Artifact.Folder == "" {
		return
	}
	if abs, err := filepath.Abs(filepath.Join(s.Folder, filepath.FromSlash(t.Artifact.Folder))); err == nil {
		t.Artifact.Folder = abs
	}
}

// kept is an artifact as it is written down: its folder is told from the data
// folder on, so that this can be moved. One that lies elsewhere is refused.
func (s *Service) kept(a provider.Artifact) (provider.Artifact, error) {
	if a.Folder == "" {
		return a, nil
	}
	top, err := filepath.Abs(s.Folder)
	if err != nil {
		return a, err
	}
	in, err := filepath.Rel(top, a.Folder)
	if err != nil || !filepath.IsLocal(in) {
		return a, fault.New(fault.Internal, "A model lies outside of the data folder.").Because(err)
	}
	a.Folder = filepath.ToSlash(in)
	return a, nil
}

// size sums the files of an artifact as it is kept.
func (s *Service) size(a provider.Artifact) (bytes int64) {
	for _, name := range a.Files {
		if info, err := os.Stat(filepath.Join(s.Folder, filepath.FromSlash(a.Folder), name)); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// Download opens a file of a model. It needs trainings:read; a file that the
// model does not have, and every file of a model that stays with its engine, is missing.
func (s *Service) Download(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Tuned, name string) (io.ReadCloser, int64, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, 0, err
	}
	t, err := s.Store.Tuned(ctx, ws, id)
	if err != nil {
		return nil, 0, err
	}
	if !slices.Contains(t.Artifact.Files, name) || t.Artifact.Folder == "" || !strings.HasPrefix(t.Artifact.Folder, path.Join("workspaces", string(ws))+"/") {
		return nil, 0, fault.NoSuch("file")
	}
	top, err := os.OpenRoot(filepath.Join(s.Folder, filepath.FromSlash(t.Artifact.Folder)))
	if err != nil {
		return nil, 0, fault.NoSuch("file").Because(err)
	}
	defer top.Close()
	f, err := top.Open(name)
	if err != nil {
		return nil, 0, fault.NoSuch("file").Because(err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, 0, fault.NoSuch("file").Because(err)
	}
	return f, info.Size(), nil
}

// tidy deletes what nobody needs of a job's folder: everything once the job is
// gone, but for the folders of models that came of it.
func (s *Service) tidy(ctx context.Context, ws ident.Workspace, id ident.Training) error {
	if s.Folder == "" {
		return nil
	}
	_, err := s.Store.Training(ctx, ws, id)
	if err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	there := err == nil
	models, _, err := s.Store.TunedModels(ctx, ws, ModelFilter{Training: id, Limit: 1000})
	if err != nil {
		return err
	}
	var keep []string // the folders right below the job's that models lie in
	for _, m := range models {
		if in, ok := strings.CutPrefix(m.Artifact.Folder, home(ws, id)+"/"); ok {
			first, _, _ := strings.Cut(in, "/")
			keep = append(keep, first)
		}
	}
	if there && slices.Contains(keep, ModelFolder) {
		return nil
	}
	root, err := s.folder(ws, id)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	left := 0
	for _, e := range entries {
		if slices.Contains(keep, e.Name()) || there && e.Name() != ModelFolder {
			left++
			continue
		}
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	if left == 0 && !there {
		return os.Remove(filepath.Join(s.Folder, filepath.FromSlash(home(ws, id))))
	}
	return nil
}

// clean deletes what a job kept to go on from, once it is over: all but models
// and checkpoints.
func (s *Service) clean(ws ident.Workspace, id ident.Training) error {
	if s.Folder == "" {
		return nil
	}
	root, err := s.folder(ws, id)
	if err != nil {
		return err
	}
	defer root.Close()
	return firstOf(root.RemoveAll(dataFolder), root.RemoveAll(StateFolder))
}

// StateFolder is where, below a job's folder, a local engine keeps what it needs
// to go on after a restart.
const StateFolder = "state"

// ModelFolder is where, below a job's folder, a local engine leaves the model.
const ModelFolder = "model"
