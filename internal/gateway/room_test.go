package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/provider/mockserver"
)

// Bodies and answers lie in memory that calls use one after the other.
func TestNobodysTextIsAnothers(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Forget()
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply { // says back what it was sent
		body := string(r.Body)
		said := body[strings.Index(body, "<") : strings.LastIndex(body, ">")+1]
		reply := mockserver.Reply{Body: []byte(`{"choices":[{"index":0,"message":{"role":"assistant","content":"` + said + `"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`)}
		switch rand.IntN(8) {
		case 0:
			reply = mockserver.Reply{Status: http.StatusBadRequest, Body: []byte(`{"error":{"message":"` + said + `"}}`)}
		case 1:
			reply.Pause = time.Millisecond
			reply.Pieces = [][]byte{reply.Body[:10], reply.Body[10:]}
			reply.Unsized = true
		case 2:
			reply.Dies, reply.CutAt = true, rand.IntN(len(reply.Body))
		}
		return reply
	})
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			for n := range 150 {
				mark := fmt.Sprintf("<%d.%d|", i, n)
				said := mark + strings.Repeat(mark[1:], rand.IntN(1<<(1+n%15))) + ">"
				a := ask{path: chat, key: "marketing", ws: marketing, body: `{"messages":[{"role":"user","content":"` + said + `"}],"model":"qwen-aliased"}`, chunked: n%5 == 0}
				got := w.call(a)
				if got.status == http.StatusOK && !strings.Contains(got.body, `"`+said+`"`) {
					t.Errorf("asked %.60q… and was told %.200q…", said, got.body)
					return
				}
				if at := strings.Index(got.body, "<"); at >= 0 && !strings.HasPrefix(got.body[at:], mark) {
					t.Errorf("asked %.60q… and was told of %.200q…", said, got.body[at:])
					return
				}
			}
		})
	}
	all.Wait()
}
