package dataset

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// roles are who can speak in a dialogue.
var roles = []string{"system", "developer", "user", "assistant", "tool"}

// messages reads a list of messages; false: it is none.
func (c *Check) messages(path string, value any) ([]object, bool) {
	values, is := value.([]any)
	if !is || len(values) == 0 {
		c.error(NoMessages, c.start, path, `Write each example as {"messages": [{"role": "user", "content": "…"}, …]}.`, "The example has no list of messages.")
		return nil, false
	}
	if len(values) > c.limits.Messages {
		c.error(TooManyMessages, c.start, path, "Split the dialogue.", "The example has %d messages; there may be %d.", len(values), c.limits.Messages)
		return nil, false
	}
	list := make([]object, len(values))
	for i, v := range values {
		if list[i], is = v.(object); !is {
			c.error(NotMessage, c.start, fmt.Sprintf("%s[%d]", path, i), "", "The message is no object.")
			return nil, false
		}
	}
	return list, true
}

// conversation checks who speaks when, and gives the bytes of what is said.
func (c *Check) conversation(path string, list []object, answered bool) (said int) {
	user, assistant := false, false
	open := map[string]bool{} // calls of tools that no message answers yet
	for i, m := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		who := role(m)
		switch {
		case !slices.Contains(roles, who):
			c.error(BadRole, c.start, at+".role", "Roles are "+strings.Join(roles, ", ")+".", "The message has no such role.")
			continue
		case (who == "system" || who == "developer") && i > 0:
			c.error(SystemNotFirst, c.start, at+".role", "Begin the dialogue with it.", "A %s message stands only at the beginning.", who)
		case who == "user":
			user = true
		case who == "assistant" && !user:
			c.error(NoUserBefore, c.start, at, "", "The assistant speaks before the user said anything.")
			user = true // said once
		case who == "tool":
			c.toolAnswer(at, m, open)
		}
		assistant = who == "assistant"
		if i > 0 && who != "tool" && role(list[i-1]) == who {
			c.warn(SameRoleAgain, at+".role", "Some models take turns only: put what is said into one message.", "The %s speaks twice in a row.", who)
		}
		said += c.message(at, m)
		for _, id := range callIDs(m) {
			open[id] = true
		}
		if i == 0 && (who == "system" || who == "developer") {
			c.system(m)
		}
	}
	if answered && !assistant {
		c.error(LastNotAnswer, c.start, fmt.Sprintf("%s[%d]", path, len(list)-1), "A model learns from answers.", "The last message is not the assistant's.")
	}
	return said
}

// message checks what one message says.
func (c *Check) message(at string, m object) (said int) {
	c.unknown(at, m, "role", "content", "tool_calls", "tool_call_id", "reasoning_content")
	calls, calling := m["tool_calls"]
	if calling {
		c.toolCalls(at, role(m), calls)
	}
	switch content := m["content"].(type) {
	case string:
		if said = len(content); strings.TrimSpace(content) == "" && role(m) == "assistant" && !calling {
			c.error(EmptyContent, c.start, at+".content", "", "The assistant says nothing.")
		}
	case []any:
		said = c.parts(at+".content", content)
	case nil:
		if role(m) != "assistant" || !calling {
			c.error(EmptyContent, c.start, at+".content", "", "The message has no content.")
		}
	default:
		c.error(BadContent, c.start, at+".content", "", "The content is neither a text nor a list of texts.")
	}
	return said
}

// parts checks content that is a list.
func (c *Check) parts(at string, list []any) (said int) {
	for i, part := range list {
		o, is := part.(object)
		text, texts := o["text"].(string)
		kind, named := o["type"].(string)
		if !is || !texts || named && kind != "text" {
			c.error(NotText, c.start, fmt.Sprintf("%s[%d]", at, i), "Pictures, sound and video cannot be trained on here.", "This part of the content is no text.")
			continue
		}
		said += len(text)
	}
	if len(list) == 0 {
		c.error(EmptyContent, c.start, at, "", "The list is empty.")
	}
	return said
}

func (c *Check) toolCalls(at, who string, calls any) {
	list, is := calls.([]any)
	if who != "assistant" || !is || len(list) == 0 {
		c.error(BadToolCalls, c.start, at+".tool_calls", "", "Calls of tools are a list, in a message of the assistant.")
		return
	}
	for i, call := range list {
		o, _ := call.(object)
		f, _ := o["function"].(object)
		id, _ := o["id"].(string)
		name, _ := f["name"].(string)
		if id == "" || name == "" {
			c.error(BadToolCalls, c.start, fmt.Sprintf("%s.tool_calls[%d]", at, i), "", "A call of a tool has an id and a function with a name.")
		}
	}
}

// toolAnswer makes sure that somebody asked for the answer of a tool.
func (c *Check) toolAnswer(at string, m object, open map[string]bool) {
	id, _ := m["tool_call_id"].(string)
	if id == "" || !open[id] {
		c.error(BadToolAnswer, c.start, at+".tool_call_id", "", "The tool answers a call that is not open.")
		return
	}
	delete(open, id)
}

func callIDs(m object) (ids []string) {
	list, _ := m["tool_calls"].([]any)
	for _, call := range list {
		o, _ := call.(object)
		if id, _ := o["id"].(string); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// mostSystems is how many different system prompts are told apart.
const mostSystems = 10_000

func (c *Check) system(m object) {
	c.systemN++
	if text, is := m["content"].(string); is && len(c.systems) < mostSystems {
		c.systems[maphash.String(c.seed, text)] = true
	}
}
