package openai_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
)

const key = "sk-canary-77"

func open(t *testing.T, base string, allow ...string) *openai.Server {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openai.Open(provider.Target{BaseURL: base, Credential: secret.NewText(key)}, g.DialContext)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func mock(t *testing.T) *mockserver.Server {
	t.Helper()
	m, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestSec26_EveryErrorIsScrubbedAndNoneIsFollowed(t *testing.T) {
	m := mock(t)
	for _, status := range []int{301, 302, 303, 307, 308, 400, 500} {
		calls := m.Calls()
		m.Always(mockserver.Reply{Status: status, Header: http.Header{"Location": {m.URL + "/elsewhere"}}, Body: []byte("see " + m.URL + "?key=" + key + " at " + m.Addr)})
		a, err := open(t, m.URL, m.Addr).Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(a.Body)
		if a.Status != status || m.Calls() != calls+1 || string(text) != "see [redacted]?key=[redacted] at [redacted]" {
			t.Errorf("%d: %d calls, %s", status, m.Calls()-calls, text)
		}
	}
}

func TestWhyThereIsNoAnswerIsTold(t *testing.T) {
	m := mock(t)
	call := func(s *openai.Server) error {
		_, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte("{}")})
		return err
	}
	if err := call(open(t, m.URL)); !errors.Is(err, provider.ErrUnreached) || !strings.Contains(fault.Show(err), "--allow-private "+m.Addr) {
		t.Errorf("not allowed: %v", err)
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	addr := dead.Addr().String()
	if err := call(open(t, "http://"+addr+"/v1", addr)); !errors.Is(err, provider.ErrUnreached) || !strings.Contains(fault.Show(err), "Nothing accepts connections") {
		t.Errorf("nobody there: %v", err)
	}
	m.Always(mockserver.Reply{Silent: true})
	if err := call(open(t, m.URL, m.Addr)); !fault.Is(err, fault.Unavailable) || errors.Is(err, provider.ErrUnreached) {
		t.Errorf("broke off: %v", err)
	}
	if m.Calls() != 1 {
		t.Errorf("a call that may have been begun was repeated: %d calls", m.Calls())
	}
	if _, err := openai.Open(provider.Target{BaseURL: "gopher://x"}, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an odd address: %v", err)
	}
}
