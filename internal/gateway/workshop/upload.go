package workshop

import (
	"context"
	"errors"
	"mime/multipart"
	"slices"

	"bailiwick/internal/dataset"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/intake"
)

// bounds are those of an upload; the account's settings bound each file.
var bounds = intake.Bounds{Parts: 64, Field: 4 << 10, Body: 11 << 30}

// formOf begins to read a form that has these fields.
func formOf(v *Visit, names ...string) (*intake.Form, *dialect.Refusal) {
	f, err := intake.Open(v.W, v.R, bounds, func(name string) bool { return slices.Contains(names, name) })
	if err != nil {
		return nil, invalid("", "Send the file as multipart/form-data.")
	}
	return f, nil
}

// ofForm reports whether an error is about the form itself.
func ofForm(err error) bool {
	var odd intake.UnknownField
	var long intake.LongField
	return errors.Is(err, intake.ErrBroken) || errors.As(err, &odd) || errors.As(err, &long)
}

// refused words what went wrong with a form.
func refused(err error) *dialect.Refusal {
	var odd intake.UnknownField
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
func (w *Workshop) upload(ctx context.Context, v *Visit, f *intake.Form, file *multipart.Part, at int) (dataset.Version, error) {
	in := dataset.New{FileName: file.FileName(), Description: f.Field("descriptions", at)}
	in.Rest = func(n *dataset.New) error {
		if err := f.Look(); err != nil {
			return err
		}
		if !fineTuning(f.Field("purpose", 0)) {
			return errPurpose
		}
		n.Description = f.Field("descriptions", at)
		return nil
	}
	return w.Datasets.Upload(ctx, v.By, v.Workspace, in, file)
}
