package workshop

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/intake"
)

// filesMost is how many files one form may send.
const filesMost = 20

// uploadFiles answers POST /api/v1/files: some files may be kept and others not.
func (w *Workshop) uploadFiles(ctx context.Context, v *Visit) *dialect.Refusal {
	f, r := formOf(v, "files", "file", "descriptions", "purpose")
	if r != nil {
		return r
	}
	kept, failed := []object{}, []object{}
	for at := 0; ; at++ {
		file, err := f.Next()
		if err != nil {
			return refused(err)
		}
		if file == nil {
			break
		}
		if at == filesMost {
			return invalid("files", fmt.Sprintf("At most %d files are sent at once.", filesMost))
		}
		if !fineTuning(f.Field("purpose", 0)) {
			return badPurpose()
		}
		got, err := w.upload(ctx, v, f, file, at)
		if r := broken(err); r != nil {
			return r
		}
		if err != nil {
			failed = append(failed, failure(file.FileName(), err))
			continue
		}
		kept = append(kept, object{"file_id": got.ID, "name": got.FileName})
	}
	if len(kept)+len(failed) == 0 {
		return invalid("files", "Send at least one file, in the field files.")
	}
	if len(kept) == 0 && failed[0]["code"] == badFile {
		return invalid("files", failed[0]["message"].(string)) // nothing is partial about it, and SDKs have an error for it
	}
	return v.data(object{"uploaded_files": kept, "failed_uploads": failed})
}

// badFile is the code of a file that no training could read.
const badFile = "InvalidParameter"

// broken says what ends a whole upload, and not the file alone.
func broken(err error) *dialect.Refusal {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errPurpose):
		return badPurpose()
	case ofForm(err):
		return refused(err)
	case fault.Is(err, fault.Internal):
		return refused(intake.ErrBroken) // the rest of the body did not come
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Full):
		return nil
	}
	return explain(err, false, noFileHere())
}

// failure says in the original's words why a file was not kept.
func failure(name string, err error) object {
	code, message := badFile, fault.Show(err)
	var full *dataset.QuotaError
	if errors.As(err, &full) {
		code = quotaCode(full)
		message = fmt.Sprintf("Out of space, <%d B> of <%d B> storage space has been used.", full.Use.Bytes, full.Quota.Bytes)
		if full.Count {
			message = fmt.Sprintf("Out of number, <%d> of <%d> files has been uploaded.", full.Use.Files, full.Quota.Files)
		}
	}
	if report, is := dataset.ReportOf(err); is && report.Counts[dataset.FileTooLarge] > 0 {
		code = "BadRequest.TooLarge"
	}
	return object{"name": name, "code": code, "message": message}
}

// nativeFile is a file as the native protocol tells it.
func (v *Visit) nativeFile(f dataset.Version) object {
	return object{
		"id": serial(f.ID), "file_id": f.ID, "name": f.FileName, "description": f.Description, "size": f.Size, "md5": f.MD5,
		"gmt_create": stamp(f.CreatedAt), "url": v.Origin + "/compatible-mode/v1/files/" + string(f.ID) + "/content", "region": "local",
		"user_id": f.CreatedBy, "api_key_id": f.ByKey, "purpose": "fine-tune",
	}
}

// serial is the number by which the native protocol tells files apart too: one
// of 53 bits, which every reader of JSON can hold. Nothing is found by it.
func serial(id ident.File) int64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return int64(h.Sum64() >> 11)
}

// listFiles answers GET /api/v1/files.
func (w *Workshop) listFiles(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("page_no", "page_size", "purpose")
	if r != nil {
		return r
	}
	p, r := pageOf(values, 10, 100)
	if r != nil {
		return r
	}
	files, total, err := w.Datasets.Files(ctx, v.By, v.Workspace, dataset.FileFilter{Skip: p.skip(), Limit: p.size})
	if err != nil {
		return explain(err, false, noFileHere())
	}
	list := make([]object, 0, len(files))
	if fineTuning(values.Get("purpose")) {
		for _, f := range files {
			list = append(list, v.nativeFile(f))
		}
	} else {
		total = 0
	}
	return v.data(object{"total": total, "page_size": p.size, "page_no": p.number, "files": list})
}

// file finds the file that the path names.
func (w *Workshop) file(ctx context.Context, v *Visit) (dataset.Version, error) {
	id, err := ident.ParseFile(v.names[0])
	if err != nil {
		return dataset.Version{}, err
	}
	return w.Datasets.File(ctx, v.By, v.Workspace, id)
}

// tellFile answers GET /api/v1/files/{id}.
func (w *Workshop) tellFile(ctx context.Context, v *Visit) *dialect.Refusal {
	f, err := w.file(ctx, v)
	if err != nil {
		return explain(err, false, noFileHere())
	}
	return v.data(v.nativeFile(f))
}

// dropFile answers DELETE /api/v1/files/{id}.
func (w *Workshop) dropFile(ctx context.Context, v *Visit) *dialect.Refusal {
	f, err := w.file(ctx, v)
	if err == nil {
		err = w.Datasets.DeleteFile(ctx, v.By, v.Workspace, f.ID)
	}
	if err != nil {
		return explain(err, false, noFileHere())
	}
	return v.answer(object{"request_id": v.Call})
}
