package web_test

import (
	"encoding/base64"
	"encoding/csv"
	"html"
	"mime/multipart"
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/provider/embedded/sample"
	"bailiwick/internal/store"
)

// sendFile uploads a file as a browser does: the fields in the order of the form.
func (o *company) sendFile(who, path, name, content string, header map[string]string, pairs ...string) *answer {
	o.t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		o.must(w.WriteField(pairs[i], pairs[i+1]))
	}
	file, err := w.CreateFormFile("file", name)
	o.must(err)
	_, err = file.Write([]byte(content))
	o.must(err)
	o.must(w.Close())
	all := map[string]string{"Content-Type": w.FormDataContentType()}
	for k, v := range header {
		all[k] = v
	}
	return o.sent(who, path, b.String(), all)
}

func TestAFileIsUploadedAndLookedAt(t *testing.T) {
	o := start(t)
	list := o.at(o.a, "/datasets")
	o.get("alice", list).is(200).says("No training files yet", "Use the sample", "0 of 100 files", "of 5 GB").holds(`href="` + list + `"`)
	text := someExamples(30) + `{"messages":[{"role":"user","content":"<script>alert(1)</script>"},{"role":"assistant","name":"x","content":"no"}]}` + "\n"
	page := o.sendFile("alice", list, `C:\data\desk <b>.jsonl`, text, nil, "name", "Desk & Co", "description", "What we say", "method", "").is(303).header.Get("Location")
	got := o.get("alice", page).is(200).says("Desk & Co", "What we say", "V1", "31", "1 warning", "key_ignored", "1–10 of 31", "desk <b>.jsonl", "alice@acme")
	file := regexp.MustCompile(`file-[a-z0-9]{24}`).FindString(got.body)
	o.get("alice", page+"/files/"+file+"?from=25").is(200).says("<script>alert(1)</script>").hides("<script>alert(1)")
	o.ask("alice", "GET", page+"/files/"+file+"?from=10", nil, part).is(200).says("11–20 of 31").hides("<html")
	content := o.get("alice", page+"/files/"+file+"/content").is(200)
	if content.body != text || content.header.Get("Content-Disposition") != `attachment; filename="`+file+`.jsonl"` || content.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", content.header)
	}
	if rows, err := csv.NewReader(strings.NewReader(o.get("alice", page+"/files/"+file+"/report.csv").is(200).body)).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("%v %v", rows, err)
	}
	o.sendFile("alice", page, "two.jsonl", someExamples(12), nil).to(page)
	o.get("alice", page).says("V2", "V1", "12")
	o.get("alice", list).says("Desk & Co", "V2", "2 of 100 files").hides("No training files yet")
	o.get("alice", list+"?q=nothing").says("No such dataset")
	o.get("alice", list+"?method=cpt").says("No such dataset")
	o.get("alice", list+"?sort=name&order=turned").is(200).says("Desk & Co")
	o.get("alice", page+"/files/"+file+"/delete").says("Delete Desk & Co V1?")
	o.post("alice", page+"/files/"+file+"/delete").to(page)
	o.get("alice", page+"/files/"+file).is(404)
	o.post("alice", page+"/delete").to(list)
	o.get("alice", page).is(404)
}

func TestABadFileIsRefusedWithItsReportAndNothingIsKept(t *testing.T) {
	o := start(t)
	list := o.at(o.a, "/datasets")
	bad := someExamples(20) + "{\"messages\":[]}\n=cmd\n"
	for _, header := range []map[string]string{nil, part} {
		got := o.sendFile("alice", list, "bad.jsonl", bad, header, "name", "Kept as typed", "method", "sft").is(422)
		got.says("Line 21", "messages_missing", "json_invalid", "22", "The file was not kept", "Download CSV").holds(`value="Kept as typed"`)
		found := regexp.MustCompile(`href="data:text/csv;base64,([^"]*)"`).FindStringSubmatch(got.body)
		if found == nil {
			t.Fatal("the report cannot be downloaded")
		}
		raw, err := base64.StdEncoding.DecodeString(html.UnescapeString(found[1]))
		if rows, err2 := csv.NewReader(strings.NewReader(string(raw))).ReadAll(); err != nil || err2 != nil || len(rows) != 3 || rows[1][0] != "21" {
			t.Errorf("%v %v %v", rows, err, err2)
		}
	}
	o.sendFile("alice", list, "wide.jsonl", "\xff\xfe{\x00", nil).is(422).says("UTF-16", "Save it as UTF-8")
	o.sendFile("alice", list, "", someExamples(12), nil).is(422).says("Choose a file")
	o.post("alice", list, "name", "x").is(422).says("Choose a file")
	o.sendFile("alice", list, "a.jsonl", someExamples(12), nil, "name", strings.Repeat("n", 101)).is(422).says("at most 100 characters")
	o.sendFile("alice", list, "a.jsonl", someExamples(12), nil, "name", strings.Repeat("n", 9<<10)).is(422).says("more than 8 KB")
	o.get("alice", list).says("0 of 100 files", "No training files yet")
}

