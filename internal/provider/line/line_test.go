package line

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// received is a request as the provider sees it.
type received struct {
	Method, URI, Host, Body string
	Length                  int64
	Header                  http.Header
}

func newProvider(t *testing.T) (*httptest.Server, func() received) {
	t.Helper()
	var last atomic.Pointer[received]
	last.Store(&received{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last.Store(&received{r.Method, r.RequestURI, r.Host, string(body), r.ContentLength, r.Header})
		io.WriteString(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s, func() received { return *last.Load() }
}

func open(t *testing.T, base, credential string) *Line {
	t.Helper()
	l, err := Open(provider.Target{BaseURL: base, Credential: secret.NewText(credential)}, new(net.Dialer).DialContext)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.CloseIdleConnections)
	return l
}

func TestARequestIsTheSameThroughPipeAndTransport(t *testing.T) {
	s, last := newProvider(t)
	for _, base := range []string{"", "/v1", "/a%20b/ü/v1"} {
		for _, q := range []Request{
			{Method: "POST", Path: "chat/completions", Body: []byte(`{"a":1}`), Call: "id-1"},
			{Method: "POST", Path: "chat/completions", Body: []byte(strings.Repeat("long ", 1<<16)), Stream: true, Call: "id-2", Header: http.Header{"X-Dashscope-Sse": {"enable"}}},
			{Method: "GET", Path: "models", Query: url.Values{"page_no": {"1"}, "q": {"a b&c"}}},
			{Method: "GET", Path: "models/a b?c#d"},
		} {
			var got [2]received
			for i := range got {
				l := open(t, s.URL+base, "the credential")
				if l.pipe == nil {
					t.Fatal("there is no pipe")
				}
				if i == 1 {
					l.pipe = nil
				}
				resp, err := l.Send(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				got[i] = last()
			}
			if !reflect.DeepEqual(got[0], got[1]) || got[0].Header.Get("Authorization") != "Bearer the credential" {
				t.Errorf("%s %s: %+v, and the transport %+v", base, q.Path, got[0], got[1])
			}
		}
	}
}

func TestNothingEndsAHeaderEarly(t *testing.T) {
	s, last := newProvider(t)
	for _, bad := range []string{"a\r\nX-Evil: 1", "a\n", "a\x00", "a\x7f"} {
		l := open(t, s.URL, bad)
		if _, err := l.Send(t.Context(), Request{Method: "GET", Path: "models"}); err == nil || last().Method != "" {
			t.Errorf("%q was sent: %v, %+v", bad, err, last())
		}
		l = open(t, s.URL, "fine")
		if _, err := l.Send(t.Context(), Request{Method: "GET", Path: "models", Header: http.Header{"X-A": {bad}}}); err == nil || last().Method != "" {
			t.Errorf("%q was sent: %v, %+v", bad, err, last())
		}
	}
}

func TestWhatIsEncryptedOrOddlyNamedGoesThroughTheTransport(t *testing.T) {
	for base, piped := range map[string]bool{"http://gpu-1:8000/v1": true, "http://gpu-1": true, "http://[::1]/v1": true, "https://gpu-1:8000/v1": false, "http://gpü:8000/v1": false} {
		if l := open(t, base, ""); (l.pipe != nil) != piped {
			t.Errorf("%s: %v", base, l.pipe)
		}
	}
	for base, address := range map[string]string{"http://gpu-1": "gpu-1:80", "http://[::1]": "[::1]:80", "http://gpu-1:8000": "gpu-1:8000"} {
		if got := open(t, base, "").pipe.Address; got != address {
			t.Errorf("%s: %s", base, got)
		}
	}
}

func TestWhyThereWasNoAnswerIsToldApart(t *testing.T) {
	s, _ := newProvider(t)
	l := open(t, s.URL, "")
	s.Close()
	if _, err := l.Send(t.Context(), Request{Method: "GET", Path: "models"}); !errors.Is(err, provider.ErrUnreached) {
		t.Errorf("nobody listens: %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	l = open(t, "http://"+silent.Addr().String(), "")
	l.pipe.Patience = -l.pipe.Patience
	if _, err := l.Send(t.Context(), Request{Method: "GET", Path: "models"}); !errors.Is(err, provider.ErrSlow) {
		t.Errorf("nobody answers: %v", err)
	}
	l = open(t, "http://"+silent.Addr().String(), "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Send(ctx, Request{Method: "GET", Path: "models"}); !errors.Is(err, context.Canceled) || errors.Is(err, provider.ErrUnreached) {
		t.Errorf("nobody asks any more: %v", err)
	}
}
