package programs_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// left names what lies in the folders of workspaces.
func (o *town) left() (names []string) {
	filepath.WalkDir(filepath.Join(o.data, "workspaces"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, e.Name())
		}
		return nil
	})
	return names
}

func TestFilesAreTheSameInBothDialectsAndInTheConsole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newTown(t, s)
		up := o.send(o.marketing, "/api/v1/files", part{"descriptions", "", "one"}, part{"descriptions", "", "two"},
			part{"files", "a.jsonl", lines(12, "a")}, part{"files", "bad.jsonl", "x\n"}, part{"files", "b.jsonl", lines(13, "b")}).
			is(200, `"failed_uploads":[{"code":"InvalidParameter","message":"Line 1`)
		a, b := up.at("data.uploaded_files.0.file_id"), up.at("data.uploaded_files.1.file_id")
		o.json(o.marketing, "GET", "/api/v1/files/"+a, "").is(200, `"description":"one"`, `"name":"a.jsonl"`, `"purpose":"fine-tune"`, `"size":`, `"md5":`)
		o.json(o.marketing, "GET", "/api/v1/files?page_no=2&page_size=1", "").is(200, `"total":2`, a, `"page_no":2`)
		c := o.send(o.marketing, "/compatible-mode/v1/files", part{"file", "c.jsonl", lines(14, "c")}, part{"purpose", "", "fine-tune"}).
			is(200, `"status":"processed"`, `"filename":"c.jsonl"`, `"object":"file"`).at("id")
		o.json(o.marketing, "GET", "/v1/files", "").is(200, `"has_more":false`, a, b, c)
		page := o.json(o.marketing, "GET", "/v1/files?limit=2", "").is(200, `"has_more":true`)
		if page.at("data.0.id") != c || page.at("data.1.id") != b || page.at("last_id") != b {
			t.Error(page.body)
		}
		if next := o.json(o.marketing, "GET", "/v1/files?limit=2&after="+b, "").is(200, `"has_more":false`); next.at("data.0.id") != a {
			t.Error(next.body)
		}
		if text := o.json(o.marketing, "GET", "/v1/files/"+c+"/content", "").is(200); text.body != lines(14, "c") || text.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Error("the content is not what was uploaded")
		}
		o.json(o.marketing, "DELETE", "/v1/files/"+c, "").is(200, `"deleted":true`)
		o.json(o.marketing, "DELETE", "/api/v1/files/"+b, "").is(200, `"request_id"`)
		o.json(o.marketing, "GET", "/v1/files/"+c, "").is(404, "File not found")
		if left := o.left(); len(left) != 1 || left[0] != a {
			t.Error(left)
		}
	})
}

func TestWhatIsWrongWithAnUploadIsRefusedInTheWordsOfTheDialect(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	good := part{"file", "a.jsonl", lines(12, "a")}
	for what, c := range map[string]struct {
		path  string
		parts []part
		holds string
	}{
		"another purpose after the file":  {"/v1/files", []part{good, {"purpose", "", "batch"}}, "purpose"},
		"another purpose before the file": {"/v1/files", []part{{"purpose", "", "assistants"}, good}, "purpose"},
		"an unknown field":                {"/v1/files", []part{good, {"expires_after[anchor]", "", "created_at"}}, "expires_after"},
		"no file":                         {"/v1/files", []part{{"purpose", "", "fine-tune"}}, "field file"},
		"a bad file":                      {"/v1/files", []part{{"file", "a.jsonl", lines(12, "a") + "x\n"}}, "Line 13"},
		"a wide file":                     {"/v1/files", []part{{"file", "a.jsonl", "\xff\xfe{\x00"}}, "UTF-16"},
		"a long field":                    {"/v1/files", []part{{"purpose", "", strings.Repeat("x", 5000)}, good}, "4 KB"},
		"natively, another purpose":       {"/api/v1/files", []part{{"files", "a.jsonl", lines(12, "a")}, {"purpose", "", "batch"}}, "purpose"},
		"natively, a bad file":            {"/api/v1/files", []part{{"files", "a.jsonl", "{}\n"}}, "no list of messages"},
		"natively, no file":               {"/api/v1/files", nil, "at least one file"},
	} {
		code := `"code":"invalid_value"`
		if strings.HasPrefix(c.path, "/api") {
			code = `"code":"InvalidParameter"`
		}
		if what == "an unknown field" {
			code = `"param":"expires_after[anchor]"`
		}
		o.send(o.marketing, c.path, c.parts...).is(400, c.holds, code)
	}
	body, kind := formOf(good)
	o.ask(o.marketing, "POST", "/v1/files", body[:len(body)-40], kind).is(400)
	o.ask(o.marketing, "POST", "/v1/files", "{}", "application/json").is(400, "multipart/form-data")
	o.ask(o.marketing, "PUT", "/v1/files", "", "").is(405)
	if left := o.left(); len(left) != 0 {
		t.Error("left behind:", left)
	}
}

func TestAQuotaIsToldAsTheOriginalDoes(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	to := o.Account.Settings
	to.DatasetFiles = 1
	must(t, o.Store.ChangeSettings(t.Context(), o.Account.ID, to, 1, o.Why("settings:change")))
	o.send(o.marketing, "/api/v1/files", part{"files", "a.jsonl", lines(12, "a")}, part{"files", "b.jsonl", lines(12, "b")}).
		is(200, `"code":"BadRequest.TooMany"`, "Out of number, <1> of <1> files has been uploaded.")
	o.send(o.marketing, "/v1/files", part{"file", "a.jsonl", lines(12, "a")}).is(400, "BadRequest.TooMany")
}

// Purposes are spelt in two ways, and may be left out.
func TestEveryWayOfSayingThePurposeIsTaken(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	for _, purpose := range []string{"fine-tune", "fine_tune", ""} {
		o.send(o.marketing, "/api/v1/files", part{"purpose", "", purpose}, part{"files", "a.jsonl", lines(12, "a")}).is(200, "file-")
	}
	o.send(o.marketing, "/api/v1/files", part{"files", "../../../etc/passwd", lines(12, "a")}).is(200, `"name":"passwd"`)
}
