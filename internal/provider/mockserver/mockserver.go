// Package mockserver is a model server for tests and measurements. It speaks the
// OpenAI protocol, answers what it is told to, keeps what it was sent, and can
// die at any byte.
package mockserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Reply is what the server answers, literally.
type Reply struct {
	Status  int // 0: 200
	Header  http.Header
	Body    []byte
	Pieces  [][]byte      // instead of Body: written and flushed one by one
	Pause   time.Duration // before each piece but the first
	Hold    chan struct{} // closed before the answer begins, if not nil
	Dies    bool          // the connection breaks after CutAt bytes of the body
	CutAt   int
	Silent  bool // the connection breaks before the answer begins
	Unsized bool // no Content-Length
}

// Received is one request as the server got it.
type Received struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
}

// Server is a running model server.
type Server struct {
	Addr  string // host:port
	URL   string // its base URL, such as http://127.0.0.1:4711/v1
	calls atomic.Int64
	http  *http.Server

	mu       sync.Mutex
	answer   func(Received) Reply
	received []Received
	forgets  bool
}

// Start runs a server on a free port of this machine. It answers as Default
// does until told otherwise.
func Start() (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: ln.Addr().String(), answer: Default}
	s.URL = "http://" + s.Addr + "/v1"
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go s.http.Serve(ln)
	return s, nil
}

// Close stops the server and breaks its connections.
func (s *Server) Close() { s.http.Close() }

// Answer makes the server answer every request with what f says.
func (s *Server) Answer(f func(Received) Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Always makes the server answer every request with r.
func (s *Server) Always(r Reply) { s.Answer(func(Received) Reply { return r }) }

// Forget makes the server keep no more requests, for measurements.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgets = true
}

// Calls counts the requests so far.
func (s *Server) Calls() int { return int(s.calls.Load()) }

// Last gives the latest request it keeps; none were kept: the zero one.
func (s *Server) Last() Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.received) == 0 {
		return Received{}
	}
	return s.received[len(s.received)-1]
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.calls.Add(1)
	got := Received{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body}
	s.mu.Lock()
	answer := s.answer
	if !s.forgets {
		s.received = append(s.received, got)
	}
	s.mu.Unlock()
	answer(got).write(w, r)
}

func (a Reply) write(w http.ResponseWriter, r *http.Request) {
	if a.Hold != nil {
		select {
		case <-a.Hold:
		case <-r.Context().Done():
			return
		}
	}
	if a.Silent {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if a.Pieces == nil && !a.Unsized && !a.Dies {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	}
	w.WriteHeader(max(a.Status, 200))
	pieces := a.Pieces
	if pieces == nil {
		pieces = [][]byte{a.Body}
	}
	left := a.CutAt
	for i, p := range pieces {
		if i > 0 && a.Pause > 0 {
			time.Sleep(a.Pause)
		}
		if a.Dies && len(p) > left {
			w.Write(p[:left])
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		left -= len(p)
		if _, err := w.Write(p); err != nil {
			return
		}
		if a.Pieces != nil {
			http.NewResponseController(w).Flush()
		}
	}
	if a.Dies {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// JSON is a whole answer.
func JSON(status int, body string) Reply {
	return Reply{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// Events is a stream in pieces as given.
func Events(pieces ...string) Reply {
	r := Reply{Header: http.Header{"Content-Type": {"text/event-stream"}}, Pieces: [][]byte{}}
	for _, p := range pieces {
		r.Pieces = append(r.Pieces, []byte(p))
	}
	return r
}

// Models is a list of models.
func Models(names ...string) Reply {
	list := ""
	for i, n := range names {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(`{"id":%q,"object":"model","created":0,"owned_by":"mock"}`, n)
	}
	return JSON(http.StatusOK, `{"object":"list","data":[`+list+`]}`)
}
