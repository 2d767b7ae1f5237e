package gateway_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/provider/mockserver"
)

// forClients is a model server that calls a tool when there is one, and breaks
// down for certain users.
func forClients(r mockserver.Received) mockserver.Reply {
	switch {
	case strings.HasSuffix(r.Path, "/responses"):
		return mockserver.Missing()
	case bytes.Contains(r.Body, []byte(`"too-fast"`)):
		return mockserver.JSON(http.StatusTooManyRequests, `{"error":{"message":"Slow down, please."}}`)
	case bytes.Contains(r.Body, []byte(`"dies"`)):
		reply := mockserver.Default(r)
		reply.Pieces = reply.Pieces[:3]
		return reply
	case bytes.Contains(r.Body, []byte(`"tools"`)) && bytes.Contains(r.Body, []byte(`"stream":true`)):
		return mockserver.Events(thinking...)
	case bytes.Contains(r.Body, []byte(`"tools"`)):
		return mockserver.JSON(200, `{"id":"x","object":"chat.completion","created":1,"model":"qwen-turbo","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}],"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12}}`)
	}
	return mockserver.Default(r)
}

// TestTheOfficialJavaScriptSDKsWorkUnmodified runs the SDKs that npm brings into
// static; without them, or without Node.js, it is skipped.
func TestTheOfficialJavaScriptSDKsWorkUnmodified(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	for script, c := range map[string]struct{ module, root string }{
		"openai.mjs":    {"openai", "/compatible-mode/v1"},
		"anthropic.mjs": {"@anthropic-ai/sdk", "/apps/anthropic"},
	} {
		t.Run(script, func(t *testing.T) {
			modules, _ := filepath.Abs("../../static/node_modules")
			if _, err := os.Stat(filepath.Join(modules, c.module)); err != nil {
				t.Skip("npm has not brought " + c.module)
			}
			w := newWorld(t, nil)
			w.mock.Answer(forClients)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			run := exec.CommandContext(ctx, node, filepath.Join("testdata", script))
			run.Env = append(os.Environ(), "BASE="+w.http.URL+"/w/"+string(marketing)+c.root, "KEY="+w.keys["marketing"], "MODULES="+modules+"/")
			if said, err := run.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, said)
			}
			for _, r := range w.books.all() {
				if r.Key == "" || r.Status == 0 {
					t.Errorf("booked %+v", r)
				}
			}
		})
	}
}
