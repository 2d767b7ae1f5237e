package dashscope_test

import (
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
)

// Every member that a chat completion can have, and what becomes of it natively.
func TestEveryMemberOfAChatSurvivesIsRefusedByNameOrIsNamedAsLeftOut(t *testing.T) {
	s, mock := opened(t)
	mock.Always(mockserver.JSON(200, `{"output":{"choices":[]}}`))
	picture := `{"type":"image_url","image_url":{"url":"https://a"`
	for _, c := range []struct{ member, text, more, says, refused, left string }{
		{member: "temperature", more: `"temperature":0.5`, says: `"temperature":0.5`},
		{member: "tools", more: `"tools":[1]`, says: `"tools":[1]`},
		{member: "vl_high_resolution_images", more: `"vl_high_resolution_images":true`, says: `"vl_high_resolution_images":true`},
		{member: "user", more: `"user":"u"`, left: "user"},
		{member: "metadata", more: `"metadata":{}`, left: "metadata"},
		{member: "store", more: `"store":true`, left: "store"},
		{member: "store not", more: `"store":false`},
		{member: "safety_identifier", more: `"safety_identifier":"s"`, left: "safety_identifier"},
		{member: "prompt_cache_key", more: `"prompt_cache_key":"k"`, left: "prompt_cache_key"},
		{member: "verbosity", more: `"verbosity":"low"`, refused: "verbosity"},
		{member: "stream_options", more: `"stream_options":{"include_obfuscation":true}`, refused: "stream_options"},
		{member: "text", text: `{"type":"text","text":"Hi"}`, says: `"content":"Hi"`},
		{member: "text with more", text: `{"type":"text","text":"Hi","weight":2}`, refused: "messages.content.weight"},
		{member: "cache_control of a text", text: `{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}`, says: `"content":[{"cache_control":{"type":"ephemeral"},"text":"Hi","type":"text"}]`},
		{member: "cache_control beside a picture", text: `{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}},` + picture + `}}`, says: `"content":[{"cache_control":{"type":"ephemeral"},"text":"Hi"},{"image":"https://a"}]`},
		{member: "image_url", text: picture + `}}`, says: `{"image":"https://a"}`},
		{member: "detail auto", text: picture + `,"detail":"auto"}}`, says: `{"image":"https://a"}`},
		{member: "detail", text: picture + `,"detail":"low"}}`, refused: "messages.content.image_url.detail"},
		{member: "min_pixels", text: picture + `},"min_pixels":9}`, says: `{"image":"https://a","min_pixels":9}`},
		{member: "video_url and fps", text: `{"type":"video_url","video_url":{"url":"https://a"},"fps":2}`, says: `{"fps":2,"video":"https://a"}`},
		{member: "video", text: `{"type":"video","video":["https://a"]}`, says: `{"video":["https://a"]}`},
		{member: "input_audio", text: `{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}`, says: `{"audio":"data:audio/mp3;base64,AAAA"}`},
		{member: "input_audio at an address", text: `{"type":"input_audio","input_audio":{"data":"https://a","format":"mp3"}}`, says: `{"audio":"https://a"}`},
		{member: "file", text: `{"type":"file","file":{"file_id":"f"}}`, refused: "messages"},
	} {
		t.Run(c.member, func(t *testing.T) {
			body := `{"model":"m","messages":[{"role":"user","content":[` + c.text + `]}]`
			if c.text == "" {
				body = `{"model":"m","messages":[{"role":"user","content":"Hi"}]`
			}
			if c.more != "" {
				body += "," + c.more
			}
			a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte(body + "}")})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			if c.refused != "" {
				if status, text, _ := call(t, s, "chat/completions", body+"}", false); status != 400 || !strings.Contains(text, `"param":"`+c.refused+`"`) {
					t.Errorf("%d %s", status, text)
				}
				return
			}
			if sent := string(mock.Last().Body); a.Status != 200 || !strings.Contains(sent, c.says) || strings.Join(slices.Sorted(slices.Values(a.LeftOut)), ",") != c.left {
				t.Errorf("%d, sent %s, left out %q", a.Status, sent, a.LeftOut)
			}
		})
	}
	a, err := s.Call(t.Context(), provider.Request{Path: "embeddings", Body: []byte(`{"model":"m","input":"Hi","user":"u"}`)})
	if err != nil || len(a.LeftOut) != 1 || a.LeftOut[0] != "user" {
		t.Errorf("of vectors %q is left out, %v", a.LeftOut, err)
	}
}
