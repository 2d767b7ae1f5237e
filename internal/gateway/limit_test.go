package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

// hands is a clock that a test moves.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// limitedWorld is a world with a clock of its own and these limits of the
// workspace Marketing and of the account for qwen-turbo.
func limitedWorld(t testing.TB, workspace limit.Limit, account catalogue.Limit, change func(*world)) (*world, *hands) {
	clock := &hands{now: time.Now()}
	return newWorld(t, func(w *world) {
		w.config.Now = clock.Now
		w.facts.Workspaces[1].Limits = policy.Pairs[ident.Model, limit.Setting]{{Key: "qwen-turbo", Value: limit.Setting{Limit: workspace, SetBy: "root@acme", Version: 1}}}
		w.facts.Models[0].Limit = account
		if change != nil {
			change(w)
		}
	}), clock
}

func rate(count, period int) limit.Rate { return limit.Rate{Count: count, Period: period} }

// limited is one refusal by a limit, as both dialects word it.
type limited struct {
	name      string
	workspace limit.Limit
	account   catalogue.Limit
	keyCalls  int
	calls     int
	before    int // calls that pass
	body      string
	native    [2]string // code and message
	openAI    [2]string
	refused   string
	retry     string // empty: not said
	remaining [2]string
}

var limitedCalls = []limited{
	{
		name: "requests of the workspace", workspace: limit.Limit{Requests: rate(2, 60)}, before: 2,
		native:  [2]string{"Throttling.RateQuota", "Requests rate limit exceeded, please try again later. The limit of this workspace for qwen-turbo is 2 requests in 60 s."},
		openAI:  [2]string{"limit_requests", ""},
		refused: "workspace-request-limit", retry: "30", remaining: [2]string{"0", ""},
	},
	{
		name: "requests of the account", account: catalogue.Limit{Requests: 3, RequestPeriod: 12}, before: 3,
		native:  [2]string{"Throttling.RateQuota", "Requests rate limit exceeded, please try again later. The limit of the account for qwen-turbo, which all its workspaces share, is 3 requests in 12 s."},
		openAI:  [2]string{"limit_requests", ""},
		refused: "account-request-limit", retry: "4", remaining: [2]string{"0", ""},
	},
	{
		// A call has 7 + 4 tokens, and asks for 12 + 40.
		name: "tokens of the workspace", workspace: limit.Limit{Requests: rate(100, 1), Tokens: rate(60, 60)}, before: 1, body: `,"max_tokens":40`,
		native:  [2]string{"Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit. The limit of this workspace for qwen-turbo is 60 tokens in 60 s."},
		openAI:  [2]string{"insufficient_quota", "You exceeded your current quota, please check your plan and billing details. The limit of this workspace for qwen-turbo is 60 tokens in 60 s."},
		refused: "workspace-token-limit", retry: "3", remaining: [2]string{"99", "49"},
	},
	{
		name: "tokens of the account", account: catalogue.Limit{Usage: 60, UsagePeriod: 60, UsageField: "total_tokens"}, before: 1, body: `,"max_tokens":40`,
		native:  [2]string{"Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit. The limit of the account for qwen-turbo, which all its workspaces share, is 60 tokens in 60 s."},
		openAI:  [2]string{"insufficient_quota", "You exceeded your current quota, please check your plan and billing details. The limit of the account for qwen-turbo, which all its workspaces share, is 60 tokens in 60 s."},
		refused: "account-token-limit", retry: "3", remaining: [2]string{"", "49"},
	},
	{
		name: "a call larger than the limit", workspace: limit.Limit{Requests: rate(100, 1), Tokens: rate(20, 60)}, body: `,"max_tokens":40`,
		native:  [2]string{"Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit. The limit of this workspace for qwen-turbo is 20 tokens in 60 s. This call may consume 52 tokens: let the answer be shorter (max_tokens), or the prompt."},
		openAI:  [2]string{"insufficient_quota", "You exceeded your current quota, please check your plan and billing details. The limit of this workspace for qwen-turbo is 20 tokens in 60 s. This call may consume 52 tokens: let the answer be shorter (max_tokens), or the prompt."},
		refused: "workspace-token-limit", remaining: [2]string{"100", "20"},
	},
	{
		name: "a limit of nothing", workspace: limit.Limit{Requests: rate(0, 60)},
		native:  [2]string{"Throttling.RateQuota", "Requests rate limit exceeded, please try again later. The limit of this workspace for qwen-turbo is 0 requests in 60 s."},
		openAI:  [2]string{"limit_requests", ""},
		refused: "workspace-request-limit", remaining: [2]string{"0", ""},
	},
}

