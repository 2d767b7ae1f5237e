package dataset

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Source finds a file and what its dataset is, for a training of the same
// workspace; a foreign one is missing. Who asks was asked before.
func (s *Service) Source(ctx context.Context, ws ident.Workspace, id ident.File) (Dataset, Version, error) {
	v, err := s.Store.File(ctx, ws, id)
	if err != nil {
		return Dataset{}, Version{}, err
	}
	d, err := s.Store.Dataset(ctx, ws, v.Dataset)
	return d.Dataset, v, err
}

// Choices are the newest files of a workspace with their datasets, for a training
// of the same workspace. Who asks was asked before.
func (s *Service) Choices(ctx context.Context, ws ident.Workspace, most int) ([]Listed, error) {
	files, _, err := s.Store.Files(ctx, ws, FileFilter{Limit: most})
	if err != nil {
		return nil, err
	}
	sets, _, err := s.Store.Datasets(ctx, ws, Filter{Limit: most})
	if err != nil {
		return nil, err
	}
	of := make(map[ident.Dataset]Dataset, len(sets))
	for _, d := range sets {
		of[d.ID] = d.Dataset
	}
	var list []Listed
	for _, v := range files {
		if d, known := of[v.Dataset]; known {
			list = append(list, Listed{Dataset: d, Latest: v})
		}
	}
	return list, nil
}

// Open opens a file that was found. One that was deleted meanwhile is missing.
func (s *Service) Open(v Version) (io.ReadSeekCloser, error) {
	f, err := s.Folder.open(v.Workspace, v.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NoSuch("file").Because(err)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Data is a file as engines read it.
func (s *Service) Data(v Version) provider.Data {
	return provider.Data{SHA256: v.SHA256, Size: v.Size, Examples: v.Examples, Open: func() (io.ReadSeekCloser, error) { return s.Open(v) }}
}

// Content finds a file and opens it to be read as it was uploaded. It needs
// datasets:read. The caller closes it.
func (s *Service) Content(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.File) (Version, io.ReadSeekCloser, error) {
	v, err := s.File(ctx, by, ws, id)
	if err != nil {
		return Version{}, nil, err
	}
	content, err := s.Open(v)
	return v, content, err
}
