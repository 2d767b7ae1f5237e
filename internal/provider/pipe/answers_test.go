package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/provider/pipe"
)

// script is a connection whose other side says what was written down, whatever
// it is asked, and ends.
type script struct {
	net.Conn
	from  *bytes.Reader
	asked chan struct{}
}

func newScript(text []byte) *script {
	return &script{from: bytes.NewReader(text), asked: make(chan struct{}, 1)}
}

func (s *script) Write(b []byte) (int, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (s *script) Read(b []byte) (int, error) {
	if s.asked != nil {
		<-s.asked
		s.asked = nil
	}
	return s.from.Read(b)
}
func (s *script) Close() error                     { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// said is an answer as who asked sees it.
type said struct {
	Status int
	Header http.Header
	Length int64
	Body   string
	Whole  bool
}

func read(resp *http.Response, err error) (said, bool) {
	if err != nil {
		return said{}, false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return said{resp.StatusCode, resp.Header, resp.ContentLength, string(text), err == nil}, true
}

// both lets the pool and net/http's transport read the same answer.
func both(text []byte) (ours, theirs said, we, they bool, again bool) {
	p := &pipe.Pool{Patience: time.Minute, Idle: time.Minute, MostIdle: 1, MostHead: 4 << 10}
	dialled := 0
	p.Dial = func(context.Context, string, string) (net.Conn, error) {
		if dialled++; dialled > 1 {
			return nil, errors.New("no more")
		}
		return newScript(text), nil
	}
	head := []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
	ours, we = read(p.Ask(context.Background(), head, []byte{}))
	p.Ask(context.Background(), head, []byte{})
	again = dialled == 1
	tr := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 4 << 10, DialContext: func(context.Context, string, string) (net.Conn, error) { return newScript(text), nil }}
	r, _ := http.NewRequest(http.MethodPost, "http://h/", nil)
	theirs, they = read(tr.RoundTrip(r))
	tr.CloseIdleConnections()
	return ours, theirs, we, they, again
}

var answers = []struct {
	name, text string
	fails      bool
	body       string
	again      bool // the connection can be asked again
}{
	{name: "with its length", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "with no reason", text: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "in chunks", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n", body: "abc", again: true},
	{name: "in chunks, with trailers", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n1\r\na\r\n0\r\nX-A: b\r\n\r\n", body: "a", again: true},
	{name: "after it said that there will be one", text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "with nothing", text: "HTTP/1.1 204 No Content\r\n\r\n", again: true},
	{name: "with nothing new", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", again: true},
	{name: "of no length", text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", again: true},
	{name: "until the end", text: "HTTP/1.1 200 OK\r\n\r\nall of it", body: "all of it"},
	{name: "that says it is the last", text: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "of the older protocol", text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "of the older protocol, kept", text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "with more behind it", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake", body: "ok"},
	{name: "with its length twice", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "with two lengths", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", fails: true},
	{name: "with a length that is none", text: "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", fails: true},
	{name: "with length and chunks", text: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", body: "a", again: true},
	{name: "in an encoding nobody knows", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n1\r\na\r\n0\r\n\r\n", fails: true},
	{name: "with a line that goes on", text: "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok", body: "ok", again: true},
	{name: "that is no answer", text: "SSH-2.0-OpenSSH\r\n\r\n", fails: true},
	{name: "of another kind", text: "HTTP/2 200 OK\r\n\r\n", fails: true},
	{name: "that is nothing", text: "", fails: true},
	{name: "cut in its head", text: "HTTP/1.1 200 OK\r\nContent-Le", fails: true},
	{name: "whose head has no end", text: "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("x", 8<<10), fails: true},
	{name: "that is announced for ever", text: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000), fails: true},
}

func TestAnAnswerIsReadAsNetHTTPReadsIt(t *testing.T) {
	for _, a := range answers {
		ours, theirs, we, they, again := both([]byte(a.text))
		if we == a.fails || again != a.again || we && (ours.Body != a.body || !ours.Whole) {
			t.Errorf("an answer %s: %+v, answered %v, again %v", a.name, ours, we, again)
		}
		if we != they || !reflect.DeepEqual(ours, theirs) {
			t.Errorf("an answer %s: %+v (%v), and net/http %+v (%v)", a.name, ours, we, theirs, they)
		}
	}
	for cut, name := range map[string]string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf": "its body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf": "a chunk",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n": "its chunks"} {
		ours, theirs, _, _, again := both([]byte(cut))
		if ours.Whole || again || ours.Body != "half" || !reflect.DeepEqual(ours, theirs) {
			t.Errorf("cut in %s: %+v, again %v, and net/http %+v", name, ours, again, theirs)
		}
	}
	if _, _, we, _, _ := both([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")); we {
		t.Error("another protocol was taken for an answer")
	}
}

func FuzzAnswers(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 3<<10 {
			return // the bounds of heads are counted differently
		}
		ours, theirs, we, they, _ := both(text)
		if theirs.Status == http.StatusSwitchingProtocols || ours.Status == 0 && !we && bytes.Contains(text, []byte(" 101")) {
			return
		}
		if we != they || !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%q: %+v (%v), and net/http %+v (%v)", text, ours, we, theirs, they)
		}
	})
}
