package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/provider"
)

// LongTokens is the usual room for one example: 8,192 tokens. A training says
// itself how many it takes, and cuts or leaves out what is longer.
const LongTokens = 8192

type object = map[string]any

// parse reads one example.
func (c *Check) parse(line []byte) {
	if depth(line) > c.limits.Depth {
		c.error(TooDeep, c.start, "", "", "Objects and lists are nested more than %d deep.", c.limits.Depth)
		return
	}
	var value any
	if err := json.Unmarshal(line, &value); err != nil {
		c.notJSON(err)
		return
	}
	example, is := value.(object)
	if !is {
		c.error(NotObject, c.start, "", `Write each example as {"messages": […]}.`, "The line is no JSON object.")
		return
	}
	if c.method == "" {
		c.method = looksLike(example)
	}
	before := c.report.Errors
	text := 0
	switch c.method {
	case provider.CPT:
		text = c.plainText(example)
	case provider.DPO:
		text = c.preference(example)
	default:
		text = c.dialogue(example)
	}
	if c.report.Errors == before {
		c.accept(line, int64(text+2)/3)
	}
}

// accept counts a good example, and compares it with those before.
func (c *Check) accept(line []byte, tokens int64) {
	c.report.Tokens += tokens
	c.report.Longest = max(c.report.Longest, tokens)
	if tokens > LongTokens {
		c.warn(LongExample, "", "A training may cut it or leave it out; split it.", "The example has about %d tokens; there is usually room for %d.", tokens, LongTokens)
	}
	sum := maphash.Bytes(c.seed, bytes.TrimSpace(line))
	if first, again := c.seen[sum]; again {
		c.warn(DuplicateOf, "", "What stands twice is learned twice as much.", "The example is the same as in line %d.", first)
	} else {
		c.seen[sum] = int32(c.report.Lines + 1)
	}
}

// looksLike tells the method from an example.
func looksLike(example object) provider.Method {
	_, chosen := example["chosen"]
	_, rejected := example["rejected"]
	_, messages := example["messages"]
	_, text := example["text"]
	switch {
	case chosen || rejected:
		return provider.DPO
	case text && !messages:
		return provider.CPT
	}
	return provider.SFT
}

// notJSON says where a line stops being JSON.
func (c *Check) notJSON(err error) {
	at, path := c.start, ""
	var bad *jsontext.SyntacticError
	if errors.As(err, &bad) {
		at, path = c.start+bad.ByteOffset, pathOf(string(bad.JSONPointer))
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		c.error(DuplicateKey, at, path, "Keep one of them.", "A key stands twice in the same object.")
		return
	}
	c.error(NotJSON, at, path, `Write each example as one line, such as {"messages": […]}.`, "The line is no JSON: %s.", why(bad))
}

// why is the reader's last word, without what it quotes.
func why(bad *jsontext.SyntacticError) string {
	if bad == nil || bad.Err == nil {
		return "it cannot be read"
	}
	text := bad.Err.Error()
	if strings.Contains(text, "EOF") {
		return "it ends too early"
	}
	if at := strings.Index(text, "character"); strings.HasPrefix(text, "invalid character") && at >= 0 {
		if after := strings.Index(text, " after "); after >= 0 {
			return "an unexpected character" + text[after:]
		}
		if before := strings.Index(text, " at "); before >= 0 {
			return "an unexpected character" + text[before:]
		}
		return "an unexpected character"
	}
	return "an unexpected character"
}

// pathOf writes a JSON pointer as people write paths: "/messages/2/role" is "messages[2].role".
func pathOf(pointer string) string {
	var b strings.Builder
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if token == "" {
			continue
		}
		if strings.Trim(token, "0123456789") == "" {
			fmt.Fprintf(&b, "[%s]", token)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(short(token))
	}
	return b.String()
}

// short keeps a name of the caller's from filling a report.
func short(name string) string {
	if len(name) > 40 {
		return strings.ToValidUTF8(name[:40], "") + "…"
	}
	return name
}

