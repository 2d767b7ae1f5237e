package web_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// choose puts a file into the form's file field.
func (b *tab) choose(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	b.must(os.WriteFile(path, []byte(content), 0o600))
	document, err := chromedp.Call(b.ctx, dom.GetDocument, dom.GetDocumentParams{})
	b.must(err)
	field, err := chromedp.Call(b.ctx, dom.QuerySelector, dom.QuerySelectorParams{NodeID: document.Root.NodeID, Selector: "#f-file"})
	b.must(err)
	_, err = chromedp.Call(b.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, NodeID: field.NodeID})
	b.must(err)
}

func TestAMemberUploadsTrainingFilesInABrowser(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	defer b.clean()
	b.logOn("alice")
	b.click("link", "Datasets")
	b.sees("No training files yet")
	b.examine("Datasets, empty")
	b.click("link", "Upload")
	b.isAt(o.at(o.a, "/datasets/new"))
	b.examine("Upload a file")
	b.click("button", "Upload and check")
	b.sees("Choose a file.")
	b.choose("bad.jsonl", someExamples(12)+"{\"messages\":[]}\n")
	b.fill("textbox", "Name", "Desk")
	b.click("button", "Upload and check")
	b.sees("Line 13", "messages_missing", "The file was not kept")
	b.examine("a refused file")
	b.choose("good.jsonl", someExamples(40))
	b.click("button", "Upload and check")
	b.sees("Uploaded: 40 examples", "1–10 of 40", "What is 3?")
	b.examine("a dataset")
	b.click("link", "Next")
	b.sees("11–20 of 40")
	b.click("button", "Rename")
	b.find("dialog", "Rename dataset")
	b.examine("Rename a dataset")
	b.fill("textbox", "Name", "Desk two")
	b.key(kb.Enter)
	b.sees("Dataset renamed", "Desk two")
	b.click("link", "Datasets")
	b.sees("Desk two", "1 of 100 files")
	b.examine("Datasets")
	b.click("button", "Delete")
	b.sees("Delete Desk two?")
	b.examine("Delete a dataset")
	b.click("button", "Delete")
	b.sees("No training files yet")
}
