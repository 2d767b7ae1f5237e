package adminapi

import (
	"net/http"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Key is an API key of a workspace, without its secret.
type Key struct {
	ID            string     `json:"id" example:"key-2m5n8p1r4t7w0y3b"`
	Workspace     string     `json:"workspace" example:"llm-3kq7x0v9d2m5n8p1"`
	Description   string     `json:"description"`
	State         string     `json:"state" enum:"enabled,disabled,expired,owner-left,owner-disabled"`
	Masked        string     `json:"masked" doc:"The secret's beginning and its last four characters."`
	Owner         *string    `json:"owner" doc:"Who made it. The key works as long as they may be in its workspace; null: gone for good."`
	OwnerName     string     `json:"owner_name" example:"alice@acme"`
	Models        *[]string  `json:"models" doc:"null: every model that the workspace may use."`
	Networks      *[]string  `json:"networks" doc:"null: from everywhere."`
	CreatedAt     time.Time  `json:"created_at"`
	LastUsedAt    *time.Time `json:"last_used_at" doc:"null: never. The last use was then or up to five minutes later."`
	DisabledAt    *time.Time `json:"disabled_at"`
	ExpiresAt     *time.Time `json:"expires_at" doc:"null: never."`
	PreviousUntil *time.Time `json:"previous_secret_until" doc:"Until when the secret before the last reset works on; null: it does not."`
	Version       int64      `json:"version" doc:"The ETag is this number in quotes."`
}

func (k Key) version() int64 { return k.Version }

// KeyTerms are what is said of a key.
type KeyTerms struct {
	Description Opt[string]    `json:"description" doc:"What it is for, at most 200 characters."`
	Models      Opt[[]string]  `json:"models" doc:"Narrows the key to these models; null: every model that the workspace may use."`
	Networks    Opt[[]string]  `json:"networks" doc:"Narrows the key to at most 20 IPv4 or IPv6 addresses or ranges; null or none: from everywhere."`
	ExpiresAt   Opt[time.Time] `json:"expires_at" doc:"null: never. On a new key, absent: a year from now."`
}

// IssuedKey is a key with its secret.
type IssuedKey struct {
	Key    Key    `json:"key"`
	Secret string `json:"secret" secret:"true" doc:"It is shown in this answer alone; only its digest is kept. A repetition with the same Idempotency-Key and the same admin key shows it again for a day."`
}

func (k IssuedKey) version() int64 { return k.Key.Version }

// KeyReset says how a key is given a new secret.
type KeyReset struct {
	Overlap int64 `json:"overlap_seconds" doc:"How long the old secret works on, at most 604800 (seven days). 0: it ends at once."`
}

func (c *call) keyOf(k apikey.Key) Key {
	out := Key{
		ID: string(k.ID), Workspace: string(k.Workspace), Description: k.Description, State: string(k.State(c.server.Now())), Masked: secret.Masked(k.Hint), OwnerName: k.OwnerName,
		CreatedAt: k.CreatedAt, LastUsedAt: when(k.LastUsedAt), DisabledAt: when(k.DisabledAt), ExpiresAt: when(k.ExpiresAt), Version: k.Version,
	}
	if k.Owner != "" {
		owner := string(k.Owner)
		out.Owner = &owner
	}
	if k.Models != nil {
		models := words(k.Models)
		out.Models = &models
	}
	if k.Networks != nil {
		networks := make([]string, len(k.Networks))
		for i, n := range k.Networks {
			networks[i] = n.String()
		}
		out.Networks = &networks
	}
	if c.server.Now().Before(k.PreviousUntil) {
		out.PreviousUntil = when(k.PreviousUntil)
	}
	return out
}

func keyOperations() []operation {
	const group, all, one = "API keys", "/workspaces/{workspace}/keys", "/workspaces/{workspace}/keys/{key}"
	filters := []parameter{
		{name: "search", about: "Part of the description or of the id, or the last four characters of the secret."},
		{name: "state", about: "Those alone that are so.", choices: []string{"enabled", "disabled", "expired", "owner-left"}},
		{name: "sort", about: "Usual: the newest first. used: those used last first. expires: those that expire first.", choices: []string{"used", "expires"}},
		{name: "reversed", about: "true: the other way round.", kind: "boolean"},
	}
	return []operation{
		{group: group, id: "listAllKeys", method: "GET", path: "/keys", action: access.Enter, summary: "List the API keys of every workspace",
			query: filters, paged: true, answer: Page[Key]{}, run: listKeys},
		{group: group, id: "listKeys", method: "GET", path: all, action: access.ReadKeys, summary: "List the API keys of a workspace",
			query: filters, paged: true, answer: Page[Key]{}, run: listKeys},
		{group: group, id: "issueKey", method: "POST", path: all, action: access.IssueKeys, summary: "Create an API key",
			notes: "It belongs to the owner of the admin key.", body: KeyTerms{}, answer: IssuedKey{}, status: http.StatusCreated, fails: []int{409}, run: issueKey},
		{group: group, id: "getKey", method: "GET", path: one, action: access.ReadKeys, summary: "Read an API key", answer: Key{},
			run: onKey(func(*call, ident.Key) error { return nil })},
		{group: group, id: "changeKey", method: "PATCH", path: one, action: access.ChangeKeys, summary: "Change an API key's terms", notes: "What is absent stays.",
			body: KeyTerms{}, answer: Key{}, match: true, run: onKey(changeKey)},
		{group: group, id: "disableKey", method: "POST", path: one + "/disable", action: access.ChangeKeys, summary: "Disable an API key", notes: "It is refused from the next call on, until it is enabled again.",
			answer: Key{}, run: onKey(func(c *call, k ident.Key) error { return c.services.Keys.Disable(c.ctx, c.by, c.place, k) })},
		{group: group, id: "enableKey", method: "POST", path: one + "/enable", action: access.ChangeKeys, summary: "Enable an API key",
			answer: Key{}, run: onKey(func(c *call, k ident.Key) error { return c.services.Keys.Enable(c.ctx, c.by, c.place, k) })},
		{group: group, id: "resetKey", method: "POST", path: one + "/reset", action: access.ChangeKeys, summary: "Give an API key a new secret", notes: "If-Match may be sent, and then must name the present version.",
			body: KeyReset{}, answer: IssuedKey{}, fails: []int{412}, run: resetKey},
		{group: group, id: "deleteKey", method: "DELETE", path: one, action: access.ChangeKeys, summary: "Delete an API key", notes: "For good: every program that presents it is refused from the next call on.", run: deleteKey},
	}
}

// onKey does something to the key that the path names and answers with what the
// key is then.
func onKey(do func(*call, ident.Key) error) func(*call) (any, error) {
	return func(c *call) (any, error) {
		id, err := c.apiKey()
		if err != nil {
			return nil, err
		}
		if err := do(c, id); err != nil {
			return nil, err
		}
		k, err := c.services.Keys.Find(c.ctx, c.by, c.place, id)
		return c.keyOf(k), err
	}
}

func listKeys(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	reversed, err := c.flag("reversed")
	if err != nil {
		return nil, err
	}
	f := apikey.Filter{Search: c.text("search"), State: apikey.State(c.text("state")), Order: apikey.Order(c.text("sort")), Reversed: reversed, After: c.text("after"), Limit: limit}
	as := func(k apikey.Listed) Key { return c.keyOf(k.Key) }
	if c.place == "" {
		found, next, err := c.services.Keys.ListAll(c.ctx, c.by, f)
		return pageOf(found, next, err, as)
	}
	found, next, err := c.services.Keys.List(c.ctx, c.by, c.place, f)
	return pageOf(found, next, err, as)
}

// terms puts what was said over what is there.
func (in KeyTerms) terms(is apikey.Terms) apikey.Terms {
	if in.Description.Said {
		is.Description = in.Description.Value // null: none
	}
	if in.Models.Said {
		is.Scope.OnlyModels, is.Scope.Models = !in.Models.Null, in.Models.Value
	}
	if in.Networks.Said {
		is.Scope.Networks = in.Networks.Value
	}
	if in.ExpiresAt.Said {
		is.ExpiresAt = in.ExpiresAt.Value // null: never
	}
	is.Scope.Custom = is.Scope.OnlyModels || len(is.Scope.Networks) > 0
	return is
}

func termsOf(k apikey.Key) apikey.Terms {
	t := apikey.Terms{Description: k.Description, ExpiresAt: k.ExpiresAt}
	t.Scope.OnlyModels, t.Scope.Models = k.Models != nil, words(k.Models)
	for _, n := range k.Networks {
		t.Scope.Networks = append(t.Scope.Networks, n.String())
	}
	return t
}

func issueKey(c *call) (any, error) {
	var in KeyTerms
	if err := c.read(&in); err != nil {
		return nil, err
	}
	k, text, err := c.services.Keys.Issue(c.ctx, c.by, c.place, in.terms(apikey.Terms{ExpiresAt: c.server.Now().Add(apikey.UsualLife)}))
	if err != nil {
		return nil, err
	}
	return IssuedKey{c.keyOf(k), text.Reveal()}, nil
}

func changeKey(c *call, id ident.Key) error {
	var in KeyTerms
	if err := c.read(&in); err != nil {
		return err
	}
	k, err := c.services.Keys.Find(c.ctx, c.by, c.place, id)
	if err != nil {
		return err
	}
	return c.services.Keys.Edit(c.ctx, c.by, c.place, id, in.terms(termsOf(k)), c.match)
}

func resetKey(c *call) (any, error) {
	var in KeyReset
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := c.apiKey()
	if err != nil {
		return nil, err
	}
	k, err := c.services.Keys.Find(c.ctx, c.by, c.place, id)
	if err != nil {
		return nil, err
	}
	version := k.Version
	if c.match != 0 {
		version = c.match
	}
	if in.Overlap < 0 || in.Overlap > int64(apikey.OverlapMax/time.Second) {
		return nil, fault.Field("overlap", "The old secret may work on for at most seven days, 604800 seconds.")
	}
	_, text, err := c.services.Keys.Reset(c.ctx, c.by, c.place, id, time.Duration(in.Overlap)*time.Second, version)
	if err != nil {
		return nil, err
	}
	k, err = c.services.Keys.Find(c.ctx, c.by, c.place, id)
	return IssuedKey{c.keyOf(k), text.Reveal()}, err
}

func deleteKey(c *call) (any, error) {
	id, err := c.apiKey()
	if err != nil {
		return nil, err
	}
	return nil, c.services.Keys.Delete(c.ctx, c.by, c.place, id)
}
