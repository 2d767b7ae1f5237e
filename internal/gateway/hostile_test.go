package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
)

// raw is a provider that answers every request with the same bytes, whatever
// they are, and then hangs up.
func raw(t *testing.T, answer string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(c, answer)
				}
			}()
		}
	}()
	return l
}

// facing makes a world whose one provider is at the address, and counts failures.
func facing(t *testing.T, base string, hosts ...string) *world {
	return newWorld(t, func(w *world) {
		w.config.Health = &provider.Board{Now: time.Now}
		w.config.Bounds = gateway.Bounds{Silence: 3 * time.Second}
		w.facts.Providers[0].BaseURL = base
		w.config.Open = func(p provider.Provider) (provider.Server, error) {
			g, err := guard.New(hosts)
			if err != nil {
				return nil, err
			}
			return openai.Kind(g.DialContext)(provider.Target{BaseURL: p.BaseURL, Credential: secret.NewText(credential)})
		}
	})
}

// dropped makes five calls and sees that each is refused as the provider's
// failure, that nothing of its answer is passed on, and that it rests after them.
func (w *world) dropped(t *testing.T, what, rest string) {
	t.Helper()
	for i := range 5 {
		got := w.turbo(t, rest)
		if got.status < 500 || got.header.Get("X-Evil") != "" || strings.Contains(got.body, "cuckoo") || len(got.header) > 14 {
			t.Fatalf("%s: call %d was answered %d %v %.300s", what, i, got.status, got.header, got.body)
		}
		if r := w.books.number(t, i+1); r.Code == "" || r.Status < 500 {
			t.Errorf("%s: booked %+v", what, r)
		}
	}
	got := w.turbo(t, rest)
	if h := w.config.Health.Health(upstream); got.status != 503 || got.header.Get("Retry-After") == "" || h.Failed != 5 {
		t.Errorf("%s: after five failures %d %v, %+v", what, got.status, got.header, h)
	}
}

func TestSec31_AnAnswerThatBreaksTheProtocolIsDroppedAndCounted(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	body := mockserver.Chat{Words: []string{"cuckoo"}}.Whole("qwen-turbo")
	sized := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	many := func(n, size int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "X-Evil-%d: %s\r\n", i, strings.Repeat("x", size))
		}
		return b.String()
	}
	for what, answer := range map[string]string{
		"a carriage return in a header":      ok + "X-Evil: a\rSet-Cookie: cuckoo\r\n" + sized,
		"a null in a header":                 ok + "X-Evil: a\x00b\r\n" + sized,
		"a header without a colon":           ok + "X-Evil\r\n" + sized,
		"a header that goes on":              "HTTP/1.1 200 OK\r\n X-Evil: cuckoo\r\nContent-Type: application/json\r\n" + sized,
		"thousands of headers":               ok + many(4000, 40) + sized,
		"a header of a megabyte":             ok + many(1, 1<<20) + sized,
		"informational answers without end":  strings.Repeat("HTTP/1.1 103 Early Hints\r\nX-Evil: cuckoo\r\n\r\n", 100_000),
		"more length than there is":          ok + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)+7, body),
		"less length than there is":          ok + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)-7, body),
		"two lengths":                        ok + "Content-Length: 5\r\n" + sized,
		"a negative length":                  ok + "Content-Length: -1\r\n\r\n" + body,
		"a length that overflows":            ok + "Content-Length: 18446744073709551617\r\n\r\n" + body,
		"chunks of a length that overflows":  ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + body,
		"chunks of a length that is none":    ok + "Transfer-Encoding: chunked\r\n\r\ncuckoo\r\n" + body,
		"chunks that end in the middle":      ok + "Transfer-Encoding: chunked\r\n\r\nff\r\ncuckoo",
		"an encoding nobody asked for":       ok + "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"a status that is none":              "HTTP/1.1 cuckoo\r\n\r\n",
		"a protocol that is none":            "SSH-2.0-OpenSSH_9.9\r\n",
		"another protocol than was spoken":   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
		"frames of HTTP/2, reset one by one": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 10_000),
		"a page in place of JSON":            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>cuckoo</html>",
		"nothing":                            "",
	} {
		l := raw(t, answer)
		facing(t, "http://"+l.Addr().String()+"/v1", l.Addr().String()).dropped(t, what, "")
		facing(t, "http://"+l.Addr().String()+"/v1", l.Addr().String()).dropped(t, what+", asked for a stream", `,"stream":true`)
	}
}

func TestSec31_AThousandHeadersAreNeitherKeptNorPassedOn(t *testing.T) {
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "X-Evil-%d: x\r\n", i)
	}
	body := mockserver.Chat{Words: []string{"fine"}}.Whole("qwen-turbo")
	l := raw(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", many.String(), len(body), body))
	got := facing(t, "http://"+l.Addr().String()+"/v1", l.Addr().String()).turbo(t, "")
	for name := range got.header {
		if strings.HasPrefix(name, "X-Evil") {
			t.Fatalf("%d, with %s", got.status, name)
		}
	}
}

// A provider that is asked over TLS is never spoken to in clear, under an old
// version, or with a certificate that nobody vouches for.
func TestSec31_TLSIsNeverGivenUp(t *testing.T) {
	clear := raw(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	facing(t, "https://"+clear.Addr().String()+"/v1", clear.Addr().String()).dropped(t, "an answer in clear", "")
	for what, config := range map[string]*tls.Config{
		"an old version":        {MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
		"a strange certificate": {},
	} {
		asked := false
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = true }))
		s.TLS = config
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		t.Cleanup(s.Close)
		host := s.Listener.Addr().String()
		facing(t, "https://"+host+"/v1", host).dropped(t, what, "")
		if asked {
			t.Errorf("%s: the request was sent", what)
		}
	}
}

// Check 39: of fifty calls at once one takes the last place of a limit.
func TestSec39_TheLastPlaceOfALimitIsTakenOnce(t *testing.T) {
	w, _ := limitedWorld(t, limit.Limit{Requests: rate(10, 3600)}, catalogue.Limit{}, nil)
	for range 9 {
		w.turbo(t, "")
	}
	passed := make(chan int, 50)
	for range 50 {
		go func() { passed <- w.turbo(t, "").status }()
	}
	counts := map[int]int{}
	for range 50 {
		counts[<-passed]++
	}
	if counts[200] != 1 || counts[429] != 49 || w.mock.Calls() != 10 {
		t.Errorf("answered %v, and %d reached the provider", counts, w.mock.Calls())
	}
}