func TestEveryLimitRefusesInTheWordsOfBothDialects(t *testing.T) {
	for _, c := range limitedCalls {
		for _, native := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, "/native=", native), func(t *testing.T) {
				w, _ := limitedWorld(t, c.workspace, c.account, nil)
				a := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", c.body)}
				code, message := c.openAI[0], c.openAI[1]
				if message == "" {
					message = c.native[1]
				}
				want := openAIRefusal(code, code, message, "")
				if native {
					a.path, a.body = generation, nativeBody("qwen-turbo", strings.TrimPrefix(c.body, ","))
					code, want = c.native[0], nativeRefusal(c.native[0], c.native[1])
				}
				for range c.before {
					if got := w.call(a); got.status != 200 {
						t.Fatalf("%d %s", got.status, got.body)
					}
				}
				got := w.call(a)
				id := got.header.Get("X-Request-Id")
				if got.status != 429 || strings.ReplaceAll(got.body, id, "ID") != want {
					t.Errorf("answered %d %s\n   want 429 %s", got.status, got.body, want)
				}
				if h := got.header; h.Get("Retry-After") != c.retry || h.Get("X-Bailiwick-Refused") != c.refused ||
					h.Get("X-Ratelimit-Remaining-Requests") != c.remaining[0] || h.Get("X-Ratelimit-Remaining-Tokens") != c.remaining[1] ||
					(h.Get("X-Should-Retry") == "false") != (c.retry == "") {
					t.Errorf("headers %v", h)
				}
				if w.mock.Calls() != c.before {
					t.Errorf("the provider was called %d times", w.mock.Calls())
				}
				rec := w.books.number(t, c.before+1)
				if rec.Status != 429 || rec.Code != code || rec.Input+rec.Output != 0 {
					t.Errorf("booked %+v", rec)
				}
			})
		}
	}
}

