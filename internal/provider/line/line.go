// Package line is the connection to a provider that speaks HTTP: its pool, our
// credential, what is sent and what is not, and words for what goes wrong.
package line

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/pipe"
	"bailiwick/internal/secret"
)

// Patience is how long a provider may take to begin an answer.
const Patience = 300 * time.Second

// What is kept of connections, and read before an answer begins.
const (
	idle     = 90 * time.Second
	mostIdle = 1024
	mostHead = 64 << 10 // bytes
)

// Dial makes connections; guard.Guard has it.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Line is a connection to one provider, used by many calls at once.
type Line struct {
	base       *url.URL
	credential secret.Text
	headers    http.Header // of every request, read only
	transport  *http.Transport
	pipe       *pipe.Pool // in place of the transport where nothing is encrypted; nil: the transport
}

// Open makes the line to one provider, with a pool of connections of its own.
// A base URL that cannot be used is a fault of kind Unavailable.
func Open(t provider.Target, dial Dial) (*Line, error) {
	base, err := provider.CanonicalURL(t.BaseURL)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The address of this provider cannot be used.").Because(err)
	}
	l := &Line{base: base, credential: t.Credential, headers: http.Header{"User-Agent": {"bailiwick"}}}
	if !t.Credential.Empty() {
		l.headers["Authorization"] = []string{"Bearer " + t.Credential.Reveal()}
	}
	l.transport = &http.Transport{
		Proxy:                  nil, // one named by the environment would go round the guard
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  Patience,
		MaxResponseHeaderBytes: mostHead,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    mostIdle,
		IdleConnTimeout:        idle,
		ForceAttemptHTTP2:      true,
	}
	if base.Scheme == "http" && plainASCII(base.Host) {
		l.pipe = &pipe.Pool{Dial: pipe.Dial(dial), Address: addressOf(base), Patience: Patience, Idle: idle, MostIdle: mostIdle, MostHead: mostHead}
	}
	return l, nil
}

// CloseIdleConnections gives up the connections that no call uses.
func (l *Line) CloseIdleConnections() {
	l.transport.CloseIdleConnections()
	if l.pipe != nil {
		l.pipe.CloseIdleConnections()
	}
}

// Request is one request on a line.
type Request struct {
	Method string
	Path   string      // below the base URL
	Query  url.Values  // nil: none
	Header http.Header // beside our own; read only
	Body   []byte      // JSON; nil: none
	File   *File       // instead of Body; nil: none
	Stream bool        // the answer is server-sent events
	Call   ident.Call  // empty: none
}

// Send sends a request and returns the answer as it begins. Redirects are not
// followed. The text of an error has our credential and the provider's address
// taken out. No answer is a fault of kind Unavailable.
func (l *Line) Send(ctx context.Context, q Request) (*http.Response, error) {
	resp, err := l.ask(ctx, q)
	if err != nil {
		return nil, explain(err)
	}
	if resp.StatusCode >= 300 {
		l.scrub(resp)
	}
	return resp, nil
}

// explain words why there was no answer. The cause never holds a header.
func explain(err error) error {
	var dial *net.OpError
	var slow net.Error
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return fault.New(fault.Unavailable, "The provider cannot be reached. %s", reason(err)).Because(fmt.Errorf("%w: %w", provider.ErrUnreached, err))
	case errors.As(err, &slow) && slow.Timeout():
		return fault.New(fault.Unavailable, "The provider did not answer in time.").Because(fmt.Errorf("%w: %w", provider.ErrSlow, err))
	}
	return fault.New(fault.Unavailable, "The provider broke off before it answered.").Because(err)
}

// mostError bounds the text of an error, in bytes.
const mostError = 64 << 10

// scrub takes our credential and the provider's address out of the text of an
// error: what the caller may see of it goes on from here.
func (l *Line) scrub(resp *http.Response) {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, mostError))
	resp.Body.Close()
	for _, private := range []string{l.credential.Reveal(), l.base.String(), l.base.Host} {
		if private != "" {
			text = bytes.ReplaceAll(text, []byte(private), []byte("[redacted]"))
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	resp.ContentLength = int64(len(text))
}

// Unusable words a status that a list of models should not have.
func Unusable(status int, ending string) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.New(fault.Unavailable, "The provider refused the credential (status %d).", status)
	case status == http.StatusNotFound:
		return fault.New(fault.Unavailable, "The provider has no list of models at this address (status 404). Does it end in %s?", ending)
	case status >= 300 && status < 400:
		return fault.New(fault.Unavailable, "The provider sends us to another address (status %d). Enter that address instead.", status)
	}
	return fault.New(fault.Unavailable, "The provider answered with status %d.", status)
}

// reason says in words why a connection could not be made.
func reason(err error) string {
	var refused *guard.Refused
	var name *net.DNSError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &name):
		return "Its name cannot be resolved."
	}
	return "Nothing accepts connections at its address."
}
