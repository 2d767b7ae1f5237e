package adminapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/secret"
)

// object is a JSON object; its members are written in the order of their names.
type object = map[string]any

const about = `Plain JSON for people and keys: the same rules and services as the console, as the owner of the admin key.

**Authentication.** Authorization: Bearer with an admin key, which root or a super administrator makes in the console. It has the rights its owner has at that moment. The API key of a workspace is refused here, and an admin key at the gateway.

**Bodies** are read strictly: a member that is unknown, written in another case or there twice is refused with its path.

**Lists** are pages: limit and after, and next in the answer.

**Versions.** What can be changed carries a version and an ETag. PUT and PATCH need If-Match (428 without it, 412 when somebody else was faster).

**Repeating.** Every POST takes an Idempotency-Key of up to 255 characters. What it changes and its answer are kept together for 24 hours: the same request again is not carried out again but given the same answer, with Idempotent-Replayed: true. The answer is sealed with the admin key that was presented, so that only who holds it is given it again, secrets too. The same key with another request is refused (422); while the first is being carried out, 409 with Retry-After. A request that was refused may be repeated.

**Refusals** have one form: error.code for programs, error.message for people, error.field for what it is about, error.request_id for whoever looks into it.`

// Document is the OpenAPI document of every operation, for a server at that
// address.
func Document(base string) ([]byte, error) {
	d := documenter{schemas: object{}}
	paths := object{}
	var groups []any
	last := ""
	for _, o := range operations() {
		if o.group != last {
			groups, last = append(groups, object{"name": o.group}), o.group
		}
		at, _ := paths[Prefix+o.path].(object)
		if at == nil {
			at = object{}
			paths[Prefix+o.path] = at
		}
		at[strings.ToLower(o.method)] = d.operation(o, base)
	}
	d.of(Failure{})
	return json.Marshal(object{
		"openapi":  "3.0.3",
		"info":     object{"title": "Bailiwick management API", "version": "1", "description": about},
		"servers":  []any{object{"url": base}},
		"tags":     groups,
		"paths":    paths,
		"security": []any{object{"adminKey": []any{}}},
		"components": object{
			"schemas":         d.schemas,
			"securitySchemes": object{"adminKey": object{"type": "http", "scheme": "bearer", "bearerFormat": secret.AdminPrefix + "…"}},
		},
	}, json.Deterministic(true), jsontext.WithIndent("  "))
}

// words of the refusals, by status.
var refusals = map[int]string{
	http.StatusBadRequest:           "The request is malformed; error.field says where.",
	http.StatusUnauthorized:         "The admin key is missing, wrong, revoked, expired, or its owner has no full access any more.",
	http.StatusForbidden:            "The owner of the admin key may not do this, or it may not be used from this address.",
	http.StatusNotFound:             "There is no such thing, or it is somebody else's.",
	http.StatusConflict:             "What is asked for collides with what is there: a name that is taken, a limit, something that would be left alone. Or, with code in_progress, the same request is being carried out.",
	http.StatusPreconditionFailed:   "Somebody else changed it meanwhile. Read it again.",
	http.StatusUnprocessableEntity:  "What was said cannot be done as said; error.field says what. Or the Idempotency-Key was used for another request.",
	http.StatusPreconditionRequired: "If-Match is missing.",
	http.StatusTooManyRequests:      "Try again after Retry-After.",
	http.StatusInternalServerError:  "A failure of ours.",
	http.StatusServiceUnavailable:   "Something we need does not answer.",
	413:                             "The body is too large.",
	415:                             "The body is not application/json.",
}

// refusalsOf are the statuses an operation can be refused with.
func (o operation) refusalsOf() []int {
	all := append([]int{400, 401, 403, 404, 413, 422, 429, 500, 503}, o.fails...)
	if o.body != nil {
		all = append(all, 415)
	}
	if o.match {
		all = append(all, 412, 428)
	}
	if idempotent(o) {
		all = append(all, 409)
	}
	return all
}

type documenter struct{ schemas object }

func (d documenter) operation(o operation, base string) object {
	out := object{
		"operationId": o.id, "summary": o.summary, "tags": []any{o.group}, "x-action": string(o.action),
		"x-codeSamples": []any{object{"lang": "curl", "label": "curl", "source": o.curl(base)}},
	}
	notes := "Needs " + string(o.action) + "."
	if o.notes != "" {
		notes = o.notes + " " + notes
	}
	out["description"] = notes
	if list := d.parameters(o); len(list) > 0 {
		out["parameters"] = list
	}
	if o.body != nil {
		out["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": d.of(o.body)}}}
	}
	out["responses"] = d.responses(o)
	return out
}

