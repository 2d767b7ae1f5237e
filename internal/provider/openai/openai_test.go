package openai_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
)

const credential = "sk-upstream-canary"

func opened(t *testing.T) (provider.Server, *mockserver.Server) {
	t.Helper()
	mock, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.Close)
	g, err := guard.New([]string{mock.Addr})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openai.Kind(g.DialContext)(provider.Target{BaseURL: mock.URL, Credential: secret.NewText(credential)})
	if err != nil {
		t.Fatal(err)
	}
	return s, mock
}

func TestSec19_OnlyWhatAProviderNeedsIsSentToIt(t *testing.T) {
	s, mock := opened(t)
	a, err := s.Call(context.Background(), provider.Request{Path: "chat/completions", Body: []byte(`{"model":"m","messages":[]}`), Call: "call-1"})
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	got := mock.Last()
	if got.Path != "/v1/chat/completions" || got.Header.Get("Authorization") != "Bearer "+credential {
		t.Errorf("%s with %v", got.Path, got.Header)
	}
	for name := range got.Header {
		if !slices.Contains([]string{"Authorization", "Content-Type", "Content-Length", "Accept", "User-Agent", "X-Request-Id", "Accept-Encoding"}, name) {
			t.Errorf("the provider is sent %s: %v", name, got.Header[name])
		}
	}
}

func TestSec23_Anchor_SsrfRedirect_ARedirectIsNotFollowed(t *testing.T) {
	s, mock := opened(t)
	other, err := mockserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		mock.Always(mockserver.Reply{Status: status, Header: http.Header{"Location": {other.URL + "/chat/completions"}}})
		a, err := s.Call(context.Background(), provider.Request{Path: "chat/completions", Body: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.Status != status {
			t.Errorf("%d became %d", status, a.Status)
		}
		if _, err := s.Models(context.Background()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a list of models behind a redirect: %v", err)
		}
	}
	if other.Calls() != 0 {
		t.Errorf("the other host was called %d times", other.Calls())
	}
}

func TestSec26_AProvidersErrorShowsNeitherItsAddressNorOurCredential(t *testing.T) {
	s, mock := opened(t)
	mock.Always(mockserver.JSON(500, `{"error":{"message":"cannot reach `+mock.URL+`?key=`+credential+`"}}`))
	a, err := s.Call(context.Background(), provider.Request{Path: "chat/completions", Body: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(a.Body)
	if strings.Contains(string(text), credential) || strings.Contains(string(text), mock.Addr) {
		t.Errorf("it shows %s", text)
	}
}

func TestModelsAreListedAndFailuresSayWhatToDo(t *testing.T) {
	s, mock := opened(t)
	mock.Always(mockserver.Models("a", "b/c"))
	if names, err := s.Models(context.Background()); err != nil || !slices.Equal(names, []string{"a", "b/c"}) {
		t.Errorf("%v, %v", names, err)
	}
	for status, says := range map[int]string{401: "credential", 404: "/v1", 500: "500"} {
		mock.Always(mockserver.JSON(status, `{}`))
		if _, err := s.Models(context.Background()); !strings.Contains(fault.Show(err), says) {
			t.Errorf("%d: %v", status, err)
		}
	}
	mock.Always(mockserver.JSON(200, `<html>`))
	if _, err := s.Models(context.Background()); !strings.Contains(fault.Show(err), "list of models") {
		t.Errorf("a page instead of a list: %v", err)
	}
	s, gone := opened(t)
	gone.Close()
	if _, err := s.Call(context.Background(), provider.Request{Path: "chat/completions", Body: []byte(`{}`)}); !errors.Is(err, provider.ErrUnreached) {
		t.Errorf("nobody there: %v", err)
	}
}
