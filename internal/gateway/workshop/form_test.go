package workshop_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/dataset"
	"bailiwick/internal/gateway/workshop"
	"bailiwick/internal/ident"
)

// room is a store that has room, and keeps files by forgetting them.
type room struct{ dataset.Store }

func (room) DatasetQuota(context.Context, ident.Account) (dataset.Quota, error) {
	return dataset.Quota{Bytes: 1 << 20, Files: 9, FileSize: 1 << 20}, nil
}
func (room) DatasetUse(context.Context, ident.Workspace) (dataset.Use, error) {
	return dataset.Use{}, nil
}
func (room) InsertDataset(context.Context, ident.Workspace, dataset.Dataset, dataset.Version, dataset.Report, dataset.Quota, audit.Event) error {
	return nil
}

// FuzzForm sends whatever to the reader of forms: it answers, and leaves nothing.
func FuzzForm(f *testing.F) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	form.WriteField("purpose", "fine-tune")
	to, _ := form.CreateFormFile("file", "a.jsonl")
	to.Write([]byte(strings.Repeat(`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`+"\n", 10)))
	form.Close()
	whole, kind := b.String(), form.FormDataContentType()
	f.Add([]byte(whole), kind)
	f.Add([]byte(whole[:len(whole)/2]), kind)
	f.Add([]byte("--x\r\n\r\n--x--"), "multipart/form-data; boundary=x")
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nz\r\n--x--"), "multipart/form-data; boundary=x")
	route, _ := workshop.Find("/v1/files")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		folder, err := dataset.OpenFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		w := &workshop.Workshop{Datasets: &dataset.Service{Store: &room{}, Folder: folder, Now: time.Now}}
		r := httptest.NewRequest(http.MethodPost, "/v1/files", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		ws := ident.Workspace("llm-0000000000000000")
		answered := 0
		v := &workshop.Visit{
			W: httptest.NewRecorder(), R: r, Workspace: ws, By: access.Program(access.Actor{User: "usr-1", Account: "acc-1"}, "key-1", ws),
			Answer: func(int, []byte) { answered++ },
		}
		refusal := w.Serve(t.Context(), route, v)
		if (refusal == nil) != (answered == 1) || refusal != nil && refusal.Status/100 != 4 {
			t.Errorf("answered %d times, refused with %+v", answered, refusal)
		}
	})
}
