package line

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// MostAnswer bounds an answer of Ask, in bytes.
const MostAnswer = 16 << 20

// Ask sends a request and reads the JSON it is answered with, unless into is nil.
// A status that is no success is a fault with a *Refusal as its cause: of kind
// Invalid for what the provider would never take, Missing for what it does not
// know, Conflict, Busy (which is provider.ErrRoom too), and Unavailable for all
// that may be mended.
func (l *Line) Ask(ctx context.Context, q Request, into any) error {
	resp, err := l.Send(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return Refused(resp)
	}
	if into == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, MostAnswer)) // so that the connection is used again
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, MostAnswer+1))
	if err != nil {
		return fault.New(fault.Unavailable, "The provider broke off within its answer.").Because(err)
	}
	if len(text) > MostAnswer || json.Unmarshal(text, into) != nil {
		return fault.New(fault.Unavailable, "The provider's answer is none of its protocol.")
	}
	return nil
}

// Refusal is how a provider said no.
type Refusal struct {
	Status  int
	Code    string // the provider's word; empty: it gave none
	Message string // the provider's sentence, cut and on one line
}

func (r *Refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("status %d %s %s", r.Status, r.Code, r.Message))
}

// Refused makes a fault of an answer that is no success. Its text was scrubbed.
func Refused(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, mostError))
	r := &Refusal{Status: resp.StatusCode}
	r.Code, r.Message = saying(text)
	says := r.Message
	if says == "" {
		says = fmt.Sprintf("It gives no reason (status %d).", r.Status)
	}
	switch s := r.Status; {
	case s == http.StatusUnauthorized:
		return fault.New(fault.Unavailable, "The provider refused the credential (status %d).", s).Because(r)
	case s == http.StatusForbidden:
		return fault.New(fault.Unavailable, "The provider does not allow this with our credential: %s", says).Because(r)
	case s == http.StatusNotFound || s == http.StatusGone || s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented:
		return fault.New(fault.Missing, "The provider does not know this: %s", says).Because(r)
	case s == http.StatusConflict:
		return fault.New(fault.Conflict, "The provider has it otherwise: %s", says).Because(r)
	case s == http.StatusTooManyRequests:
		return fault.New(fault.Busy, "The provider has no room for this now: %s", says).Because(fmt.Errorf("%w: %w", provider.ErrRoom, r))
	case s >= 400 && s < 500 && s != http.StatusRequestTimeout:
		return fault.New(fault.Invalid, "The provider refused: %s", says).Because(r)
	case s >= 300 && s < 400:
		return fault.New(fault.Unavailable, "The provider sends us to another address (status %d). Enter that address instead.", s).Because(r)
	}
	return fault.New(fault.Unavailable, "The provider answered with status %d: %s", r.Status, says).Because(r)
}

// saying finds code and sentence in the shapes in which providers refuse:
// {"error": {"code", "message"}}, {"code", "message"}, {"error": "…"},
// {"detail": "…"}, or plain text.
func saying(text []byte) (code, message string) {
	var a struct {
		Code, Message, Detail any
		Error                 json.RawMessage
	}
	if json.Unmarshal(text, &a) != nil {
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
			return "", "" // a page
		}
		return "", OneLine(string(text), 300)
	}
	var inner struct{ Code, Message, Type any }
	var plain string
	switch {
	case json.Unmarshal(a.Error, &inner) == nil && inner.Message != nil:
		a.Code, a.Message = inner.Code, inner.Message
	case json.Unmarshal(a.Error, &plain) == nil && plain != "":
		a.Message = plain
	case a.Message == nil:
		a.Message = a.Detail
	}
	word := func(v any, most int) string {
		if v == nil {
			return ""
		}
		return OneLine(fmt.Sprint(v), most)
	}
	return word(a.Code, 80), word(a.Message, 300)
}

// OneLine is a text of somebody else's on one line, cut after that many characters.
func OneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
