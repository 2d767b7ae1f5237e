package openai

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"

	"bailiwick/internal/provider/guard"
)

// mostError bounds the text of an error, in bytes.
const mostError = 64 << 10

// scrub takes our credential and the provider's address out of the text of an
// error: what the caller may see of it goes on from here.
func (s *Server) scrub(resp *http.Response) {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, mostError))
	resp.Body.Close()
	for _, private := range []string{s.credential.Reveal(), s.base.String(), s.base.Host} {
		if private != "" {
			text = bytes.ReplaceAll(text, []byte(private), []byte("[redacted]"))
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	resp.ContentLength = int64(len(text))
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
