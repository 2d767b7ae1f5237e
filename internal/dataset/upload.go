package dataset

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// New is what is said of a file that is uploaded.
type New struct {
	Dataset     ident.Dataset // of which it is the next version; empty: it begins a dataset
	Name        string        // of the dataset; empty: as the file is called
	Description string
	Method      provider.Method // empty: what the first example looks like, or as the dataset's
	FileName    string          // as the caller's machine calls it
	// Rest is called once the file was read and found good, before it is kept: it
	// may still say the description, or refuse the file. nil: nothing more is said.
	Rest func(*New) error
}

// Lengths of what people write, in characters.
const (
	MaxName        = 100
	MaxDescription = 500
	maxFileName    = 200
)

// Refused is the cause of the fault with which a bad file is refused.
type Refused struct{ Report Report }

func (r *Refused) Error() string { return fmt.Sprintf("%d errors", r.Report.Errors) }

// ReportOf gives the report of a file that was refused.
func ReportOf(err error) (Report, bool) {
	var r *Refused
	if errors.As(err, &r) {
		return r.Report, true
	}
	return Report{}, false
}

// Upload reads a file to its end, checks it on the way and keeps it if nothing
// is wrong with it: then it is there for good, on the disk, before Upload
// returns. Of a file that is refused nothing is kept; ReportOf gives what was
// wrong. It needs datasets:change. Memory does not grow with the file.
func (s *Service) Upload(ctx context.Context, by access.Actor, ws ident.Workspace, in New, from io.Reader) (Version, error) {
	if err := by.RequireIn(ws, access.ChangeDatasets); err != nil {
		return Version{}, err
	}
	quota, room, err := s.room(ctx, by, ws)
	if err != nil {
		return Version{}, err
	}
	if err := s.settle(ctx, ws, &in); err != nil {
		return Version{}, err
	}
	leave, err := s.uploads.enter(ws)
	if err != nil {
		return Version{}, err
	}
	defer leave()
	v := Version{
		ID: ident.NewFile(), Dataset: in.Dataset, Account: by.Account, Workspace: ws, FileName: in.FileName, Description: in.Description,
		CreatedBy: by.User, Creator: by.FullName(), ByKey: by.Key,
	}
	d, err := s.Folder.begin(ws, v.ID)
	if err != nil {
		return Version{}, err
	}
	r, err := receive(&v, d, NewCheck(in.Method, quota.limits()), from, room)
	if errors.Is(err, errNoRoom) {
		err = quota.Admits(Use{Bytes: quota.Bytes - room}, v.Size)
	}
	if err == nil && in.Rest != nil {
		if err = in.Rest(&in); err == nil {
			v.Description, err = in.Description, describes(in.Description)
		}
	}
	if err != nil {
		d.drop()
		return Version{}, err
	}
	if err := d.keep(); err != nil {
		return Version{}, errors.Join(err, s.Folder.remove(ws, v.ID))
	}
	v.CreatedAt = s.Now()
	if v, err = s.keep(ctx, by, in, v, r, quota); err != nil {
		return Version{}, errors.Join(err, s.Folder.remove(ws, v.ID))
	}
	return v, nil
}

// room says how much the workspace may still keep.
func (s *Service) room(ctx context.Context, by access.Actor, ws ident.Workspace) (Quota, int64, error) {
	q, err := s.Store.DatasetQuota(ctx, by.Account)
	if err != nil {
		return Quota{}, 0, err
	}
	used, err := s.Store.DatasetUse(ctx, ws)
	if err != nil {
		return Quota{}, 0, err
	}
	return q, q.Bytes - used.Bytes, q.Admits(used, 0)
}

func (q Quota) limits() Limits {
	l := Usual
	l.File = q.FileSize
	return l
}

// Admits says whether a file of a size has room beside what is kept.
func (q Quota) Admits(used Use, size int64) error {
	if used.Files >= q.Files {
		return fault.New(fault.Full, "This workspace may keep %d training files and keeps %d. Delete one that is no longer used, or have the limit raised in the account's Settings.", q.Files, used.Files).
			About("file").Because(&QuotaError{used, q, true})
	}
	if used.Bytes+size > q.Bytes || used.Bytes >= q.Bytes {
		return fault.New(fault.Full, "This workspace may keep %s of training files and keeps %s already. Delete what is no longer used, or have the limit raised in the account's Settings.", bytesWord(q.Bytes), near(used.Bytes)).
			About("file").Because(&QuotaError{used, q, false})
	}
	return nil
}

