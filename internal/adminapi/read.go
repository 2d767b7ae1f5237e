package adminapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// BodyMax is the longest body that is taken, in bytes.
const BodyMax = 64 << 10

// readBody reads the body of an operation that takes one.
func (c *call) readBody() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, BodyMax))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, &problem{http.StatusRequestEntityTooLarge, "too_large", "The body is larger than " + strconv.Itoa(BodyMax>>10) + " KiB.", ""}
	}
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "malformed", "The body could not be read to its end.", ""}
	}
	if c.op.body == nil {
		if len(body) > 0 && strings.TrimSpace(string(body)) != "{}" {
			return nil, &problem{http.StatusBadRequest, "malformed", "This operation takes no body.", ""}
		}
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &problem{http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as Content-Type: application/json.", "Content-Type"}
	}
	return body, nil
}

// read decodes the body, strictly: a member that is unknown, written in another
// case or there twice is refused with its path.
func (c *call) read(into any) error {
	err := json.Unmarshal(c.body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	p := &problem{status: http.StatusBadRequest, code: "malformed"}
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		p.field, p.message = string(syntax.JSONPointer), "This member stands there twice."
	case errors.As(err, &syntax):
		p.field, p.message = string(syntax.JSONPointer), "The body is not one well-formed JSON object."
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &meaning):
		p.field, p.message = string(meaning.JSONPointer), "There is no such member here. Names are written exactly as documented."
	case errors.As(err, &meaning):
		p.field, p.message = string(meaning.JSONPointer), "This member is not of the documented type."
	default:
		p.message = "The body cannot be read."
	}
	p.field = clean(p.field)
	return p
}

// readMatch reads If-Match. Where things have versions a change must name the
// one it was made from.
func (c *call) readMatch() error {
	text := c.r.Header.Get("If-Match")
	if text == "" {
		if c.op.match {
			return &problem{http.StatusPreconditionRequired, "precondition_required", "Say from which version you change: send the ETag of what you read as If-Match.", "If-Match"}
		}
		return nil
	}
	number, err := strconv.Unquote(text)
	if err != nil || !strings.HasPrefix(text, `"`) {
		number = "0" // no ETag of ours looks so
	}
	if c.match, err = strconv.ParseInt(number, 10, 64); err != nil || c.match < 1 {
		c.match = -1 // a version that never was
	}
	return nil
}

// Opt is a member of a body that may be absent or null.
type Opt[T any] struct {
	Said  bool // it was there
	Null  bool
	Value T
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *Opt[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	o.Said = true
	if dec.PeekKind() == 'n' {
		o.Null = true
		_, err := dec.ReadToken()
		return err
	}
	return json.UnmarshalDecode(dec, &o.Value)
}

// or gives the value, or another one where it was not said.
func (o Opt[T]) or(otherwise T) T {
	if o.Said && !o.Null {
		return o.Value
	}
	return otherwise
}
