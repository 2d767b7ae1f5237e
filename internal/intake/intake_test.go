package intake_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/intake"
)

const boundary = "multipart/form-data; boundary=x"

// part is one part of a form; file empty: it is a field.
func part(name, file, text string) string {
	head := "--x\r\nContent-Disposition: form-data; name=\"" + name + "\""
	if file != "" {
		head += "; filename=\"" + file + "\""
	}
	return head + "\r\n\r\n" + text + "\r\n"
}

func open(t *testing.T, kind string, body io.Reader, b intake.Bounds, names ...string) (*intake.Form, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", kind)
	var takes func(string) bool
	if names != nil {
		takes = func(name string) bool { return strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") }
	}
	return intake.Open(httptest.NewRecorder(), r, b, takes)
}

var usual = intake.Bounds{Parts: 5, Field: 8}

func TestFieldsAreKeptBeforeAndAfterFilesWhichComeAsTheyAre(t *testing.T) {
	f, err := open(t, boundary, strings.NewReader(part("a", "", "1")+part("file", "f.txt", "some text that is longer than fields")+part("a", "", "2")+part("file", "g.txt", "g")+"--x--\r\n"), usual)
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Next()
	if err != nil || file.FileName() != "f.txt" || f.Field("a", 0) != "1" || f.Field("a", 1) != "" {
		t.Fatalf("%v %v", f.Fields, err)
	}
	if text, err := io.ReadAll(file); err != nil || string(text) != "some text that is longer than fields" {
		t.Errorf("%q, %v", text, err)
	}
	if err := f.Look(); err != nil || f.Field("a", 1) != "2" {
		t.Errorf("%v %v", f.Fields, err)
	}
	if file, err = f.Next(); err != nil || file.FileName() != "g.txt" {
		t.Errorf("what was come upon is gone: %v", err)
	}
	if file, err = f.Next(); file != nil || err != nil {
		t.Errorf("at the end there is %v, %v", file, err)
	}
}

func TestNoFileWaitsInMemory(t *testing.T) {
	from, to := io.Pipe()
	f, err := open(t, boundary, from, usual)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		to.Write([]byte(strings.TrimSuffix(part("file", "f.txt", "begins"), "\r\n")))
		to.CloseWithError(errors.New("gone"))
	}()
	file, err := f.Next()
	if err != nil {
		t.Fatalf("it waits for the end: %v", err)
	}
	if text, err := io.ReadAll(file); !strings.HasPrefix("begins", string(text)) || err == nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatIsNoFormIsToldByKind(t *testing.T) {
	for _, kind := range []string{"", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x", "multipart/form-data; boundary"} {
		if _, err := open(t, kind, strings.NewReader(""), usual); !errors.Is(err, intake.ErrNoForm) {
			t.Errorf("%q: %v", kind, err)
		}
	}
	next := func(body string, b intake.Bounds, names ...string) error {
		f, err := open(t, boundary, strings.NewReader(body), b, names...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Next()
		return err
	}
	if err := next(part("a", "", "1")+"--x--\r\n", usual, "b", "file"); err != error(intake.UnknownField("a")) {
		t.Errorf("an unknown field: %v", err)
	}
	if err := next(part("a", "", "123456789")+"--x--\r\n", usual); err != error(intake.LongField{Name: "a", Most: 8}) {
		t.Errorf("a long field: %v", err)
	}
	if err := next(part("a", "", "12345678")+"--x--\r\n", usual); err != nil {
		t.Errorf("a field as long as it may be: %v", err)
	}
	if err := next(strings.Repeat(part("a", "", "1"), 6)+"--x--\r\n", usual); !errors.Is(err, intake.ErrBroken) {
		t.Errorf("too many parts: %v", err)
	}
	if err := next(part("a", "", "1"), usual); !errors.Is(err, intake.ErrBroken) {
		t.Errorf("no end: %v", err)
	}
	err := next(part("a", "", strings.Repeat("1", 90))+"--x--\r\n", intake.Bounds{Parts: 5, Field: 100, Body: 80})
	if large := (*http.MaxBytesError)(nil); !errors.As(err, &large) || !errors.Is(err, intake.ErrBroken) {
		t.Errorf("too large a body: %v", err)
	}
}
