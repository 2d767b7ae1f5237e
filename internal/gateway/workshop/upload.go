package workshop

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"bailiwick/internal/dataset"
	"bailiwick/internal/gateway/dialect"
)

// The bounds of an upload.
const (
	partsMost = 64       // of one form
	fieldMost = 4 << 10  // bytes of one field
	bodyMost  = 11 << 30 // bytes of everything; the account's settings bound each file
	silence   = time.Minute
)

// form reads a form part by part as it comes, so that no file waits in memory or
// on the disk before it is looked at. Fields may stand before and after files.
type form struct {
	parts  *multipart.Reader
	ahead  *multipart.Part // a file that was come upon
	left   int
	fields map[string][]string
	take   func(name string) bool // which fields are known
}

// patient lets a body take as long as something of it comes every minute.
type patient struct {
	io.Reader
	at *http.ResponseController
}

func (p patient) Read(b []byte) (int, error) {
	_ = p.at.SetReadDeadline(time.Now().Add(silence)) // where there are no deadlines, none is needed
	return p.Reader.Read(b)
}

var errForm = errors.New("the form cannot be read")

// formOf begins to read a form.
func formOf(v *Visit, take func(name string) bool) (*form, *dialect.Refusal) {
	kind, parameters, err := mime.ParseMediaType(v.R.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, invalid("", "Send the file as multipart/form-data.")
	}
	body := http.MaxBytesReader(v.W, v.R.Body, bodyMost)
	return &form{
		parts: multipart.NewReader(patient{body, http.NewResponseController(v.W)}, parameters["boundary"]),
		left:  partsMost, fields: map[string][]string{}, take: take,
	}, nil
}

// unknownField is a field that no form has.
type unknownField string

func (u unknownField) Error() string { return "unknown field " + string(u) }

// next gives the next file, and nil at the end. Fields on the way are kept.
func (f *form) next() (*multipart.Part, error) {
	if p := f.ahead; p != nil {
		f.ahead = nil
		return p, nil
	}
	for {
		part, err := f.parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, errForm
		}
		if f.left--; f.left < 0 {
			return nil, errForm
		}
		name := part.FormName()
		if !f.take(name) {
			return nil, unknownField(name)
		}
		if part.FileName() != "" {
			return part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, fieldMost+1))
		if err != nil || len(text) > fieldMost {
			return nil, errForm
		}
		f.fields[name] = append(f.fields[name], string(text))
	}
}

// look reads the fields that follow, up to the next file.
func (f *form) look() (err error) {
	f.ahead, err = f.next()
	return err
}

func (f *form) field(name string, at int) string {
	if all := f.fields[name]; at < len(all) {
		return all[at]
	}
	return ""
}

// refused words what went wrong with a form.
func refused(err error) *dialect.Refusal {
	var odd unknownField
	if errors.As(err, &odd) {
		return dialect.Unknown(string(odd))
	}
	return invalid("", "The form cannot be read: it has to hold a file, its fields at most 4 KB each, and end as it begins.")
}

// fineTuning reports whether a purpose is the one that files are kept for. The
// original's SDK sends none, and its constant has an underscore.
func fineTuning(purpose string) bool {
	return purpose == "" || purpose == "fine-tune" || purpose == "fine_tune"
}

func badPurpose() *dialect.Refusal {
	return invalid("purpose", "Files are kept for the purpose fine-tune only.")
}

// errPurpose refuses a good file that was sent for something else.
var errPurpose = errors.New("another purpose")

// upload keeps one file of a form. The rest of what is said of it may come after it.
func (w *Workshop) upload(ctx context.Context, v *Visit, f *form, file *multipart.Part, at int) (dataset.Version, error) {
	in := dataset.New{FileName: file.FileName(), Description: f.field("descriptions", at)}
	in.Rest = func(n *dataset.New) error {
		if err := f.look(); err != nil {
			return err
		}
		if !fineTuning(f.field("purpose", 0)) {
			return errPurpose
		}
		n.Description = f.field("descriptions", at)
		return nil
	}
	return w.Datasets.Upload(ctx, v.By, v.Workspace, in, file)
}