func TestTheSampleIsOneClickAway(t *testing.T) {
	o := start(t)
	got := o.get("alice", o.at(o.a, "/datasets/sample")).is(200)
	if got.body != string(sample.JSONL()) || !strings.Contains(got.header.Get("Content-Disposition"), sample.Name) {
		t.Errorf("%v", got.header)
	}
	page := o.post("alice", o.at(o.a, "/datasets/sample")).is(303).header.Get("Location")
	o.get("alice", page).says("Harbor Coffee support", "160 examples, no problems", "SFT")
}

func TestASettingBoundsWhatAWorkspaceKeeps(t *testing.T) {
	o := start(t)
	o.post("root", "/account/settings", "require_workspace", "on", "dataset_files", "1", "dataset_megabytes", "many", "dataset_file_megabytes", "1", "version", "1").is(422).holds(`value="many"`)
	version := o.get("root", "/account/settings").field("version")
	o.post("root", "/account/settings", "require_workspace", "on", "dataset_files", "1", "dataset_megabytes", "3", "dataset_file_megabytes", "0", "version", version).is(422).says("from 1 to")
	o.post("root", "/account/settings", "require_workspace", "on", "dataset_files", "1", "dataset_megabytes", "3", "dataset_file_megabytes", "1", "version", version).is(303)
	list := o.at(o.a, "/datasets")
	o.sendFile("alice", list, "large.jsonl", strings.Repeat(someExamples(10), 2000), nil).is(422).says("file_too_large", "larger than 1 MB")
	o.sendFile("alice", list, "one.jsonl", someExamples(12), nil).is(303)
	o.sendFile("alice", list, "two.jsonl", someExamples(12), nil).is(409).says("1 training files and keeps 1")
}

func TestADatasetIsRenamedWithoutScriptsAndNobodysWordsAreLost(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store, c *clock) {
		o := newCompany(t, s, c)
		page := o.at(o.a, "/datasets/"+string(o.dataset(o.root, o.a).Dataset))
		form := o.get("alice", page+"/rename").is(200).says("Rename dataset", "Trainings that used it keep the name that it had.").holds(`value="desk"`)
		o.get("alice", page).holds(page + "/rename")
		rename := func(name, description string) *answer {
			return o.post("alice", page+"/rename", "name", name, "description", description, "seen_name", html.UnescapeString(form.field("seen_name")), "seen_description", form.field("seen_description"))
		}
		for name, says := range map[string]string{"": "A dataset has a name.", " ": "A dataset has a name.", strings.Repeat("n", 101): "A name has at most 100 characters.", "a\u0085b": "characters that cannot be shown"} {
			rename(name, "kept as typed").is(422).says(says).holds(`value="kept as typed"`)
		}
		rename("Desk", strings.Repeat("n", 501)).is(422).says("A description has at most 500 characters.")
		rename("  Desk <b> & Co ", "What we say").to(page)
		o.get("alice", page).is(200).says("Dataset renamed", "Desk <b> & Co", "What we say").hides("<b> &")
		o.get("alice", o.at(o.a, "/datasets?q=desk+<b>")).is(200).says("Desk <b> & Co")
		o.get("root", o.at(o.a, "/audit")).is(200).says("datasets:rename")
		events := o.events("datasets:rename")
		rename("Late", "").is(409).says("The dataset was renamed meanwhile.", "It is called Desk <b> & Co now.").holds(`value="Late"`, `name="seen_name" value="Desk &lt;b&gt; &amp; Co"`)
		form = o.get("alice", page+"/rename")
		rename("Desk <b> & Co", "What we say").to(page) // as it is
		if n := len(o.events("datasets:rename")); n != 1 || len(events) != 1 {
			t.Errorf("%d events, then %d", len(events), n)
		}
		o.post("carol", page+"/rename", "name", "x").is(403)
		o.post("bert", page+"/rename", "name", "x").is(404)
	})
}
