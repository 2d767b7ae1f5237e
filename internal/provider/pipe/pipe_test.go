package pipe_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/provider/pipe"
)

// host is a server that does with each connection what a test says.
type host struct {
	net.Listener
	dialled atomic.Int64
}

func newHost(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) *host {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			}()
		}
	}()
	return &host{Listener: ln}
}

// pool is one that asks the host; each change alters it first.
func (h *host) pool(change ...func(*pipe.Pool)) *pipe.Pool {
	p := &pipe.Pool{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			h.dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		Address: h.Addr().String(), Patience: 10 * time.Second, Idle: time.Minute, MostIdle: 100, MostHead: 64 << 10,
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// take reads one request and gives its body.
func take(r *bufio.Reader) (string, error) {
	q, err := http.ReadRequest(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(q.Body)
	return string(body), err
}

// echo answers every request with its body, until the connection ends.
func echo(c net.Conn, r *bufio.Reader) {
	for {
		body, err := take(r)
		if err != nil {
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

func ask(ctx context.Context, p *pipe.Pool, body string) (string, error) {
	head := "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	resp, err := p.Ask(ctx, []byte(head), []byte(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func TestConnectionsServeOneQuestionAfterTheOther(t *testing.T) {
	h := newHost(t, echo)
	p := h.pool()
	for i := range 100 {
		if got, err := ask(t.Context(), p, fmt.Sprint("question ", i)); err != nil || got != fmt.Sprint("question ", i) {
			t.Fatalf("%d: %q %v", i, got, err)
		}
	}
	if n := h.dialled.Load(); n != 1 {
		t.Errorf("%d connections for questions one after the other", n)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				body := strings.Repeat(fmt.Sprintf("%d-%d,", i, n), 1+n*n) // up to a few hundred kilobytes
				if got, err := ask(t.Context(), p, body); err != nil || got != body {
					t.Errorf("%d of %d: %d bytes of %d, %v", n, i, len(got), len(body), err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := h.dialled.Load(); n > 8 {
		t.Errorf("%d connections for eight who ask", n)
	}
}

func TestAKeptConnectionThatTheHostClosedIsNotAsked(t *testing.T) {
	closed := make(chan bool, 1)
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		if body, err := take(r); err == nil {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
		c.Close()
		closed <- true
	})
	p := h.pool()
	for range 50 {
		if _, err := ask(t.Context(), p, "hello"); err != nil {
			t.Fatal(err)
		}
		<-closed
		time.Sleep(2 * time.Millisecond) // until this side knows of it
	}
}

func TestWhatTheHostTookIsNeverSentTwice(t *testing.T) {
	var taken atomic.Int64
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		for i := 0; ; i++ {
			if _, err := take(r); err != nil {
				return
			}
			if taken.Add(1); i == 1 {
				return // without an answer, on a connection that served before
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	p := h.pool()
	if _, err := ask(t.Context(), p, "first"); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t.Context(), p, "second"); err == nil {
		t.Error("an answer out of nowhere")
	}
	if n := taken.Load(); n != 2 {
		t.Errorf("two questions were taken %d times", n)
	}
	if _, err := ask(t.Context(), p, "third"); err != nil {
		t.Fatal(err)
	}
	taken.Store(0)
	if resp, err := p.Ask(t.Context(), []byte("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"), nil); err != nil || resp.StatusCode != 200 || taken.Load() != 2 {
		t.Errorf("what changes nothing was asked %d times: %v", taken.Load(), err)
	}
}

func TestWhoDoesNotWantTheAnswerWaitsNoLonger(t *testing.T) {
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		if body, _ := take(r); body == "begin" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		}
		io.Copy(io.Discard, r) // until the other side ends
	})
	p := h.pool()
	for _, body := range []string{"nothing", "begin", strings.Repeat("long ", 1<<20)} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		_, err := ask(ctx, p, body)
		if !errors.Is(err, context.Canceled) || time.Since(began) > 5*time.Second {
			t.Errorf("%.10s: %v after %s", body, err, time.Since(began))
		}
		if _, err := ask(ctx, p, body); !errors.Is(err, context.Canceled) {
			t.Errorf("asked although nobody wants it: %v", err)
		}
	}
}

func TestALateEndHitsNobodyElse(t *testing.T) {
	h := newHost(t, echo)
	p := h.pool()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 500 {
				ctx, cancel := context.WithCancel(context.Background())
				go cancel() // before, within or after the question
				ask(ctx, p, "ended")
				body := fmt.Sprint("wanted ", i)
				if got, err := ask(context.Background(), p, body); err != nil || got != body {
					t.Errorf("%q %v", got, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestPatienceIsForTheBeginningAlone(t *testing.T) {
	patient := func(p *pipe.Pool) { p.Patience = -900 * time.Millisecond } // and a second
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		if body, _ := take(r); body == "slow" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for range 6 {
				time.Sleep(60 * time.Millisecond)
				io.WriteString(c, "1\r\nx\r\n")
			}
			io.WriteString(c, "0\r\n\r\n")
		}
		io.Copy(io.Discard, r)
	})
	if got, err := ask(t.Context(), h.pool(patient), "slow"); got != "xxxxxx" || err != nil {
		t.Errorf("a slow answer: %q %v", got, err)
	}
	var slow net.Error
	if _, err := ask(t.Context(), h.pool(patient), "never"); !errors.As(err, &slow) || !slow.Timeout() {
		t.Errorf("no answer: %v", err)
	}
}

func TestAHostMayAnswerBeforeItHasReadEverything(t *testing.T) {
	long := strings.Repeat("x", 20<<20)
	for name, serve := range map[string]func(c net.Conn, r *bufio.Reader){
		"and read no more": func(c net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			time.Sleep(2 * time.Second)
		},
		"and close": func(c net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			c.(*net.TCPConn).CloseWrite()
			time.Sleep(300 * time.Millisecond)
		},
		"and go on reading": func(c net.Conn, r *bufio.Reader) {
			q, _ := http.ReadRequest(r)
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			io.Copy(io.Discard, q.Body)
		},
	} {
		body := []byte(long)
		began := time.Now()
		resp, err := newHost(t, serve).pool().Ask(t.Context(), []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"), body)
		if err != nil || resp.StatusCode != 413 || time.Since(began) > 1500*time.Millisecond {
			t.Errorf("%s: %v %v after %s", name, resp, err, time.Since(began))
			continue
		}
		if text, err := io.ReadAll(resp.Body); string(text) != "no" || err != nil {
			t.Errorf("%s: %q %v", name, text, err)
		}
		resp.Body.Close()
		clear(body) // nobody reads it any more: the race detector would say
	}
}

func TestAHostThatReadsSlowlyGetsEverything(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 1<<20)
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		for {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			time.Sleep(250 * time.Millisecond)
			got, _ := io.ReadAll(q.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%v\n", bytes.Equal(got, body))
		}
	})
	p := h.pool()
	for range 2 {
		if got, err := ask(t.Context(), p, string(body)); got != "true\n" || err != nil {
			t.Errorf("%q %v", got, err)
		}
	}
	if n := h.dialled.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestUnusedConnectionsAreClosed(t *testing.T) {
	var open atomic.Int64
	h := newHost(t, func(c net.Conn, r *bufio.Reader) {
		open.Add(1)
		defer open.Add(-1)
		echo(c, r)
	})
	none := func(name string) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); open.Load() > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d are open", name, open.Load())
			}
		}
	}
	several := func(p *pipe.Pool) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { ask(t.Context(), p, strings.Repeat("x", 1<<16)) })
		}
		all.Wait()
	}
	several(h.pool(func(p *pipe.Pool) { p.Idle = 50 * time.Millisecond }))
	none("after a while")
	several(h.pool(func(p *pipe.Pool) { p.MostIdle = 0 }))
	none("when none are kept")
	p := h.pool()
	several(p)
	resp, err := p.Ask(t.Context(), []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"), []byte("hi"))
	if err != nil {
		t.Fatal(err)
	}
	p.CloseIdleConnections()
	if text, err := io.ReadAll(resp.Body); string(text) != "hi" || err != nil {
		t.Errorf("a question that was on its way: %q %v", text, err)
	}
	none("when they shall be closed")
}

func TestAConnectionThatCannotBeMadeIsTheDialsError(t *testing.T) {
	h := newHost(t, echo)
	p := h.pool()
	h.Close()
	var op *net.OpError
	if _, err := ask(t.Context(), p, "x"); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("%v", err)
	}
}