var pathParameter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\w+)\}`) })

// pathParts describe what a path can name.
var pathParts = map[string]object{
	"workspace":  {"description": "The Workspace ID.", "example": "llm-3kq7x0v9d2m5n8p1"},
	"user":       {"description": "The user's id.", "example": "usr-7d2k9f0a1c3e5g8h"},
	"key":        {"description": "The key's id, not its secret.", "example": "key-2m5n8p1r4t7w0y3b"},
	"model":      {"description": "The model's id; a slash in it is written as %2F.", "example": "qwen-turbo"},
	"capability": {"description": "Model Calling, Model Training or Model Deployment.", "example": "call", "enum": []any{"call", "train", "deploy"}},
	"provider":   {"description": "The provider's id.", "example": "prv-4t7w0y3b6e9h2k5m"},
	"event":      {"description": "The line's id.", "example": "evt-9a1b2c3d4e5f6g7h8i9j"},
}

func (d documenter) parameters(o operation) (list []any) {
	for _, found := range pathParameter().FindAllStringSubmatch(o.path, -1) {
		part := pathParts[found[1]]
		schema := object{"type": "string"}
		if choices, ok := part["enum"]; ok {
			schema["enum"] = choices
		}
		list = append(list, object{"name": found[1], "in": "path", "required": true, "description": part["description"], "example": part["example"], "schema": schema})
	}
	for _, p := range o.parameters() {
		schema := object{"type": "string"}
		switch {
		case p.kind == "date-time":
			schema["format"] = p.kind
		case p.kind != "":
			schema["type"] = p.kind
		}
		if p.choices != nil {
			schema["enum"] = p.choices
		}
		list = append(list, object{"name": p.name, "in": "query", "description": p.about, "schema": schema})
	}
	if o.match {
		list = append(list, object{"name": "If-Match", "in": "header", "required": true, "description": "The ETag of what the change was made from.", "example": `"1"`, "schema": object{"type": "string"}})
	}
	if idempotent(o) {
		list = append(list, object{"name": idempotencyKey, "in": "header", "description": "A fresh text for each thing wanted: a repetition is not carried out again.", "schema": object{"type": "string", "maxLength": idempotencyMax}})
	}
	return list
}

func (d documenter) responses(o operation) object {
	fine := object{"description": "Done."}
	headers := object{"X-Request-Id": header("The request's id.")}
	if o.answer != nil {
		fine["content"] = object{"application/json": object{"schema": d.of(o.answer)}}
		if _, ok := o.answer.(versioned); ok {
			headers["ETag"] = header("The version, in quotes.")
		}
	}
	if idempotent(o) {
		headers["Idempotent-Replayed"] = header("true: the answer was given before.")
	}
	fine["headers"] = headers
	all := object{strconv.Itoa(o.succeeds()): fine}
	for _, status := range o.refusalsOf() {
		all[strconv.Itoa(status)] = object{"description": refusals[status], "content": object{"application/json": object{"schema": d.of(Failure{})}}}
	}
	return all
}

func header(words string) object {
	return object{"description": words, "schema": object{"type": "string"}}
}

// curl is a line that asks for the operation, with examples filled in.
func (o operation) curl(base string) string {
	path := pathParameter().ReplaceAllStringFunc(o.path, func(part string) string {
		example, _ := pathParts[strings.Trim(part, "{}")]["example"].(string)
		return example
	})
	var b strings.Builder
	b.WriteString("curl ")
	if o.method != http.MethodGet {
		b.WriteString("-X " + o.method + " ")
	}
	b.WriteString(base + Prefix + path + " \\\n  -H \"Authorization: Bearer $BAILIWICK_ADMIN_KEY\"")
	if o.match {
		b.WriteString(" \\\n  -H 'If-Match: \"1\"'")
	}
	if idempotent(o) {
		b.WriteString(" \\\n  -H \"Idempotency-Key: $(uuidgen)\"")
	}
	if o.body != nil {
		b.WriteString(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '" + exampleOf(o.body) + "'")
	}
	return b.String()
}
