package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"bailiwick/internal/adminapi"
	"bailiwick/internal/ident"
)

// show prints a list: as JSON in full, or as a table of some columns.
func show[T any](r remote, list []T, head string, row func(T) []string) error {
	if r.Output == "json" {
		return printJSON(list)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(strings.Fields(head), "\t"))
	for _, item := range list {
		cells := row(item)
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

func printJSON(v any) error {
	e := json.NewEncoder(stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// cell makes a text fit for a terminal and its column: what somebody typed
// elsewhere moves no cursor here.
func cell(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text
}

// say prints what was done, or the answer as JSON.
func say(r remote, answer any, format string, args ...any) error {
	if r.Output == "json" {
		if answer == nil {
			answer = map[string]any{}
		}
		return printJSON(answer)
	}
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = cell(text)
		}
	}
	fmt.Fprintf(stdout, format+"\n", args...)
	return nil
}

// date is a time in a column, in UTC, which Z stands for.
func date(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// counted is a number of things in words.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// workspaceNamed finds a workspace by id or by its exact name.
func (r remote) workspaceNamed(ctx context.Context, text string) (w adminapi.Workspace, err error) {
	if _, wrong := ident.ParseWorkspace(text); wrong == nil {
		return w, r.do(ctx, http.MethodGet, "/workspaces/"+text, nil, &w)
	}
	found, err := every[adminapi.ListedWorkspace](ctx, r, "/workspaces", said("search", text), 0)
	for _, f := range found {
		if strings.EqualFold(f.Name, text) {
			return f.Workspace, nil
		}
	}
	if err == nil {
		err = &remoteError{exitMissing, fmt.Sprintf("there is no workspace %q: `bailiwick workspace list` shows names and ids", text)}
	}
	return w, err
}

// userNamed finds a RAM user by id or log-on name.
func (r remote) userNamed(ctx context.Context, text string) (u adminapi.User, err error) {
	if _, wrong := ident.ParseUser(text); wrong == nil {
		return u, r.do(ctx, http.MethodGet, "/users/"+text, nil, &u)
	}
	found, err := every[adminapi.User](ctx, r, "/users", said("search", text), 0)
	for _, f := range found {
		if f.LogOn == text {
			return f, nil
		}
	}
	if err == nil {
		err = &remoteError{exitMissing, fmt.Sprintf("there is no RAM user %q: `bailiwick user list` shows log-on names and ids", text)}
	}
	return u, err
}

// keyNamed finds an API key by its id, in whatever workspace it is.
func (r remote) keyNamed(ctx context.Context, text string) (k adminapi.Key, path string, err error) {
	if _, wrong := ident.ParseKey(text); wrong != nil {
		return k, "", &remoteError{exitInvalid, fmt.Sprintf("%q is no key id: `bailiwick key list` shows them", text)}
	}
	found, err := every[adminapi.Key](ctx, r, "/keys", said("search", text), 0)
	for _, f := range found {
		if f.ID == text {
			return f, "/workspaces/" + f.Workspace + "/keys/" + f.ID, nil
		}
	}
	if err == nil {
		err = &remoteError{exitMissing, "there is no API key " + text}
	}
	return k, "", err
}