// Retry-After to the millisecond: a call then passes, a millisecond earlier it does not.
func TestRetryAfterIsExact(t *testing.T) {
	w, clock := limitedWorld(t, limit.Limit{Requests: rate(7, 3)}, catalogue.Limit{}, nil)
	a := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}
	for range 7 {
		w.call(a)
	}
	got := w.call(a)
	if got.status != 429 || got.header.Get("Retry-After-Ms") != "429" || got.header.Get("Retry-After") != "1" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	clock.pass(428 * time.Millisecond)
	if got := w.call(a); got.status != 429 || got.header.Get("Retry-After-Ms") != "1" {
		t.Errorf("%d %v", got.status, got.header)
	}
	clock.pass(time.Millisecond)
	if got := w.call(a); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAnswersSayWhatIsLeftOfTheTightestLimit(t *testing.T) {
	w, _ := limitedWorld(t, limit.Limit{Requests: rate(60, 60), Tokens: rate(6000, 60)}, catalogue.Limit{Requests: 300, RequestPeriod: 15, Usage: 1000, UsagePeriod: 10}, nil)
	for _, a := range []ask{
		{path: chat, body: openAIBody("qwen-turbo", `,"max_tokens":88`)},
		{path: generation, body: nativeBody("qwen-turbo", `"max_tokens":88`)},
		{path: chat, body: openAIBody("qwen-turbo", `,"max_tokens":88,"stream":true`)},
	} {
		a.key, a.ws = "marketing", marketing
		h := w.call(a).header
		if h.Get("X-Ratelimit-Limit-Requests") != "60" || h.Get("X-Ratelimit-Limit-Tokens") != "1000" {
			t.Errorf("%s: %v", a.path, h)
		}
	}
	h := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"max_tokens":88`)}).header
	for name, want := range map[string]string{
		"X-Ratelimit-Remaining-Requests": "56", "X-Ratelimit-Reset-Requests": "4s",
		"X-Ratelimit-Remaining-Tokens": "867", "X-Ratelimit-Reset-Tokens": "1.33s", // 3 × 11 consumed, 12 + 88 held back
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-aliased", "")}); got.header.Get("X-Ratelimit-Limit-Requests") != "" {
		t.Errorf("a model without a limit says %v", got.header)
	}
}

func TestAChangedLimitHoldsFromTheNextCallOn(t *testing.T) {
	w, _ := limitedWorld(t, limit.Limit{Requests: rate(1, 60)}, catalogue.Limit{}, nil)
	a := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}
	set := func(l limit.Limit) func(*policy.Facts) {
		return func(f *policy.Facts) {
			f.Workspaces[1].Limits = policy.Pairs[ident.Model, limit.Setting]{{Key: "qwen-turbo", Value: limit.Setting{Limit: l}}}
		}
	}
	status := func(want int) {
		t.Helper()
		if got := w.call(a); got.status != want {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	status(200)
	status(429)
	w.now(set(limit.Limit{Requests: rate(3, 60)}))
	status(200)
	status(200)
	status(429)
	w.now(set(limit.Limit{}))
	status(200)
	w.now(set(limit.Limit{Requests: rate(0, 1)}))
	status(429)
}

// alt-path-same-check: every path to a model passes the same limit.
func TestAnchor_AltPathSameCheck_EveryPathCountsAgainstOneLimit(t *testing.T) {
	w, _ := limitedWorld(t, limit.Limit{Requests: rate(4, 60)}, catalogue.Limit{}, nil)
	paths := []ask{
		{path: chat, ws: marketing}, {path: "/compatible-mode" + chat, ws: marketing},
		{path: "/w/" + string(marketing) + chat}, {path: generation, ws: marketing, body: nativeBody("qwen-turbo", "")},
	}
	for round, want := range []int{200, 429} {
		for _, a := range paths {
			if a.key = "marketing"; a.body == "" {
				a.body = openAIBody("qwen-turbo", "")
			}
			if got := w.call(a); got.status != want {
				t.Errorf("round %d, %s: %d", round, a.path, got.status)
			}
		}
	}
}

// Check 20: what is held back is what the call can consume at most, whatever it
// says; one that says nothing is settled by what it consumed.
func TestSec20_TheReservationUsesWhatIsClamped(t *testing.T) {
	for body, held := range map[string]int{
		`,"max_tokens":100`:                           112,
		`,"max_tokens":32768`:                         12 + 2048, // the model says no more than that
		`,"max_tokens":100,"n":3`:                     312,
		`,"max_completion_tokens":50,"best_of":4`:     212,
		`,"max_tokens":10,"max_completion_tokens":20`: 32,
		``:       12 + 1024,
		`,"n":2`: 12 + 2*1024,
		`,"stream":true,"stream_options":{"include_usage":false},"max_tokens":100`: 112,
	} {
		w, _ := limitedWorld(t, limit.Limit{Requests: rate(9, 1), Tokens: rate(100_000, 60)}, catalogue.Limit{}, func(w *world) { w.facts.Models[0].MaxOutput = 2048 })
		a := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", body)}
		if got := w.call(a); got.status != 200 || got.header.Get("X-Ratelimit-Remaining-Tokens") != fmt.Sprint(100_000-held) {
			t.Errorf("%s: %d, %s tokens are left", body, got.status, got.header.Get("X-Ratelimit-Remaining-Tokens"))
		}
		w.books.number(t, 1)
		u := w.limits.OfModel(string(marketing), "qwen-turbo", limit.Limit{Tokens: rate(100_000, 60)})
		if u.Held != 0 || u.Tokens != 11 {
			t.Errorf("%s: settled as %+v", body, u)
		}
	}
	for _, body := range []string{`,"max_tokens":-1`, `,"max_tokens":1e12`, `,"n":-5`, `,"n":1000000`, `,"best_of":99999`} {
		w, _ := limitedWorld(t, limit.Limit{Requests: rate(1, 60)}, catalogue.Limit{}, nil)
		if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", body)}); got.status != 400 {
			t.Errorf("%s: %d", body, got.status)
		}
		if u := w.limits.OfModel(string(marketing), "qwen-turbo", limit.Limit{Requests: rate(1, 60)}); u.Requests != 0 {
			t.Errorf("%s counted as a request", body)
		}
	}
}

// P4: with tokens held back up front, a limit is not overshot by calls that run at once.
func TestP4_CallsAtOnceDoNotOvershootATokenLimit(t *testing.T) {
	w, _ := limitedWorld(t, limit.Limit{Requests: rate(1000, 1), Tokens: rate(1000, 60)}, catalogue.Limit{}, nil)
	w.mock.Always(mockserver.Reply{Body: []byte(mockserver.Chat{Words: make([]string, 88), Input: 12}.Whole("qwen-turbo"))}) // as much as is asked for
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() {
			w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"max_tokens":88`)})
		})
	}
	wait.Wait()
	consumed := 0
	for _, r := range w.books.all() {
		consumed += r.Input + r.Output
	}
	if consumed > 1000 || consumed < 500 {
		t.Errorf("%d tokens were consumed of 1000", consumed)
	}
}

