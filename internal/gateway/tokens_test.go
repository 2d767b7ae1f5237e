package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// lent asks for a temporary key and keeps it under a name.
func (w *world) lent(name string, a ask, query string) (reply, time.Time) {
	w.t.Helper()
	a.method, a.path = http.MethodPost, a.path+"/api/v1/tokens"+query
	r := w.call(a)
	var got struct {
		Token     string `json:"token"`
		ExpiresAt int64  `json:"expires_at"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		w.t.Fatalf("%v: %s", err, r.body)
	}
	w.keys[name] = got.Token
	return r, time.Unix(got.ExpiresAt, 0)
}

// talk is a call of a model with a key of marketing.
func talk(key, model string) ask {
	return ask{path: "/v1/chat/completions", key: key, ws: marketing, body: `{"model":"` + model + `","messages":[{"role":"user","content":"hello"}]}`}
}

func TestATemporaryKeyMayWhatItsKeyMay(t *testing.T) {
	w := newWorld(t, nil)
	r, until := w.lent("lent", ask{key: "narrow", ws: marketing}, "")
	if r.status != 200 || !regexp.MustCompile(`^\{"token":"st-[0-9A-Za-z_-]+","expires_at":\d+\}$`).MatchString(r.body) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if left := time.Until(until); left < 55*time.Second || left > 61*time.Second {
		t.Errorf("without a word of it the key lasts %s", left)
	}
	if r.header.Get("Cache-Control") != "no-store" {
		t.Error("a cache may keep it")
	}
	for model, status := range map[string]int{"qwen-aliased": 200, "qwen-turbo": 403} {
		for _, key := range []string{"narrow", "lent"} {
			if r := w.call(talk(key, model)); r.status != status {
				t.Errorf("%s with %s: %d %s", model, key, r.status, r.body)
			}
		}
	}
	elsewhere := talk("lent", "qwen-aliased")
	elsewhere.ws = research
	if r := w.call(elsewhere); r.status != 403 {
		t.Errorf("it may in another workspace: %d", r.status)
	}
	if got := w.books.number(t, 2); got.Key != w.facts.Keys[len(w.facts.Keys)-1].ID {
		t.Errorf("its calls are booked to %q", got.Key)
	}
}

func TestATemporaryKeyMakesNoOther(t *testing.T) {
	w := newWorld(t, nil)
	w.lent("lent", ask{key: "marketing", ws: marketing}, "?expire_in_seconds=1800")
	r, _ := w.lent("again", ask{key: "lent", ws: marketing}, "")
	if r.status != 403 || !strings.Contains(r.body, `"AccessDenied"`) || !strings.Contains(r.body, "cannot make another one") || w.keys["again"] != "" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestTheLifeOfATemporaryKeyIsFromOneSecondToHalfAnHour(t *testing.T) {
	w := newWorld(t, nil)
	for query, life := range map[string]time.Duration{
		"?expire_in_seconds=1": time.Second, "?expire_in_seconds=1800": 30 * time.Minute, "?other=5": time.Minute,
		"?expire_in_seconds=0": 0, "?expire_in_seconds=1801": 0, "?expire_in_seconds=-1": 0, "?expire_in_seconds=": 0, "?expire_in_seconds=60.5": 0,
		"?expire_in_seconds=+60": 0, "?expire_in_seconds=060": 0, "?expire_in_seconds=60&expire_in_seconds=70": 0, "?expire_in_seconds=99999999999999999999": 0,
	} {
		r, until := w.lent("lent", ask{key: "marketing", ws: marketing}, query)
		if life == 0 {
			if r.status != 400 || !strings.Contains(r.body, `"code":"InvalidParameter"`) || !strings.Contains(r.body, "[1, 1800]") {
				t.Errorf("%s: %d %s", query, r.status, r.body)
			}
			continue
		}
		if off := time.Until(until) - life; r.status != 200 || off > time.Second || off < -5*time.Second {
			t.Errorf("%s: %d, and it lasts %s", query, r.status, time.Until(until))
		}
	}
}

func TestWhoHasNoKeyThatWorksGetsNoTemporaryOne(t *testing.T) {
	w := newWorld(t, nil)
	w.keys["unknown"] = secret.NewKey().Reveal()
	for name, want := range map[string]string{
		"": "401 InvalidApiKey", "unknown": "401 InvalidApiKey", "disabled": "401 InvalidApiKey", "expired": "401 InvalidApiKey", "elsewhere": "403 AccessDenied",
	} {
		r, _ := w.lent("lent", ask{key: name, ws: marketing}, "")
		var said struct{ Code, Message string }
		_ = json.Unmarshal([]byte(r.body), &said)
		if got := fmt.Sprint(r.status, " ", said.Code); got != want {
			t.Errorf("%q: %s, not %s", name, got, want)
		}
		if w.keys["lent"] != "" {
			t.Errorf("%q got a temporary key", name)
		}
	}
	if r, _ := w.lent("lent", ask{key: "marketing"}, ""); r.status != 403 || !strings.Contains(r.body, "must name their workspace") {
		t.Errorf("unnamed: %d %s", r.status, r.body)
	}
	if r := w.call(ask{method: http.MethodGet, path: "/api/v1/tokens", key: "marketing", ws: marketing}); r.status != 405 {
		t.Errorf("GET: %d", r.status)
	}
}

// of finds a key of the world by its name.
func (w *world) of(name string) *policy.Key {
	d := w.pepper.Digest(w.keys[name])
	for i := range w.facts.Keys {
		if w.facts.Keys[i].Digest == d {
			return &w.facts.Keys[i]
		}
	}
	w.t.Fatalf("there is no key %q", name)
	return nil
}

func TestATemporaryKeyDiesWithItsKey(t *testing.T) {
	for name, change := range map[string]func(*world, *policy.Facts, *policy.Key){
		"disabled": func(_ *world, _ *policy.Facts, k *policy.Key) { k.Disabled = true },
		"expired":  func(_ *world, _ *policy.Facts, k *policy.Key) { k.Expires = time.Now().Add(-time.Second) },
		"deleted":  func(_ *world, f *policy.Facts, k *policy.Key) { f.Gone.Keys = []ident.Key{k.ID}; f.Keys = nil },
		"reset":    func(_ *world, _ *policy.Facts, k *policy.Key) { k.Digest = secret.Digest{1} },
		"its owner left": func(_ *world, f *policy.Facts, _ *policy.Key) {
			f.Workspaces[1].Members = nil
		},
	} {
		w := newWorld(t, nil)
		w.lent("lent", ask{key: "marketing", ws: marketing}, "?expire_in_seconds=1800")
		if r := w.call(talk("lent", "qwen-turbo")); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		k := w.of("marketing")
		w.now(func(f *policy.Facts) { change(w, f, k) })
		if r := w.call(talk("lent", "qwen-turbo")); r.status != 401 && r.status != 403 {
			t.Errorf("%s: its temporary key is answered %d", name, r.status)
		}
	}
}

func TestATemporaryKeyEndsWithTheSecretItWasMadeWith(t *testing.T) {
	var now time.Time
	w := newWorld(t, func(w *world) {
		now = time.Now().Truncate(time.Second)
		w.config.Now = func() time.Time { return now }
		w.key("reset", marketing, "usr-0000000000000002", func(k *policy.Key) { k.Rare = &policy.Rare{PreviousUntil: now.Add(20 * time.Minute)} })
		k := w.of("reset")
		k.Rare.Previous, k.Digest = k.Digest, secret.Digest{7}
		w.key("ending", marketing, "usr-0000000000000002", func(k *policy.Key) { k.Expires = now.Add(10 * time.Minute) })
	})
	for name, life := range map[string]time.Duration{"reset": 20 * time.Minute, "ending": 10 * time.Minute, "marketing": 30 * time.Minute} {
		began := now
		r, until := w.lent("lent", ask{key: name, ws: marketing}, "?expire_in_seconds=1800")
		if r.status != 200 || !until.Equal(now.Add(life)) {
			t.Errorf("%s: %d, until %s and not %s", name, r.status, until, now.Add(life))
		}
		for _, later := range []struct {
			after  time.Duration
			status int
		}{{life - time.Second, 200}, {life, 401}} {
			if now = began.Add(later.after); w.call(talk("lent", "qwen-turbo")).status/100 != later.status/100 {
				t.Errorf("%s: after %s it is not answered %d", name, later.after, later.status)
			}
		}
		now = began
	}
}

func TestNoCharacterOfATemporaryKeyCanBeChanged(t *testing.T) {
	w := newWorld(t, nil)
	w.lent("lent", ask{key: "marketing", ws: marketing}, "")
	text := w.keys["lent"]
	for i := 3; i < len(text); i++ {
		other := byte('A')
		if text[i] == 'A' {
			other = 'B'
		}
		w.keys["forged"] = text[:i] + string(other) + text[i+1:]
		if r := w.call(talk("forged", "qwen-turbo")); r.status != 401 {
			t.Fatalf("character %d: %d %s", i, r.status, r.body)
		}
	}
}
