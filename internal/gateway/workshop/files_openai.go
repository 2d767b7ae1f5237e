package workshop

import (
	"context"
	"io"
	"strconv"

	"bailiwick/internal/dataset"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
)

// createFile answers POST /v1/files.
func (w *Workshop) createFile(ctx context.Context, v *Visit) *dialect.Refusal {
	f, r := formOf(v, "file", "purpose")
	if r != nil {
		return r
	}
	file, err := f.Next()
	if err != nil {
		return refused(err)
	}
	if file == nil {
		return invalid("file", "Send a file, in the field file.")
	}
	if !fineTuning(f.Field("purpose", 0)) {
		return badPurpose()
	}
	got, err := w.upload(ctx, v, f, file, 0)
	if r := broken(err); r != nil {
		return r
	}
	if err != nil {
		return explain(err, true, noFile())
	}
	return v.answer(fileObject(got))
}

// fileObject is a file as OpenAI's protocol tells it.
func fileObject(f dataset.Version) object {
	return object{
		"id": f.ID, "object": "file", "bytes": f.Size, "created_at": f.CreatedAt.Unix(), "filename": f.FileName,
		"purpose": "fine-tune", "status": "processed", "status_details": nil,
	}
}

// listMost is how many things one page of a list has at most.
const listMost = 999

// fileList answers GET /v1/files.
func (w *Workshop) fileList(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("after", "limit", "order", "purpose")
	if r != nil {
		return r
	}
	limit, r := number(values, "limit", listMost, 1, 10_000)
	if r != nil {
		return r
	}
	limit = min(limit, listMost)
	f := dataset.FileFilter{Limit: limit + 1, Oldest: values.Get("order") == "asc"}
	if order := values.Get("order"); order != "" && order != "asc" && order != "desc" {
		return invalid("order", "The order is asc or desc.")
	}
	if after := values.Get("after"); after != "" {
		id, err := ident.ParseFile(after)
		if err != nil {
			return explain(err, true, noFile())
		}
		if _, err := w.Datasets.File(ctx, v.By, v.Workspace, id); err != nil {
			return explain(err, true, noFile())
		}
		f.After = id
	}
	var files []dataset.Version
	if fineTuning(values.Get("purpose")) {
		var err error
		if files, _, err = w.Datasets.Files(ctx, v.By, v.Workspace, f); err != nil {
			return explain(err, true, noFile())
		}
	}
	list := make([]object, 0, len(files))
	for _, f := range files {
		list = append(list, fileObject(f))
	}
	return v.answer(listed(list, limit))
}

// listed is a page of a list: of what was read one further than it holds.
func listed(all []object, limit int) object {
	more := len(all) > limit
	if more {
		all = all[:limit]
	}
	l := object{"object": "list", "data": all, "has_more": more, "first_id": nil, "last_id": nil}
	if len(all) > 0 {
		l["first_id"], l["last_id"] = all[0]["id"], all[len(all)-1]["id"]
	}
	return l
}

// getFile answers GET /v1/files/{id}.
func (w *Workshop) getFile(ctx context.Context, v *Visit) *dialect.Refusal {
	f, err := w.file(ctx, v)
	if err != nil {
		return explain(err, true, noFile())
	}
	return v.answer(fileObject(f))
}

// deleteFile answers DELETE /v1/files/{id}.
func (w *Workshop) deleteFile(ctx context.Context, v *Visit) *dialect.Refusal {
	f, err := w.file(ctx, v)
	if err == nil {
		err = w.Datasets.DeleteFile(ctx, v.By, v.Workspace, f.ID)
	}
	if err != nil {
		return explain(err, true, noFile())
	}
	return v.answer(object{"id": f.ID, "object": "file", "deleted": true})
}

// fileContent answers GET /v1/files/{id}/content, piece by piece.
func (w *Workshop) fileContent(ctx context.Context, v *Visit) *dialect.Refusal {
	f, err := w.file(ctx, v)
	if err != nil {
		return explain(err, true, noFile())
	}
	_, content, err := w.Datasets.Content(ctx, v.By, v.Workspace, f.ID)
	if err != nil {
		return explain(err, true, noFile())
	}
	defer content.Close()
	h := v.W.Header()
	h.Set("Content-Disposition", `attachment; filename="`+string(f.ID)+`.jsonl"`)
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	v.Begin("application/octet-stream")
	piece := make([]byte, 64<<10)
	for {
		n, err := content.Read(piece)
		if n > 0 && !v.Send(piece[:n]) || err == io.EOF {
			return nil
		}
		if err != nil {
			return internal(err) // the answer has begun, and is not whole: the gateway breaks it off
		}
	}
}