// settle makes sure that what is said of the file is well said.
func (s *Service) settle(ctx context.Context, ws ident.Workspace, in *New) error {
	in.FileName = fileName(in.FileName)
	if in.Dataset != "" {
		d, err := s.Store.Dataset(ctx, ws, in.Dataset)
		in.Method, in.Name, in.Description = d.Method, d.Name, d.Description
		return err
	}
	switch in.Method {
	case "", provider.SFT, provider.DPO, provider.CPT:
	default:
		return fault.Field("method", "A training file teaches by dialogues (sft), preferences (dpo) or plain text (cpt).")
	}
	if in.Name = strings.TrimSpace(in.Name); in.Name == "" {
		in.Name = cutRunes(strings.TrimSuffix(in.FileName, ".jsonl"), MaxName)
	}
	in.Description = strings.TrimSpace(in.Description)
	if err := shows("name", in.Name, MaxName); err != nil {
		return err
	}
	return describes(in.Description)
}

func describes(text string) error { return shows("description", text, MaxDescription) }

// shows makes sure that a text can be shown and is not too long.
func shows(field, text string, most int) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, odd) {
		return fault.Field(field, "This holds characters that cannot be shown.")
	}
	if utf8.RuneCountInString(text) > most {
		return fault.Field(field, "A %s has at most %d characters.", field, most)
	}
	return nil
}

// odd are characters that no name holds: controls, and what turns the direction
// of a line so that it reads otherwise than it is.
func odd(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' }

// fileName keeps of the name on the caller's machine what can be shown: never a
// folder, a control character or more than 200 characters. No file of ours is
// called so.
func fileName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if odd(r) {
			return -1
		}
		return r
	}, name))
	if name = cutRunes(name, maxFileName); strings.Trim(name, ".") == "" {
		return "data.jsonl"
	}
	return name
}

func cutRunes(text string, most int) string {
	for i := range text {
		if most--; most < 0 {
			return text[:i]
		}
	}
	return text
}

// errNoRoom ends an upload that is more than the workspace may still keep.
var errNoRoom = errors.New("the workspace has no room for this")

// receive reads a file into a draft. Once something is wrong with it nothing
// more is written, and the rest is read to say what else is wrong.
func receive(v *Version, d *draft, c *Check, from io.Reader, room int64) (Report, error) {
	sum, old := sha256.New(), md5.New()
	buffer := make([]byte, 128<<10)
	for {
		n, err := from.Read(buffer)
		part := buffer[:n]
		v.Size += int64(n)
		c.Write(part)
		if v.Size > c.limits.File {
			c.TooLarge()
			break
		}
		if v.Size > room {
			return Report{}, errNoRoom
		}
		if !c.Broken() {
			sum.Write(part)
			old.Write(part)
			if _, err := d.file.Write(part); err != nil {
				return Report{}, err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Report{}, err
		}
	}
	r := c.Done()
	if !r.Valid {
		return r, fault.Field("file", "%s", r.Summary()).Because(&Refused{r})
	}
	v.SHA256, v.MD5 = hex.EncodeToString(sum.Sum(nil)), hex.EncodeToString(old.Sum(nil))
	v.Examples, v.Tokens, v.Warnings, v.Method, r.SHA256 = r.Examples, r.Tokens, r.Warnings, r.Method, v.SHA256
	return r, nil
}

// keep writes the rows of a file that is on the disk.
func (s *Service) keep(ctx context.Context, by access.Actor, in New, v Version, r Report, q Quota) (Version, error) {
	why := by.Event(access.ChangeDatasets, v.Workspace, string(v.ID), fmt.Sprintf("uploaded a training file of %s", counted(v.Examples, "example"))).
		About("dataset", in.Name).With("file", in.FileName).With("bytes", fmt.Sprint(v.Size)).With("sha256", v.SHA256)
	var err error
	if in.Dataset != "" {
		v.Number, err = s.Store.InsertVersion(ctx, v.Workspace, v, r, q, why)
		return v, err
	}
	d := Dataset{
		ID: ident.NewDataset(), Account: v.Account, Workspace: v.Workspace, Name: in.Name, Description: in.Description, Method: v.Method,
		CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy, Creator: v.Creator,
	}
	v.Dataset, v.Number = d.ID, 1
	return v, s.Store.InsertDataset(ctx, v.Workspace, d, v, r, q, why)
}
