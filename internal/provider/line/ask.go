package line

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

var (
	asJSON   = []string{"application/json"}
	asEvents = []string{"text/event-stream"}
)

// ask sends a request in the way that the provider's address has.
func (l *Line) ask(ctx context.Context, q Request) (*http.Response, error) {
	if l.pipe != nil && q.File == nil && q.Method != http.MethodHead { // a pipe takes bodies in one piece, and expects one
		head := heads.Get().(*[]byte)
		defer heads.Put(head)
		var err error
		if *head, err = l.head((*head)[:0], q); err != nil {
			return nil, err
		}
		return l.pipe.Ask(ctx, *head, q.Body)
	}
	u := *l.base
	u.Path += "/" + q.Path
	u.RawQuery = q.Query.Encode()
	r := &http.Request{Method: q.Method, URL: &u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, 8)}
	for name, values := range l.headers {
		r.Header[name] = values
	}
	for name, values := range q.Header {
		r.Header[name] = values
	}
	if q.Body != nil {
		body := bytes.Clone(q.Body) // the transport may look at it when the answer is there already
		r.Header["Content-Type"] = asJSON
		r.ContentLength = int64(len(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if f := q.File; f != nil {
		body, err := f.Open()
		if err != nil {
			return nil, err
		}
		r.Header["Content-Type"] = []string{f.Type}
		r.ContentLength, r.Body, r.GetBody = f.Size, body, f.Open
	}
	if q.Stream {
		r.Header["Accept"] = asEvents
	}
	if q.Call != "" {
		r.Header["X-Request-Id"] = []string{string(q.Call)}
	}
	return l.transport.RoundTrip(r.WithContext(ctx))
}

var heads = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

var errHeader = errors.New("a header of the request holds what headers cannot")

// head writes the head of a request.
func (l *Line) head(b []byte, q Request) ([]byte, error) {
	b = append(append(b, q.Method...), ' ')
	b = append(b, (&url.URL{Path: l.base.Path + "/" + q.Path}).EscapedPath()...)
	if len(q.Query) > 0 {
		b = append(append(b, '?'), q.Query.Encode()...)
	}
	b = append(append(b, " HTTP/1.1\r\nHost: "...), l.base.Host...)
	b = append(b, "\r\n"...)
	for _, list := range [...]http.Header{l.headers, q.Header} {
		for name, values := range list {
			for _, v := range values {
				if strings.ContainsFunc(v, breaks) {
					return b, errHeader
				}
				b = field(b, name, v)
			}
		}
	}
	if q.Body != nil {
		b = field(b, "Content-Type", asJSON[0])
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(q.Body)), 10), "\r\n"...)
	}
	if q.Stream {
		b = field(b, "Accept", asEvents[0])
	}
	if q.Call != "" {
		b = field(b, "X-Request-Id", string(q.Call))
	}
	return append(b, "\r\n"...), nil
}

func field(b []byte, name, value string) []byte {
	return append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
}

// breaks reports whether a header cannot hold a character: it could end there.
func breaks(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// plainASCII reports whether a host is written as it is sent.
func plainASCII(host string) bool {
	return strings.IndexFunc(host, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '%' }) < 0
}

// addressOf is the host of an address with its port.
func addressOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
