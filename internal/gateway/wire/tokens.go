package wire

import "bytes"

// MostTokens is the largest figure that is believed of one call.
const MostTokens = 100_000_000

// Tokens is what an answer says it consumed.
type Tokens struct {
	Said    bool // it said something
	Doubted bool // a figure was missing, negative, fractional or absurd; it counts as 0 here
	Input   int
	Output  int
	Cached  int // of Input
	Reason  int // of Output
	Created int // of Input, and not of Cached: written to a cache
}

// ReadTokens reads a usage object of the OpenAI protocol, under its older or
// its newer names; null says nothing. Where no text is answered there is no
// output, and a total is what was put in.
func ReadTokens(raw []byte, answers bool) (t Tokens) {
	if Null(raw) {
		return t
	}
	t.Said = true
	var room, inner [usual]Member
	o, err := ParseIn(raw, room[:0])
	if err != nil {
		t.Doubted = true
		return t
	}
	t.Input = t.figure(first(raw, o, "prompt_tokens", "input_tokens", orTotal[answers]), true)
	t.Output = t.figure(first(raw, o, "completion_tokens", "output_tokens", ""), answers)
	details := first(raw, o, "prompt_tokens_details", "input_tokens_details", "")
	put := t.inner(inner[:0], details)
	t.Cached = min(t.Input, t.figure(first(details, put, "cached_tokens", "", ""), false))
	t.Created = min(t.Input-t.Cached, t.figure(first(details, put, "cache_creation_input_tokens", "", ""), false))
	details = first(raw, o, "completion_tokens_details", "output_tokens_details", "")
	t.Reason = min(t.Output, t.figure(first(details, t.inner(inner[:0], details), "reasoning_tokens", "", ""), false))
	return t
}

// Raise takes over what a later usage object says. Figures only grow: what was
// said once is not taken back.
func (t *Tokens) Raise(later Tokens) {
	t.Said = t.Said || later.Said
	t.Doubted = t.Doubted || later.Doubted
	t.Input, t.Output = max(t.Input, later.Input), max(t.Output, later.Output)
	t.Cached, t.Reason, t.Created = max(t.Cached, later.Cached), max(t.Reason, later.Reason), max(t.Created, later.Created)
}

func (t *Tokens) figure(raw []byte, needed bool) int {
	if Null(raw) {
		t.Doubted = t.Doubted || needed
		return 0
	}
	n, ok := Int(raw)
	if !ok || n < 0 || n > MostTokens {
		t.Doubted = true
		return 0
	}
	return int(n)
}

var orTotal = map[bool]string{false: "total_tokens", true: ""}

// first is the first member that says something, of an object and its text. (That
// it is cut from the text and not from the object leaves the members of objects
// that are dropped on the stack.)
func first(text []byte, o Object, a, b, c string) []byte {
	for _, name := range [...]string{a, b, c} {
		if m := o.Find(name); m != nil && !Null(text[m.Start:m.End]) {
			return text[m.Start:m.End]
		}
	}
	return nil
}

// inner reads the details of a figure; one of nothing when there are none.
func (t *Tokens) inner(room []Member, raw []byte) Object {
	if raw == nil {
		return Object{}
	}
	d, err := ParseIn(raw, room)
	t.Doubted = t.Doubted || err != nil
	return d
}

// HasName reports whether a text holds name as a JSON name or string with a
// value that is not null. It is quick and may say yes where a parser would
// say no, never no where a parser would say yes, unless the name is escaped.
func HasName(text []byte, name string) bool {
	for {
		i := after(text, name)
		if i < 0 {
			return false
		}
		text = text[i:]
		rest := bytes.TrimLeft(text, " \t\r\n")
		if len(rest) == 0 || rest[0] != ':' {
			continue
		}
		if !bytes.HasPrefix(bytes.TrimLeft(rest[1:], " \t\r\n"), []byte("null")) {
			return true
		}
	}
}

// after is where a text goes on behind the next string that begins like this and
// ends; -1 when there is none. The quote before it is looked at last: in JSON it
// stands everywhere, and a search that begins with it is slow. So is one that
// begins with the commonest letter.
func after(text []byte, name string) int {
	rare := name
	if name[0] == 'e' {
		rare = name[1:]
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(rare))
		if i < 0 {
			return -1
		}
		if at += i + len(rare); at < len(text) && text[at] == '"' && at > len(name) && text[at-len(name)-1] == '"' && text[at-len(name)] == name[0] {
			return at + 1
		}
	}
}

var (
	spoken = []string{"content", "reasoning_content", "reasoning", "arguments"}
	texts  = []string{"text"}
	deltas = []string{"delta"}
)

// SpokenPiece measures a piece of an answer that has its text within delta. Most
// hold nothing but content, and those are quick.
func SpokenPiece(text []byte) (n int) {
	for {
		i := after(text, "delta")
		if i < 0 {
			return n + spokenIn(text, spoken)
		}
		content, plain := bytes.CutPrefix(text[i:], []byte(`:{"content":"`))
		if !plain {
			return n + spokenIn(text, spoken)
		}
		size := closing(content)
		if size+1 >= len(content) || content[size+1] != '}' {
			return n + spokenIn(text, spoken)
		}
		n += size
		if text = content[size+2:]; after(text, "delta") < 0 {
			return n
		}
	}
}

// SpokenText measures an answer that has its text under the name text, and
// SpokenDelta a piece of one that has it under the name delta.
func SpokenText(text []byte) int  { return spokenIn(text, texts) }
func SpokenDelta(text []byte) int { return spokenIn(text, deltas) }

// Spoken measures roughly, in bytes, the text of an answer or a piece of one:
// the values of content, reasoning and arguments.
func Spoken(text []byte) int { return spokenIn(text, spoken) }

func spokenIn(text []byte, names []string) (n int) {
	for _, name := range names {
		for rest := text; ; {
			i := after(rest, name)
			if i < 0 {
				break
			}
			for rest = rest[i:]; len(rest) > 0 && (rest[0] == ':' || rest[0] == ' '); {
				rest = rest[1:]
			}
			if len(rest) == 0 || rest[0] != '"' {
				continue
			}
			size := closing(rest[1:])
			n += size
			rest = rest[1+size:]
		}
	}
	return n
}

// closing finds the quote that ends a JSON string.
func closing(s []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(s[at:], '"')
		if i < 0 {
			return len(s)
		}
		at += i
		slashes := 0
		for at-slashes > 0 && s[at-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
		at++
	}
}

// Picture is what a picture that is sent within a text counts for, in bytes of
// text: about a thousand tokens.
const Picture = 3 << 10

var packedMark = []byte(";base64,")

// Text is the size of a JSON text in which pictures count as Picture, however
// large they are.
func Text(raw []byte) int {
	size := len(raw)
	for {
		i := bytes.Index(raw, packedMark)
		if i < 0 {
			return size
		}
		raw = raw[i+len(packedMark):]
		packed := closing(raw)
		if packed > Picture {
			size += Picture - packed
		}
		raw = raw[packed:]
	}
}

// Estimate is how many tokens a text of so many bytes is taken for when nobody
// says: a third, rounded up.
func Estimate(bytes int) int { return (bytes + 2) / 3 }
