package line

import (
	"bytes"
	"io"
	"mime/multipart"
)

// File is a body that is too large to hold.
type File struct {
	Type string // of the content
	Size int64  // bytes
	Open func() (io.ReadCloser, error)
}

// Form is a body in parts, as browsers upload files: fields in the order given,
// name and value in turn, and then one file of that many bytes.
func Form(fields []string, part, name string, size int64, open func() (io.ReadSeekCloser, error)) (*File, error) {
	var head, tail bytes.Buffer
	w := multipart.NewWriter(&head)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			return nil, err
		}
	}
	if _, err := w.CreateFormFile(part, name); err != nil {
		return nil, err
	}
	before := bytes.Clone(head.Bytes())
	if err := w.Close(); err != nil {
		return nil, err
	}
	tail.Write(head.Bytes()[len(before):])
	whole := func() (io.ReadCloser, error) {
		file, err := open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(before), io.LimitReader(file, size), bytes.NewReader(tail.Bytes())), file}, nil
	}
	return &File{w.FormDataContentType(), int64(len(before)+tail.Len()) + size, whole}, nil
}
