// Package intake takes in forms that carry files (multipart/form-data), part by
// part as they come: no file waits in memory or on the disk before somebody looks
// at it. The console and the gateway share it.
package intake

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
)

// Silence is how long nothing may come of a body, or go of an answer, while a
// file is sent; as long as something does, it may take its time.
const Silence = time.Minute

// Bounds are those of one form.
type Bounds struct {
	Parts int   // at most
	Field int64 // bytes of a part that is no file
	Body  int64 // bytes of everything; 0: somebody else bounds it
}

// Why a form is not taken. What the body itself ended with is the cause of
// ErrBroken.
var (
	ErrNoForm = errors.New("the body is no multipart form")
	ErrBroken = errors.New("the form cannot be read")
)

// LongField is the error of a field that holds more than it may.
type LongField struct {
	Name string
	Most int64 // bytes
}

func (l LongField) Error() string {
	return fmt.Sprintf("the field %s holds more than %d bytes", l.Name, l.Most)
}

// UnknownField is the error of a field that the form does not have: its name.
type UnknownField string

func (u UnknownField) Error() string { return "unknown field " + string(u) }

// Form is one as it comes. Fields may stand before and after files.
type Form struct {
	Fields url.Values // those that have come so far

	parts *multipart.Reader
	ahead *multipart.Part // a file that was come upon
	left  int
	field int64
	takes func(name string) bool
}

// Open begins to read the form of a request. Takes says which fields are known;
// nil: any. What is no form is ErrNoForm.
func Open(w http.ResponseWriter, r *http.Request, b Bounds, takes func(name string) bool) (*Form, error) {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, ErrNoForm
	}
	body := r.Body
	if b.Body > 0 {
		body = http.MaxBytesReader(w, body, b.Body)
	}
	f := &Form{Fields: url.Values{}, left: b.Parts, field: b.Field, takes: takes}
	f.parts = multipart.NewReader(patient{body, http.NewResponseController(w)}, parameters["boundary"])
	return f, nil
}

// patient lets a body take as long as something of it comes all the time.
type patient struct {
	io.Reader
	at *http.ResponseController
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	_ = p.at.SetReadDeadline(time.Now().Add(Silence)) // where there are no deadlines, none is needed
	return p.Reader.Read(b)
}

// Next gives the next file, which is a part with a file's name, and nil at the
// end. Fields on the way are kept. What was left of the file before is gone.
func (f *Form) Next() (*multipart.Part, error) {
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
			return nil, broken(err)
		}
		if f.left--; f.left < 0 {
			return nil, broken(errors.New("too many parts"))
		}
		name := part.FormName()
		if f.takes != nil && !f.takes(name) {
			return nil, UnknownField(name)
		}
		if part.FileName() != "" {
			return part, nil
		}
		if err := f.keep(name, part); err != nil {
			return nil, err
		}
	}
}

func (f *Form) keep(name string, part io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(part, f.field+1))
	if err != nil {
		return broken(err)
	}
	if int64(len(text)) > f.field {
		return LongField{name, f.field}
	}
	f.Fields.Add(name, string(text))
	return nil
}

func broken(cause error) error { return fmt.Errorf("%w: %w", ErrBroken, cause) }

// Look reads the fields that follow, up to the next file.
func (f *Form) Look() (err error) {
	f.ahead, err = f.Next()
	return err
}

// Field is the value of a field that came at a place among those of its name;
// empty: there is none.
func (f *Form) Field(name string, at int) string {
	if all := f.Fields[name]; at < len(all) {
		return all[at]
	}
	return ""
}
