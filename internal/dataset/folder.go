package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bailiwick/internal/ident"
)

// Folder keeps the files of all workspaces, each workspace's below a folder of
// its own: workspaces/<workspace>/datasets/<file>. Names are our identifiers and
// never what a caller wrote, and each workspace's folder is opened as a root
// that no name and no link leads out of.
type Folder struct{ root *os.Root }

// OpenFolder opens the folder, which is made with mode 0700 if it is not there.
// Servers that share a database share this folder too.
func OpenFolder(data string) (*Folder, error) {
	path := filepath.Join(data, "workspaces")
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

const datasetsFolder = "datasets"

// of opens the folder of one workspace, and makes it where it is wanted.
func (f *Folder) of(ws ident.Workspace, wanted bool) (*os.Root, error) {
	if _, err := ident.ParseWorkspace(string(ws)); err != nil {
		return nil, err
	}
	path := filepath.Join(string(ws), datasetsFolder)
	if wanted {
		if err := f.root.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
	}
	return f.root.OpenRoot(path)
}

// drafted begins the names of files that are not whole yet.
const drafted = ".upload-"

// draft is a file that is being written. It is kept or dropped.
type draft struct {
	root *os.Root
	file *os.File
	id   ident.File
}

// begin makes a draft. Its lock ends with the process, however that ends, so
// that a sweeper knows what nobody writes any more.
func (f *Folder) begin(ws ident.Workspace, id ident.File) (*draft, error) {
	root, err := f.of(ws, true)
	if err != nil {
		return nil, err
	}
	file, err := root.OpenFile(drafted+string(id), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	d := &draft{root: root, file: file, id: id}
	if !lock(file) {
		d.drop()
		return nil, errors.New("the lock of a fresh file is somebody else's")
	}
	return d, nil
}

// keep gives the file its name once every byte of it is on the disk.
func (d *draft) keep() error {
	err := d.file.Sync()
	if err == nil {
		err = d.root.Rename(drafted+string(d.id), string(d.id))
	}
	if err == nil {
		err = d.syncFolder()
	}
	return errors.Join(err, d.file.Close(), d.root.Close())
}

// syncFolder makes the new name outlive a power cut.
func (d *draft) syncFolder() error {
	folder, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// drop leaves nothing behind.
func (d *draft) drop() {
	d.root.Remove(drafted + string(d.id))
	d.file.Close()
	d.root.Close()
}

// open opens a file that is kept.
func (f *Folder) open(ws ident.Workspace, id ident.File) (*os.File, error) {
	root, err := f.of(ws, false)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(string(id))
}

// remove removes files; one that is not there is no error.
func (f *Folder) remove(ws ident.Workspace, ids ...ident.File) error {
	root, err := f.of(ws, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	var errs []error
	for _, id := range ids {
		if err := root.Remove(string(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// settled is the age from which a file without a row is nobody's: its row is
// written right after it gets its name.
const settled = 10 * time.Minute

// sweep removes what crashed uploads left in a workspace: drafts that nobody
// writes, and files that no row names. It says how many it removed.
func (f *Folder) sweep(ws ident.Workspace, kept map[ident.File]bool, now time.Time) (gone int, err error) {
	root, err := f.of(ws, false)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, e := range entries {
		if kept[ident.File(e.Name())] || !orphan(root, e, now) {
			continue
		}
		if err := root.Remove(e.Name()); err != nil {
			errs = append(errs, err)
			continue
		}
		gone++
	}
	return gone, errors.Join(errs...)
}

// orphan reports whether nobody writes an entry, or will name it in a row.
func orphan(root *os.Root, e fs.DirEntry, now time.Time) bool {
	if strings.HasPrefix(e.Name(), drafted) {
		file, err := root.OpenFile(e.Name(), os.O_RDWR, 0)
		if err != nil {
			return false
		}
		defer file.Close()
		return lock(file)
	}
	info, err := e.Info()
	return err == nil && now.Sub(info.ModTime()) > settled
}

// clear removes the folder of a workspace and the folders in it, as far as they
// are empty. What holds a file stays.
func (f *Folder) clear(ws ident.Workspace) error {
	if _, err := ident.ParseWorkspace(string(ws)); err != nil {
		return err
	}
	var folders []string
	err := fs.WalkDir(f.root.FS(), string(ws), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, path := range slices.Backward(folders) { // the inner ones first
		if inside, _ := fs.ReadDir(f.root.FS(), path); len(inside) > 0 {
			continue
		}
		if gone := f.root.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// workspaces are those that have a folder.
func (f *Folder) workspaces() ([]ident.Workspace, error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var all []ident.Workspace
	for _, e := range entries {
		if ws, err := ident.ParseWorkspace(e.Name()); err == nil && e.IsDir() {
			all = append(all, ws)
		}
	}
	return all, nil
}
