package programs_test

import (
	"net/http"
	"strings"
	"testing"

	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// shape is a refusal as it lies on the wire, whole, or how it ends where it
// comes in the middle of a stream. ID stands for the request's.
type shape struct {
	name string
	asks said
	want string
}

func shapeOf(name string, asks said, want string) shape { return shape{name, asks, want} }

func shapes(o *town) []shape {
	denied := func(s said) said { s.key, s.ws = "research", o.research; return s }
	native, openAI := talk("far", "")
	keyless, streamed := openAI, native
	keyless.key, streamed.header = "none", http.Header{"X-Dashscope-Sse": {"enable"}}
	return []shape{
		shapeOf("shape of a refusal in the native protocol", denied(native), `{"code":"Model.AccessDenied","message":"Model access denied.","request_id":"ID"}`),
		shapeOf("shape of a refusal of the key in OpenAI's", keyless,
			`{"error":{"message":"Incorrect API key provided. ","type":"invalid_request_error","param":null,"code":"invalid_api_key"},"id":"chatcmpl-ID","request_id":"ID"}`),
		shapeOf("shape of a refusal by workspace or model in OpenAI's", denied(openAI),
			`{"error":{"message":"Model access denied.","type":"Model.AccessDenied","param":null,"code":"Model.AccessDenied"},"id":"chatcmpl-ID","request_id":"ID"}`),
		shapeOf("shape of an error event in a native stream", streamed,
			"id:2\nevent:error\n:HTTP_STATUS/503\ndata:{\"code\":\"ModelServingError\",\"message\":\"The provider of this model failed. Please try again later.\",\"request_id\":\"ID\"}\n\n"),
		shapeOf("shape of an error event in a stream of Responses", post("/v1/responses", `{"model":"far","input":"Hi","stream":true}`),
			`data: {"type":"error","code":"ModelServingError","message":"The provider of this model failed. Please try again later.","param":null,"error":{"type":"ModelServingError","code":"ModelServingError",`+
				`"message":"The provider of this model failed. Please try again later.","param":null},"sequence_number":5,"request_id":"ID"}`+"\n\n"),
		shapeOf("shape of a refusal of management", denied(post("/api/v1/models/permissions", `{}`)), `{"code":"AccessDenied","message":"Access denied.","request_id":"ID","success":false,"output":null}`),
		shapeOf("shape of a refusal of files, fine-tunes and deployments", denied(post("/api/v1/deployments", `{"model_name":"qwen-plus","capacity":1}`)),
			`{"code":"Model.AccessDenied","message":"Model access denied.","request_id":"ID"}`),
	}
}

func TestEveryShapeOfARefusalIsTheOriginals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newTown(t, s)
		o.furnishRows()
		o.mock.Answer(func(r mockserver.Received) mockserver.Reply {
			if strings.HasSuffix(r.Path, "/responses") {
				return mockserver.Missing() // so that it is translated
			}
			return mockserver.Events(`data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}`+"\n\n", `data: {"error":{"message":"it broke"}}`+"\n\n")
		})
		for _, c := range shapes(o) {
			t.Run(c.name, func(t *testing.T) {
				answer := o.say(c.asks)
				if text := strings.ReplaceAll(answer.body, answer.header.Get("X-Request-Id"), "ID"); !strings.HasSuffix(text, c.want) || c.want[0] == '{' && text != c.want {
					t.Errorf("answered %s\n    want %s", text, c.want)
				}
			})
		}
	})
}
