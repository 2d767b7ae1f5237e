package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/views/playground"
	"bailiwick/views/ui"
)

// Caller makes a chat call of the console's, in the OpenAI protocol, through the
// gates of the gateway. What it answers is the gateway's answer.
type Caller func(w http.ResponseWriter, r *http.Request, by access.Actor, ws ident.Workspace)

// showPlayground answers GET /workspaces/:workspace/playground.
func (s *Server) showPlayground(c echo.Context) error {
	return s.sendPlayground(c, http.StatusOK, talk{model: c.QueryParam("model")}, nil, "")
}

// sendPlayground shows the page with what was said so far.
func (s *Server) sendPlayground(c echo.Context, status int, t talk, notice *ui.Notice, used string) error {
	page, err := s.playgroundPage(c, t, notice, used, nil)
	if err != nil {
		return err
	}
	return s.show(c, status, page, func() (templ.Component, error) { return page, nil })
}

// sayPlayground answers POST …/playground: the whole answer at once, for those
// without scripts.
func (s *Server) sayPlayground(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	t := talkOf(in)
	body, wrong := t.request(false)
	if wrong != nil {
		t.wrong = wrong
		return s.sendPlayground(c, http.StatusUnprocessableEntity, t, nil, "")
	}
	out := &wholeAnswer{header: http.Header{}, status: http.StatusOK}
	s.Call(out, s.chatRequest(c, body), actor(c), here(c).ID)
	said, notice := out.read(s.refusalLink(c))
	if notice != nil {
		return s.sendPlayground(c, out.status, t, notice, "")
	}
	t.turns = append(t.turns, playground.Turn{Role: "user", Text: t.message}, playground.Turn{Role: "assistant", Text: said.text()})
	t.message = ""
	return s.sendPlayground(c, http.StatusOK, t, nil, s.usedWords(c, t.model, said.consumed()))
}

// streamPlayground answers POST …/playground/stream: events, as they come from
// the gateway.
func (s *Server) streamPlayground(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	body, wrong := talkOf(in).request(true)
	if wrong != nil {
		return c.JSON(http.StatusUnprocessableEntity, map[string]any{"error": map[string]string{"message": wrong.message}, "request_id": ""})
	}
	s.Call(c.Response(), s.chatRequest(c, body), actor(c), here(c).ID)
	return nil
}

// codePlayground answers POST …/playground/code: programs that make the call.
func (s *Server) codePlayground(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	t := talkOf(in)
	p := playground.CodeProps{BackURL: playgroundURL(here(c).ID), Samples: s.talkSamples(c, here(c), t)}
	return s.showDialog(c, http.StatusOK, playground.CodeDialog(p), func(c echo.Context, overlay templ.Component) (templ.Component, error) {
		return s.playgroundPage(c, t, nil, "", overlay)
	})
}

// costPlayground answers GET …/playground/cost: what tokens of a model cost.
func (s *Server) costPlayground(c echo.Context) error {
	var used catalogue.Consumption
	for name, figure := range map[string]*int{"input": &used.Input, "output": &used.Output, "cached": &used.Cached, "reasoning": &used.Reasoning} {
		text := c.QueryParam(name)
		if text == "" && (name == "cached" || name == "reasoning") {
			continue // most models say nothing of these
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.String(http.StatusUnprocessableEntity, "")
		}
		*figure = n
	}
	return c.String(http.StatusOK, s.usedWords(c, c.QueryParam("model"), used))
}

// usedWords say what an answer consumed and, where the model has prices, cost.
func (s *Server) usedWords(c echo.Context, model string, used catalogue.Consumption) string {
	words := counted(used.Input, "token") + " in, " + number(used.Output) + " out"
	for _, m := range s.Policy.Now().Catalogue(actor(c).Account) {
		if string(m.ID) == model && m.Tariff != nil {
			cost := m.Tariff.Cost(used)
			amount := fmt.Sprintf("%d.%06d", cost/1_000_000, cost%1_000_000)
			words += " · " + money(catalogue.Price{Amount: amount, Currency: m.Tariff.Currency})
		}
	}
	return words
}

// chatRequest is the request that the gateway is handed.
func (s *Server) chatRequest(c echo.Context, body []byte) *http.Request {
	r := c.Request().Clone(c.Request().Context())
	r.Header = http.Header{"Content-Type": {"application/json"}} // nothing of the browser's reaches a gate
	r.Body, r.ContentLength, r.Form, r.PostForm = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil, nil
	return r
}

// wholeAnswer is an answer, read when it is there.
type wholeAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *wholeAnswer) Header() http.Header         { return k.header }
func (k *wholeAnswer) WriteHeader(status int)      { k.status = status }
func (k *wholeAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }

// said is what is read of the gateway's answer.
type said struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	} `json:"choices"`
	Usage struct {
		Input   int `json:"prompt_tokens"`
		Output  int `json:"completion_tokens"`
		OfInput struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
		OfOutput struct {
			Reasoning int `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	} `json:"usage"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
	Request string `json:"request_id"`
}

func (a said) consumed() catalogue.Consumption {
	u := a.Usage
	return catalogue.Consumption{Input: u.Input, Output: u.Output, Cached: u.OfInput.Cached, Reasoning: u.OfOutput.Reasoning}
}

func (a said) text() string {
	if len(a.Choices) == 0 {
		return ""
	}
	return a.Choices[0].Message.Content
}

// read gives the answer, or what is to be said in its place.
func (k *wholeAnswer) read(whyURL string) (a said, notice *ui.Notice) {
	err := json.Unmarshal(k.body.Bytes(), &a)
	if err == nil && a.Error == nil && k.status < http.StatusBadRequest {
		return a, nil
	}
	n := &ui.Notice{Tone: ui.Bad, Title: "The call was not answered.", Text: "No reason was given."}
	if a.Error != nil {
		n.Text = a.Error.Message
	}
	if a.Request != "" {
		n.Text += " Request " + a.Request + "."
		if whyURL != "" {
			n.Links = []ui.Link{{Label: "Why?", URL: whyURL + a.Request}}
		}
	}
	k.status = max(k.status, http.StatusBadRequest)
	return a, n
}

// refusalLink is what a request id is put behind, for those who may read why.
func (s *Server) refusalLink(c echo.Context) string {
	return when(actor(c).MayIn(here(c).ID, access.ReadKeys), "/why?request=")
}
