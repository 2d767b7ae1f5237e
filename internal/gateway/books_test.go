package gateway_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/usage"
	"bailiwick/internal/usage/journal"
)

func TestACallThatCannotBeBookedIsNotSent(t *testing.T) {
	w := newWorld(t, nil)
	w.books.full = true
	for range 3 {
		got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
		if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"code":"ModelServingError"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if w.mock.Calls() != 0 {
		t.Errorf("%d calls were sent", w.mock.Calls())
	}
	w.books.full = false
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// strict is a meter that looks whether the answer had ended when it was told.
type strict struct {
	*books
	ended func() bool
	t     *testing.T
}

func (s strict) End(r *usage.Record) {
	if s.ended() {
		s.t.Error("the caller had the whole answer before it was booked")
	}
	s.books.End(r)
}

// watched notes when the last bytes of an answer were written.
type watched struct {
	*httptest.ResponseRecorder
	last string
}

func (w watched) seen() bool { return strings.Contains(w.Body.String(), w.last) }

func TestNoAnswerIsWholeBeforeItIsBooked(t *testing.T) {
	for body, last := range map[string]string{
		openAIBody("qwen-turbo", ""):                     "}",
		openAIBody("qwen-turbo", `,"stream":true`):       "[DONE]",
		openAIBody("qwen-mute", ""):                      "}",
		openAIBody("qwen-turbo", `,"max_tokens":"none"`): "}",
	} {
		answer := watched{httptest.NewRecorder(), last}
		var meter strict
		w := newWorld(t, func(w *world) {
			meter = strict{books: w.books, ended: answer.seen, t: t}
			w.config.Usage = meter
		})
		g := gateway.New(w.config)
		r := httptest.NewRequest("POST", "/w/"+string(marketing)+chat, strings.NewReader(body))
		r.Header.Set("x-api-key", w.keys["marketing"])
		g.ServeHTTP(answer, r)
		g.Close()
		if !answer.seen() || len(w.books.all()) != 1 {
			t.Errorf("%s: %d records of %s", body, len(w.books.all()), answer.Body)
		}
	}
}

func TestACallIsPricedAtItsModelsTariff(t *testing.T) {
	w := newWorld(t, func(w *world) {
		for i := range w.facts.Models {
			m := &w.facts.Models[i]
			m.Version, m.Prices = 4, []catalogue.Price{{Item: "input_token", Amount: "2", Unit: "1M tokens", Currency: "CNY"}, {Item: "output_token", Amount: "8", Unit: "1M tokens", Currency: "CNY"}}
			m.Tariff = m.Model.Tariff()
		}
	})
	w.mock.Always(mockserver.JSON(200, `{"choices":[{"index":0,"message":{"content":"x"}}],"usage":{"prompt_tokens":100,"completion_tokens":10}}`))
	w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
	w.mock.Always(mockserver.JSON(429, `{"error":{"message":"later"}}`))
	w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")})
	if r := w.books.number(t, 1); r.Cost != 280 || r.Currency != "CNY" || r.PriceVersion != 4 {
		t.Errorf("record %+v", r)
	}
	if r := w.books.number(t, 2); r.Cost != 0 || r.Currency != "" || r.Source != "" {
		t.Errorf("a call that consumed nothing costs something: %+v", r)
	}
	if w.books.begun[0].Cost == 0 {
		t.Error("the estimate costs nothing")
	}
}

// BenchmarkMeter is what metering costs a call: nothing but it is measured.
func BenchmarkMeter(b *testing.B) {
	r, err := usage.NewRecorder(discarding{}, journal.Config{Folder: b.TempDir(), Most: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	w := newWorld(b, nil)
	question := policy.Question{Presented: true, Digest: w.pepper.Digest(w.keys["marketing"]), Path: string(marketing), At: time.Now(), Model: "qwen-turbo", Capability: catalogue.Call}
	d := w.keeper.Now().Decide(question)
	if d.Key == nil {
		b.Fatal("no key")
	}
	rec := usage.Record{
		Call: "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", At: time.Now(), Account: d.Key.Account, Workspace: marketing, Key: d.Key.ID, Member: d.Key.Owner,
		Model: "qwen-turbo", Dialect: "openai", Provider: upstream, Input: 1200, Output: 340, Source: usage.FromProvider, Cost: 812, Currency: "CNY", Status: 200, Duration: time.Second,
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		one := rec
		for pb.Next() {
			for r.Begin(&one) != nil {
				time.Sleep(time.Millisecond)
			}
			r.End(&one)
		}
	})
}

// discarding is a database that takes everything.
type discarding struct{}

func (discarding) InsertUsage(context.Context, []usage.Record) error { return nil }
