package dataset_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"bailiwick/internal/dataset"
	"bailiwick/internal/provider"
)

type text struct{ *strings.Reader }

func (text) Close() error { return nil }

func dataOf(s string) provider.Data {
	return provider.Data{Size: int64(len(s)), Open: func() (io.ReadSeekCloser, error) { return text{strings.NewReader(s)}, nil }}
}

func read(t *testing.T, d provider.Data) string {
	t.Helper()
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	// Sought and read in small pieces it is the same.
	if end, err := f.Seek(0, io.SeekEnd); err != nil || end != d.Size || int(end) != len(all) {
		t.Fatalf("%d bytes of %d, %v", end, len(all), err)
	}
	if _, err := f.Seek(3, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	again, err := io.ReadAll(bufio.NewReaderSize(f, 16))
	if err != nil || string(again) != string(all[3:]) {
		t.Fatalf("%q, %v", again, err)
	}
	return string(all)
}

func TestASplitPutsEveryExampleIntoOnePartAndTheSameOneAgain(t *testing.T) {
	whole := dataOf(lines(50) + "\n\r\n" + strings.TrimSuffix(lines(60)[len(lines(50)):], "\n"))
	learn, measure, err := dataset.Split(whole, 0.2, 1000, 7)
	if err != nil || learn.Examples != 48 || measure.Examples != 12 {
		t.Fatalf("%d and %d, %v", learn.Examples, measure.Examples, err)
	}
	a, b := read(t, learn), read(t, measure)
	in := map[string]int{}
	for _, l := range append(strings.Split(strings.TrimSpace(a), "\n"), strings.Split(strings.TrimSpace(b), "\n")...) {
		in[strings.TrimSpace(l)]++
	}
	if len(in) != 60 {
		t.Errorf("%d examples", len(in))
	}
	learn2, measure2, err := dataset.Split(whole, 0.2, 1000, 7)
	if err != nil || learn2.SHA256 != learn.SHA256 || measure2.SHA256 != measure.SHA256 {
		t.Error("the same split differs")
	}
	if other, _, _ := dataset.Split(whole, 0.2, 1000, 8); other.SHA256 == learn.SHA256 {
		t.Error("another seed gives the same")
	}
	if _, few, _ := dataset.Split(whole, 0.5, 5, 7); few.Examples != 5 {
		t.Errorf("%d examples, not 5", few.Examples)
	}
	if all, none, err := dataset.Split(whole, 0, 0, 7); err != nil || none.Open != nil || all.Size != whole.Size {
		t.Error("nothing was to be held back")
	}
	if _, none, err := dataset.Split(dataOf(lines(1)), 0.9, 0, 7); err != nil || none.Open != nil {
		t.Error("one example is split")
	}
}
