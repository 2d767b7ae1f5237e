package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"bailiwick/internal/gateway/anthropic"
	"bailiwick/internal/gateway/dashscope"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/openai"
)

// path is one address that the gateway answers.
type path struct {
	method  string
	dialect dialect.Dialect
	service dialect.Service
}

const (
	compatible = "/compatible-mode/v1/"
	plain      = "/v1/"
	ranks      = "/compatible-api/v1/"
	native     = "/api/v1/"
	messages   = "/apps/anthropic/v1/"
)

// readAndChange are the methods of an address that takes two.
const readAndChange = http.MethodGet + ", " + http.MethodPost

// paths are the addresses as callers must write them; every other spelling is
// another address.
var paths = map[string]path{
	plain + "chat/completions":                                   {http.MethodPost, openai.Dialect{}, dialect.Chat},
	plain + "completions":                                        {http.MethodPost, openai.Dialect{}, dialect.Completion},
	plain + "responses":                                          {http.MethodPost, openai.Dialect{}, dialect.Responses},
	plain + "embeddings":                                         {http.MethodPost, openai.Dialect{}, dialect.Embeddings},
	plain + "rerank":                                             {http.MethodPost, openai.Dialect{}, dialect.Rerank},
	plain + "models":                                             {http.MethodGet, openai.Dialect{}, dialect.Models},
	compatible + "chat/completions":                              {http.MethodPost, openai.Dialect{}, dialect.Chat},
	compatible + "completions":                                   {http.MethodPost, openai.Dialect{}, dialect.Completion},
	compatible + "responses":                                     {http.MethodPost, openai.Dialect{}, dialect.Responses},
	compatible + "embeddings":                                    {http.MethodPost, openai.Dialect{}, dialect.Embeddings},
	ranks + "reranks":                                            {http.MethodPost, openai.Dialect{}, dialect.Rerank},
	compatible + "models":                                        {http.MethodGet, openai.Dialect{}, dialect.Models},
	messages + "messages":                                        {http.MethodPost, anthropic.Dialect{}, dialect.Chat},
	messages + "messages/count_tokens":                           {http.MethodPost, anthropic.Dialect{}, dialect.CountTokens},
	messages + "models":                                          {http.MethodGet, anthropic.Dialect{}, dialect.Models},
	native + "services/aigc/text-generation/generation":          {http.MethodPost, dashscope.Dialect{}, dialect.Chat},
	native + "services/aigc/multimodal-generation/generation":    {http.MethodPost, dashscope.Dialect{}, dialect.Multimodal},
	native + "services/embeddings/text-embedding/text-embedding": {http.MethodPost, dashscope.Dialect{}, dialect.Embeddings},
	native + "services/rerank/text-rerank/text-rerank":           {http.MethodPost, dashscope.Dialect{}, dialect.Rerank},
	native + "models":                                            {http.MethodGet, dashscope.Dialect{}, dialect.Models},
	native + "models/permissions":                                {readAndChange, dashscope.Dialect{}, dialect.Permissions},
	native + "models/limits":                                     {readAndChange, dashscope.Dialect{}, dialect.Limits},
	native + "tokens":                                            {http.MethodPost, dashscope.Dialect{}, dialect.Tokens},
	native + "quotas":                                            {http.MethodGet, dashscope.Dialect{}, dialect.Quotas},
}

// Handles reports whether a path is the gateway's to answer, with or without
// success.
func Handles(p string) bool {
	for _, root := range []string{"/v1", "/compatible-mode", "/compatible-api", "/apps/anthropic", "/api/v1", "/w"} {
		if rest, ok := strings.CutPrefix(p, root); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// route finds what is asked for, and in which dialect to answer even when it is
// nothing we know. Paths are compared as they were written, so that no other
// spelling gets another decision.
func (c *Call) route() *dialect.Refusal {
	asked := c.r.URL.EscapedPath()
	if rest, named := strings.CutPrefix(asked, "/w/"); named {
		c.workspace, asked, _ = strings.Cut(rest, "/")
		asked = "/" + asked
		if c.workspace == "" {
			asked = ""
		}
	}
	c.dialect = dialectOf(asked)
	p, known := paths[asked]
	if !known {
		p, known = c.oneModel(asked)
	}
	if !known {
		return c.workshop(asked)
	}
	c.dialect, c.service = p.dialect, p.service
	if c.r.Method != p.method && !(p.method == readAndChange && (c.r.Method == http.MethodGet || c.r.Method == http.MethodPost)) {
		r := dialect.WrongMethod(p.method)
		return &r
	}
	return nil
}

// oneModel reads the address of one model; ids may hold slashes, which SDKs escape.
func (c *Call) oneModel(asked string) (path, bool) {
	for _, root := range [...]string{plain, compatible, messages} {
		id, ok := strings.CutPrefix(asked, root+"models/")
		if !ok || id == "" {
			continue
		}
		id, err := url.PathUnescape(id)
		if err != nil {
			return path{}, false
		}
		c.asked = id
		return path{http.MethodGet, dialectOf(root), dialect.Model}, true
	}
	return path{}, false
}

func dialectOf(asked string) dialect.Dialect {
	switch {
	case strings.HasPrefix(asked, native):
		return dashscope.Dialect{}
	case strings.HasPrefix(asked, messages):
		return anthropic.Dialect{}
	}
	return openai.Dialect{}
}
