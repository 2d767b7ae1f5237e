package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bailiwick/internal/adminapi"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// remote is how a command reaches a server's management API.
type remote struct {
	Server   string `help:"Address of the server." default:"http://127.0.0.1:8080" env:"BAILIWICK_SERVER" placeholder:"URL"`
	AdminKey string `help:"Admin key, made in the console under Management API. Others on this machine may see arguments: the environment is better." env:"BAILIWICK_ADMIN_KEY" placeholder:"KEY"`
	Output   string `help:"How the answer is printed: table or json." short:"o" enum:"table,json" default:"table" env:"BAILIWICK_OUTPUT" placeholder:"table|json"`
}

// What the program ends with, so that scripts can tell failures apart.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitDenied   = 3 // the admin key is wrong, or its owner may not
	exitMissing  = 4
	exitConflict = 5 // with what is there, or somebody else was faster
	exitInvalid  = 6 // what was said cannot be done as said
	exitAway     = 7 // the server does not answer, or is busy
)

// remoteError is a refusal of the server, in words that say what to do.
type remoteError struct {
	code int
	text string
}

func (e *remoteError) Error() string { return e.text }

// tries is how often a request is sent when the server does not answer or is
// busy. A POST carries an idempotency key, so that it is carried out once.
const tries = 4

// waits is the pause before a request is repeated; tests shorten it.
var waits = time.Second

// do sends a request and reads the answer into a value.
func (r remote) do(ctx context.Context, method, path string, body, into any, header ...string) error {
	if err := r.check(); err != nil {
		return err
	}
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	if method == http.MethodPost {
		header = append(header, "Idempotency-Key", string(ident.NewCall()))
	}
	for try := 1; ; try++ {
		answer, again, err := r.send(ctx, method, path, text, header)
		if err == nil || !again || try == tries {
			if err == nil && into != nil {
				err = json.Unmarshal(answer, into)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try) * waits):
		}
	}
}

// check refuses what would give the admin key away.
func (r remote) check() error {
	u, err := url.Parse(r.Server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return &remoteError{exitUsage, fmt.Sprintf("--server %q: write an address such as https://models.example.com", r.Server)}
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return &remoteError{exitUsage, "--server " + r.Server + " would carry the admin key in clear over the network: use https"}
	}
	if r.AdminKey == "" {
		return &remoteError{exitUsage, "no admin key: make one in the console under Manage … Account, Management API, and set BAILIWICK_ADMIN_KEY"}
	}
	if !secret.AdminWellFormed(r.AdminKey) {
		return &remoteError{exitDenied, "the admin key is not whole: it begins with " + secret.AdminPrefix + " and ends with a checksum, so copy all of it"}
	}
	return nil
}

// client follows no redirect: the admin key goes to the server alone.
var client = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send sends a request once; again says that it may be worth repeating.
func (r remote) send(ctx context.Context, method, path string, body []byte, header []string) (answer []byte, again bool, err error) {
	q, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.Server, "/")+adminapi.Prefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	q.Header.Set("Authorization", "Bearer "+r.AdminKey)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := client.Do(q)
	if err != nil {
		return nil, true, &remoteError{exitAway, "the server at " + r.Server + " does not answer: " + cause(err)}
	}
	defer a.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(a.Body, 64<<20)); err != nil {
		return nil, true, &remoteError{exitAway, "the server's answer broke off: " + cause(err)}
	}
	if a.StatusCode < 300 {
		return answer, false, nil
	}
	return nil, a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusServiceUnavailable || a.Header.Get("Retry-After") != "", r.refusal(a.StatusCode, answer)
}

func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// refusal puts the server's refusal into words.
func (r remote) refusal(status int, answer []byte) error {
	var f adminapi.Failure
	if json.Unmarshal(answer, &f) != nil || f.Error.Message == "" {
		return &remoteError{exitFailed, fmt.Sprintf("%s answered %d and is perhaps no Bailiwick server: look at --server", r.Server, status)}
	}
	text := f.Error.Message
	if f.Error.Field != "" && status != http.StatusUnauthorized {
		text = strings.TrimPrefix(f.Error.Field, "/") + ": " + text
	}
	code := exitFailed
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		code = exitDenied
	case http.StatusNotFound:
		code = exitMissing
	case http.StatusConflict, http.StatusPreconditionFailed:
		code = exitConflict
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		code = exitInvalid
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		code = exitAway
	}
	if status >= http.StatusInternalServerError {
		text += " Request " + f.Error.RequestID + "."
	}
	return &remoteError{code, text}
}

// codeOf is what the program ends with.
func codeOf(err error) int {
	var e *remoteError
	if errors.As(err, &e) {
		return e.code
	}
	return exitFailed
}

// every reads all pages of a list, or most items of it.
func every[T any](ctx context.Context, r remote, path string, query url.Values, most int) ([]T, error) {
	all := []T{}
	query = url.Values(http.Header(query).Clone())
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", "200")
	for {
		var page adminapi.Page[T]
		if err := r.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if most > 0 && len(all) >= most {
			return all[:most], nil
		}
		if page.Next == "" {
			return all, nil
		}
		query.Set("after", page.Next)
	}
}

// said are the parameters of a query that are not empty.
func said(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// ifMatch names the version that a change is made from.
func ifMatch(version int64) []string {
	return []string{"If-Match", fmt.Sprintf("%q", fmt.Sprint(version))}
}
