package dashscope

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider/line"
)

// perPage is how much of a list of trainings, files or deployments is asked for
// at once, and mostLists how often.
const (
	perPage   = 100
	mostLists = 100
)

// pages goes through a list in the member output of answers until each has enough.
func pages[T any](ctx context.Context, s *Server, path, name string, each func(T) (more bool)) error {
	return pagesIn(ctx, s, path, "output", name, each)
}

// pagesIn goes through a list in any member.
func pagesIn[T any](ctx context.Context, s *Server, path, member, name string, each func(T) (more bool)) error {
	seen := 0
	for page := 1; page <= mostLists; page++ {
		var answer map[string]json.RawMessage
		q := url.Values{"page_no": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(perPage)}}
		if err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: path, Query: q}, &answer); err != nil {
			return err
		}
		var inner map[string]json.RawMessage
		var list []T
		total := 0
		err := json.Unmarshal(answer[member], &inner)
		if raw, there := inner[name]; err == nil && there {
			err = json.Unmarshal(raw, &list)
		}
		if err != nil {
			return fault.New(fault.Unavailable, "The provider's list of %s is none of its protocol.", path).Because(err)
		}
		_ = json.Unmarshal(inner["total"], &total) // else it goes on to an empty page
		for _, item := range list {
			if !each(item) {
				return nil
			}
		}
		if seen += len(list); len(list) == 0 || total > 0 && seen >= total {
			return nil
		}
	}
	return fault.New(fault.Unavailable, "The provider's list of %s has no end.", path)
}