// depth is how deep objects and lists are nested in a line, whether or not it is JSON.
func depth(line []byte) (most int) {
	now, inside := 0, false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case inside && b == '\\':
			i++
		case b == '"':
			inside = !inside
		case inside:
		case b == '{' || b == '[':
			now++
			most = max(most, now)
		case b == '}' || b == ']':
			now--
		}
	}
	return most
}

// plainText checks an example of continued training.
func (c *Check) plainText(example object) int {
	c.unknown("", example, "text")
	text, is := example["text"].(string)
	if !is {
		c.error(NoPlainText, c.start, "text", `Write each example as {"text": "…"}.`, "The example has no text.")
		return 0
	}
	if strings.TrimSpace(text) == "" {
		c.error(EmptyContent, c.start, "text", "", "The text is empty.")
	}
	return len(text)
}

// dialogue checks an example of supervised training.
func (c *Check) dialogue(example object) int {
	c.unknown("", example, "messages", "tools", "parallel_tool_calls")
	list, is := c.messages("messages", example["messages"])
	if !is {
		return 0
	}
	return c.conversation("messages", list, true)
}

// preference checks an example of preference training. The answers are one
// message each beside the prompt in messages, or whole dialogues that differ in
// their last message.
func (c *Check) preference(example object) int {
	c.unknown("", example, "messages", "chosen", "rejected", "tools", "parallel_tool_calls")
	if example["chosen"] == nil || example["rejected"] == nil {
		c.error(NoPreference, c.start, "", `Each example has a "chosen" and a "rejected" answer.`, "The example has no preferred and rejected answer.")
		return 0
	}
	if _, whole := example["chosen"].([]any); whole && example["messages"] == nil {
		return c.wholePreference(example)
	}
	list, is := c.messages("messages", example["messages"])
	if !is {
		return 0
	}
	said := c.conversation("messages", list, false)
	if n := len(list); n > 0 && role(list[n-1]) == "assistant" {
		c.error(BadPreference, c.start, fmt.Sprintf("messages[%d]", n-1), "", "The prompt ends with an answer; it has to end with what is answered.")
	}
	for _, name := range []string{"chosen", "rejected"} {
		if one, is := example[name].([]any); is && len(one) == 1 {
			example[name] = one[0]
		}
		answer, is := example[name].(object)
		if !is || role(answer) != "assistant" {
			c.error(BadPreference, c.start, name, `Write {"role": "assistant", "content": "…"}.`, "The answer is no message of the assistant.")
			continue
		}
		said += c.message(name, answer)
	}
	return said
}

// wholePreference checks two dialogues that share their prompt.
func (c *Check) wholePreference(example object) int {
	var both [2][]object
	said := 0
	for i, name := range []string{"chosen", "rejected"} {
		list, is := c.messages(name, example[name])
		if !is {
			return said
		}
		both[i] = list
		said += c.conversation(name, list, true)
	}
	a, b := both[0], both[1]
	if len(a) != len(b) || !slices.EqualFunc(a[:len(a)-1], b[:len(b)-1], func(x, y object) bool {
		return role(x) == role(y) && fmt.Sprint(x["content"]) == fmt.Sprint(y["content"])
	}) {
		c.error(OtherPrompt, c.start, "rejected", "", "The two dialogues differ in more than their last message.")
	}
	return said
}

// unknown warns of keys that no training looks at.
func (c *Check) unknown(path string, o object, known ...string) {
	var odd []string
	for key := range o {
		if !slices.Contains(known, key) {
			odd = append(odd, key)
		}
	}
	slices.Sort(odd)
	for _, key := range odd {
		hint := "It changes nothing. Take it out, or keep it for yourself."
		if key == "weight" || key == "loss_weight" {
			hint = "Every turn of the assistant is trained on alike."
		}
		c.warn(KeyIgnored, join(path, short(key)), hint, "The key %q is ignored.", short(key))
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func role(m object) string {
	text, _ := m["role"].(string)
	return text
}