// Check 40: streams that stay open on one key fill that key's places and nobody
// else's.
func TestSec40_StreamsThatStayOpenFillOnlyTheirKeysPlaces(t *testing.T) {
	const places = 20
	release := make(chan struct{})
	w := newWorld(t, func(w *world) {
		w.facts.Accounts[0].KeyCalls, w.facts.Accounts[0].WorkspaceCalls = places, places+5
		w.key("second", marketing, bob, nil)
	})
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		a := mockserver.Default(r)
		if strings.Contains(string(r.Body), `"wait"`) {
			a.Hold = release
		}
		return a
	})
	var wait sync.WaitGroup
	hang := func(key string) {
		wait.Go(func() {
			w.call(ask{path: chat, key: key, ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true,"user":"wait"`)})
		})
	}
	running := func(of string, n int) {
		t.Helper()
		for range 500 {
			if w.limits.Running(of) == n {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%d calls run of %s, not %d", w.limits.Running(of), of, n)
	}
	for range places {
		hang("marketing")
	}
	running(string(marketing), places)
	hello := openAIBody("qwen-turbo", "")
	for range 10 {
		got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: hello})
		if got.status != 429 || !strings.Contains(got.body, "This API key has 20 calls running") || got.header.Get("Retry-After") != "1" || got.header.Get("X-Bailiwick-Refused") != "key-concurrency" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if got := w.call(ask{path: generation, key: "marketing", ws: marketing, body: nativeBody("qwen-turbo", "")}); !strings.Contains(got.body, `"code":"Throttling"`) {
			t.Fatal(got.body)
		}
	}
	if got := w.call(ask{path: chat, key: "second", ws: marketing, body: hello}); got.status != 200 {
		t.Errorf("another key: %d %s", got.status, got.body)
	}
	for range 5 {
		hang("second")
	}
	running(string(marketing), places+5)
	if got := w.call(ask{path: chat, key: "second", ws: marketing, body: hello}); got.status != 429 || !strings.Contains(got.body, "This workspace has 25 calls running") {
		t.Errorf("the workspace is full: %d %s", got.status, got.body)
	}
	if got := w.call(ask{path: chat, key: "root", body: hello}); got.status != 200 {
		t.Errorf("another workspace: %d %s", got.status, got.body)
	}
	close(release)
	wait.Wait()
	running(string(marketing), 0)
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: hello}); got.status != 200 {
		t.Errorf("after they ended: %d %s", got.status, got.body)
	}
}

// P11: what is too much is turned away at once, and those who are in are served.
func TestP11_OverloadIsShedAtOnceWithARetryAfter(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(w *world) { w.config.Bounds = gateway.Bounds{Calls: 30} })
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		a := mockserver.Default(r)
		a.Hold = release
		return a
	})
	served := make(chan int, 30)
	a := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}
	for range 30 {
		go func() { served <- w.call(a).status }()
	}
	for w.mock.Calls() < 30 {
		time.Sleep(time.Millisecond)
	}
	for _, path := range []string{chat, generation} {
		began := time.Now()
		a.path = path
		got := w.call(a)
		if took := time.Since(began); got.status != 503 || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, "ModelServingError") || took > 50*time.Millisecond {
			t.Errorf("%s: %d %s in %v", path, got.status, got.body, took)
		}
	}
	close(release)
	for range 30 {
		if status := <-served; status != 200 {
			t.Errorf("one that was in got %d", status)
		}
	}
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestThereIsRoomForSoManyBytesOfBodies(t *testing.T) {
	w := newWorld(t, func(w *world) { w.config.Bounds = gateway.Bounds{Bodies: 4096} })
	large := openAIBody("qwen-turbo", `,"user":"`+strings.Repeat("x", 5000)+`"`)
	for _, chunked := range []bool{false, true} {
		got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: large, chunked: chunked})
		if got.status != 503 || got.header.Get("Retry-After") != "1" {
			t.Errorf("chunked %v: %d %s", chunked, got.status, got.body)
		}
		if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}); got.status != 200 {
			t.Errorf("chunked %v: afterwards %d %s", chunked, got.status, got.body)
		}
	}
}
