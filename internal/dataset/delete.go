package dataset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// JobsOf says which trainings use the versions of a dataset, or one of them: what
// is not over would break. It needs datasets:read.
func (s *Service) JobsOf(ctx context.Context, by access.Actor, ws ident.Workspace, files []ident.File) ([]Job, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return nil, err
	}
	if s.Jobs == nil || len(files) == 0 {
		return nil, nil
	}
	return s.Jobs(ctx, ws, files)
}

// DeleteFile deletes one file for good. It needs datasets:change; while a
// training that is not over uses the file it is a conflict.
func (s *Service) DeleteFile(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.File) error {
	if err := by.RequireIn(ws, access.ChangeDatasets); err != nil {
		return err
	}
	v, err := s.Store.File(ctx, ws, id)
	if err != nil {
		return err
	}
	if err := s.unused(ctx, ws, id); err != nil {
		return err
	}
	why := by.Event("datasets:delete", ws, string(id), "deleted a training file").About("dataset", v.FileName).
		With("version", fmt.Sprint(v.Number)).With("sha256", v.SHA256)
	if err := s.Store.DeleteFile(ctx, ws, id, why); err != nil {
		return err
	}
	s.removed(ws, s.Folder.remove(ws, id))
	return nil
}

// Delete deletes a dataset with all its versions. It needs datasets:change; while
// a training that is not over uses one of them it is a conflict.
func (s *Service) Delete(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Dataset) error {
	if err := by.RequireIn(ws, access.ChangeDatasets); err != nil {
		return err
	}
	d, err := s.Store.Dataset(ctx, ws, id)
	if err != nil {
		return err
	}
	versions, err := s.Store.Versions(ctx, ws, id)
	if err != nil {
		return err
	}
	files := make([]ident.File, len(versions))
	for i, v := range versions {
		files[i] = v.ID
	}
	if err := s.unused(ctx, ws, files...); err != nil {
		return err
	}
	why := by.Event("datasets:delete", ws, string(id), fmt.Sprintf("deleted a dataset of %s", counted(len(files), "version"))).About("dataset", d.Name)
	if err := s.Store.DeleteDataset(ctx, ws, id, why); err != nil {
		return err
	}
	s.removed(ws, s.Folder.remove(ws, files...))
	return nil
}

// unused is a conflict while a training that is not over uses one of the files.
func (s *Service) unused(ctx context.Context, ws ident.Workspace, files ...ident.File) error {
	if s.Jobs == nil {
		return nil
	}
	jobs, err := s.Jobs(ctx, ws, files)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if !j.Over {
			return fault.New(fault.Conflict, "The training %s uses it and is not over. Wait for its end, or cancel it first.", j.Name)
		}
	}
	return nil
}

// removed notes that a file could not be removed: its row is gone, so that nobody
// can read it, and the sweeper tries again.
func (s *Service) removed(ws ident.Workspace, err error) {
	if err != nil {
		slog.Error("a deleted training file could not be removed yet", "workspace", string(ws), "err", err)
	}
}

// Sweep removes what crashed uploads and deletions left behind, in every
// workspace. It is safe beside running uploads, of other servers too.
func (s *Service) Sweep(ctx context.Context) error {
	all, err := s.Folder.workspaces()
	if err != nil {
		return err
	}
	var errs []error
	for _, ws := range all {
		files, err := s.Store.KeptFiles(ctx, ws)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		kept := make(map[ident.File]bool, len(files))
		for _, id := range files {
			kept[id] = true
		}
		gone, err := s.Folder.sweep(ws, kept, time.Now())
		if gone > 0 {
			slog.Warn("what unfinished uploads left behind was removed", "workspace", string(ws), "files", gone)
		}
		errs = append(errs, err)
		there, err := s.Store.HasWorkspace(ctx, ws)
		if err == nil && !there {
			err = s.Folder.clear(ws)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Vacate removes the folder of a workspace that was deleted, if nothing is left in
// it; else the sweeper tries again when it has removed what nobody needs.
func (s *Service) Vacate(ws ident.Workspace) {
	if err := s.Folder.clear(ws); err != nil {
		slog.Error("the folder of a deleted workspace could not be removed yet", "workspace", string(ws), "err", err)
	}
}

// Run sweeps at once and then every hour, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	again := time.NewTicker(time.Hour)
	defer again.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			slog.Error("the folders of training files could not be swept", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
