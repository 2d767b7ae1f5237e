package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/fault"
	"bailiwick/internal/intake"
)

// searchMax is how many characters can be searched for; more are left out.
const searchMax = 100

// param is a part of the path, as it was before it was escaped.
func param(c echo.Context, name string) string {
	text := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return text
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return "" // nothing is named so
	}
	return plain
}

// form is what a form sent: the body alone, so that the address cannot add to it.
type form struct{ url.Values }

// readForm reads the form of a request.
func readForm(c echo.Context) (form, error) {
	r := c.Request()
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != echo.MIMEApplicationForm {
		if r.ContentLength == 0 {
			return form{}, nil
		}
		return form{}, fault.New(fault.Invalid, "Send this as a form.")
	}
	if err := r.ParseForm(); err != nil {
		return form{}, unreadable(err)
	}
	return form{r.PostForm}, ordinary(r.PostForm)
}

func unreadable(err error) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return err
	}
	if long := (intake.LongField{}); errors.As(err, &long) {
		return fault.New(fault.Invalid, "The field %s holds more than %d KB.", long.Name, long.Most>>10)
	}
	return fault.New(fault.Invalid, "The form cannot be read.").Because(err)
}

// ordinary refuses what no keyboard sends and no database takes.
func ordinary(values url.Values) error {
	for name, all := range values {
		for _, text := range append([]string{name}, all...) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return fault.New(fault.Invalid, "The form holds something that is no text.")
			}
		}
	}
	return nil
}

// version is the one a form was made from. What is no number is no version that
// ever was, and so ends as a conflict.
func (f form) version() int64 {
	n, err := strconv.ParseInt(f.Get("version"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// listed is what the address says of a list.
type listed struct {
	values url.Values
	url    string // of the list itself
}

// list reads what the address says of a list. After a dialog has done its work
// it is what the page behind the dialog says, so that the list stays as it was.
func list(c echo.Context, address string) listed {
	r := c.Request()
	values := r.URL.Query()
	if r.Method == http.MethodPost || r.URL.Path != address {
		values = nil
		if u, err := url.Parse(r.Header.Get("HX-Current-URL")); visitOf(c).scripted && err == nil && u.Path == address {
			values = u.Query()
		}
	}
	if ordinary(values) != nil {
		values = nil
	}
	return listed{values: values, url: address}
}

// listBehind reads what the address says of a list that a panel lies over: the
// panel's address, below the list's, carries it on.
func listBehind(c echo.Context, address string) listed {
	r := c.Request()
	values := r.URL.Query()
	if r.Method == http.MethodPost || visitOf(c).scripted && r.URL.Path != address {
		values = nil
		if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && (u.Path == address || strings.HasPrefix(u.Path, address+"/")) {
			values = u.Query()
		}
	}
	if ordinary(values) != nil {
		values = nil
	}
	return listed{values: values, url: address}
}

// carried gives an address that carries on what this one says of the list.
func (l listed) carried(to string) string {
	if len(l.values) == 0 {
		return to
	}
	return to + "?" + l.values.Encode()
}

func (l listed) get(name string) string { return l.values.Get(name) }

// search is what is searched for.
func (l listed) search() string {
	text := []rune(strings.TrimSpace(l.get("q")))
	return string(text[:min(len(text), searchMax)])
}

// with gives the address of the same list with one thing said otherwise, from
// its first page.
func (l listed) with(pairs ...string) string {
	values := url.Values{}
	for name, all := range l.values {
		if name != "after" && name != "page" {
			values[name] = slices.Clone(all)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	for name := range values {
		if values.Get(name) == "" {
			values.Del(name)
		}
	}
	if len(values) == 0 {
		return l.url
	}
	return l.url + "?" + values.Encode()
}
