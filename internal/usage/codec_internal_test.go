package usage

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func FuzzDecode(f *testing.F) {
	r := Record{Call: "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", At: time.UnixMicro(1), Account: "acc", Model: "m", Source: Counted, Input: -1, Cost: 1 << 60, Stream: true, Duration: 5}
	f.Add(r.appendTo(nil))
	f.Add([]byte{format})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", text, texts{})
		if err != nil {
			return
		}
		again, err := decode(r.Call, r.appendTo(nil), texts{})
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

func TestARecordOfAnySizeFitsTheJournal(t *testing.T) {
	r := Record{Model: "m", Code: strings.Repeat("x", 10_000), Dialect: strings.Repeat("y", 10_000)}
	text := r.appendTo(nil)
	if len(text) > 2000 {
		t.Errorf("%d bytes", len(text))
	}
	if got, err := decode("", text, texts{}); err != nil || len(got.Code) != longest {
		t.Errorf("%+v, %v", got, err)
	}
}
