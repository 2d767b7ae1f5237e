// Package dashscope speaks to providers that speak DashScope's native protocol.
// Towards the gateway its language is the OpenAI protocol, as that of every
// kind: what cannot be said natively is refused by name. Source of the shapes:
// DashScope's API reference for text generation, multimodal generation, text
// embedding and rerank.
package dashscope

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// Kind opens servers of this kind that connect through a dial.
func Kind(dial line.Dial) provider.Open {
	return func(t provider.Target) (provider.Server, error) {
		l, err := line.Open(t, dial)
		if err != nil {
			return nil, err
		}
		return &Server{Line: l}, nil
	}
}

// Server implements provider.Server, provider.RemoteTrainer and provider.Deployer.
type Server struct {
	*line.Line
	probe line.Probe // of the fine-tuning API
}

// The services, below the base URL, which ends in /api/v1.
const (
	textPath   = "services/aigc/text-generation/generation"
	mediaPath  = "services/aigc/multimodal-generation/generation"
	vectorPath = "services/embeddings/text-embedding/text-embedding"
	rerankPath = "services/rerank/text-rerank/text-rerank"
)

// mostWhole bounds a whole answer, in bytes.
const mostWhole = 16 << 20

// Has implements provider.Server.
func (s *Server) Has(path string) bool {
	switch path {
	case "chat/completions", "embeddings", "rerank", vectorPath, rerankPath:
		return true
	}
	return false
}

// Caches implements provider.Caching.
func (s *Server) Caches() bool { return true }

// Call implements provider.Server. It knows chat/completions, embeddings and
// rerank, and passes on as they are the two of its own services that answer in
// one piece.
func (s *Server) Call(ctx context.Context, r provider.Request) (*provider.Answer, error) {
	switch r.Path {
	case "chat/completions":
		return s.chat(ctx, r)
	case "embeddings":
		return s.exchange(ctx, r, vectorPath, askVectors, readVectors)
	case "rerank", "reranks":
		return s.exchange(ctx, r, rerankPath, askRerank, readRerank)
	case vectorPath, rerankPath:
		resp, err := s.Send(ctx, line.Request{Method: http.MethodPost, Path: r.Path, Body: r.Body, Call: r.Call})
		if err != nil {
			return nil, err
		}
		return &provider.Answer{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: resp.Body}, nil
	}
	return refuse(refusal{"This provider cannot do that: it has no " + r.Path + ".", "", "unsupported_value"}), nil
}

// exchange asks a service that answers whole.
func (s *Server) exchange(ctx context.Context, r provider.Request, path string, say func([]byte) ([]byte, error), read func(asked, native []byte) ([]byte, error)) (*provider.Answer, error) {
	body, err := say(r.Body)
	if err != nil {
		return refuse(refusalOf(err)), nil
	}
	resp, err := s.Send(ctx, line.Request{Method: http.MethodPost, Path: path, Body: body, Call: r.Call})
	if err != nil {
		return nil, err
	}
	a, err := whole(resp, func(native []byte) ([]byte, error) { return read(r.Body, native) })
	if err == nil && r.Path == "embeddings" && only(r.Body, "model", "input", "dimensions", "encoding_format") != nil {
		a.LeftOut = []string{"user"} // nothing else is taken beside those
	}
	return a, err
}

// whole translates an answer in one piece; one that is no success passes as it is.
func whole(resp *http.Response, read func([]byte) ([]byte, error)) (*provider.Answer, error) {
	a := &provider.Answer{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: resp.Body}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return a, nil
	}
	native, err := io.ReadAll(io.LimitReader(resp.Body, mostWhole+1))
	resp.Body.Close()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The provider broke off within its answer.").Because(err)
	}
	text, err := read(native)
	if err != nil || len(native) > mostWhole {
		text = native // no answer of the protocol: the gateway says so
	}
	a.Body, a.Length = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return a, nil
}

// refusal is why something cannot be said natively.
type refusal struct{ message, param, code string }

func (r refusal) Error() string { return r.message }

func refusalOf(err error) refusal {
	if r, ok := err.(refusal); ok {
		return r
	}
	return refusal{"The request cannot be read: " + err.Error(), "", "invalid_value"}
}

// cannot is the refusal of a parameter that the native protocol lacks.
func cannot(param string) error {
	return refusal{fmt.Sprintf("The provider of this model does not know the parameter %q. Take it out and try again.", param), param, "unsupported_parameter"}
}

// refuse answers for the provider, before anything was sent to it.
func refuse(r refusal) *provider.Answer {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": r.message, "type": "invalid_request_error", "param": r.param, "code": r.code}})
	return &provider.Answer{Status: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}}, Length: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
}

// pageSize is how many models are asked for at once, and mostPages how often.
const (
	pageSize  = 200
	mostPages = 20
)

// Models implements provider.Server.
func (s *Server) Models(ctx context.Context) (names []string, err error) {
	for page := 1; page <= mostPages; page++ {
		total, found, err := s.models(ctx, page)
		if err != nil {
			return nil, err
		}
		if names = append(names, found...); len(found) == 0 || len(names) >= total {
			break
		}
	}
	return names, nil
}

func (s *Server) models(ctx context.Context, page int) (total int, names []string, err error) {
	q := url.Values{"page_no": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(pageSize)}}
	resp, err := s.Send(ctx, line.Request{Method: http.MethodGet, Path: "models", Query: q})
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, nil, line.Unusable(resp.StatusCode, "/api/v1")
	}
	var list struct {
		Output *struct {
			Total  int
			Models []struct{ Model string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostWhole)).Decode(&list); err != nil || list.Output == nil {
		return 0, nil, fault.New(fault.Unavailable, "The provider answered, but not with a list of models. Does its address end in /api/v1?").Because(err)
	}
	for _, m := range list.Output.Models {
		if m.Model != "" {
			names = append(names, m.Model)
		}
	}
	return list.Output.Total, names, nil
}
