package dashscope

import (
	"encoding/json"
	"slices"
	"strings"
)

// part is one part of a content in the OpenAI protocol, by its members.
type part map[string]json.RawMessage

// beside are the members that stand beside what a part is, under the same name in
// both protocols. Source: the API references of Qwen-VL and of the context cache.
var beside = []string{"cache_control", "min_pixels", "max_pixels", "total_pixels", "fps", "max_frames"}

// native is the part as the multimodal service has it or, where that is all there
// is, the text service. What it has no word for is refused by its name.
func (p part) native(media bool) (map[string]any, error) {
	what, native, err := p.what()
	if err != nil {
		return nil, err
	}
	for name, value := range p {
		switch {
		case name == what, name == "type", string(value) == "null":
		case slices.Contains(beside, name):
			native[name] = value
		default:
			return nil, cannot("messages.content." + name)
		}
	}
	if !media {
		native["type"] = "text"
	}
	return native, nil
}

// what finds the member that says what a part is, and says it natively.
func (p part) what() (member string, native map[string]any, err error) {
	wrong := refusal{"A part of the messages' content cannot be read.", "messages", "invalid_type"}
	var kind string
	_ = json.Unmarshal(p["type"], &kind) // none: it is told by what is there
	switch {
	case p["text"] != nil:
		var text string
		err = json.Unmarshal(p["text"], &text)
		member, native = "text", map[string]any{"text": text}
	case p["image_url"] != nil:
		member = "image_url"
		native, err = placed("image", p[member], "image_url")
	case p["video_url"] != nil:
		member = "video_url"
		native, err = placed("video", p[member], "video_url")
	case p["video"] != nil:
		var frames []string
		err = json.Unmarshal(p["video"], &frames)
		member, native = "video", map[string]any{"video": frames}
	case p["input_audio"] != nil:
		member = "input_audio"
		native, err = heard(p[member])
	default:
		return "", nil, refusal{"The provider of this model does not know content of type \"" + kind + "\".", "messages", "unsupported_value"}
	}
	if _, told := err.(refusal); err != nil && !told {
		err = wrong
	}
	return member, native, err
}

// placed is what lies at an address. How closely a picture is to be looked at is
// said otherwise in the native protocol.
func placed(name string, raw json.RawMessage, at string) (map[string]any, error) {
	var where struct{ URL, Detail string }
	if err := only(raw, "url", "detail"); err != nil {
		return nil, cannot("messages.content." + at)
	}
	if err := json.Unmarshal(raw, &where); err != nil {
		return nil, err
	}
	if where.Detail != "" && where.Detail != "auto" {
		return nil, cannot("messages.content." + at + ".detail")
	}
	return map[string]any{name: where.URL}, nil
}

// heard is a sound: an address, or bytes with the format they are in.
func heard(raw json.RawMessage) (map[string]any, error) {
	var sound struct{ Data, Format string }
	if err := only(raw, "data", "format"); err != nil {
		return nil, cannot("messages.content.input_audio")
	}
	if err := json.Unmarshal(raw, &sound); err != nil {
		return nil, err
	}
	if sound.Format != "" && !strings.Contains(sound.Data, ":") { // no address
		sound.Data = "data:audio/" + sound.Format + ";base64," + sound.Data
	}
	return map[string]any{"audio": sound.Data}, nil
}
