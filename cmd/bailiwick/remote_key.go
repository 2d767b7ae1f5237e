package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bailiwick/internal/adminapi"
)

type keyCommand struct {
	List    keyListCommand    `cmd:"" help:"List API keys."`
	Add     keyAddCommand     `cmd:"" help:"Create an API key and print its secret, once."`
	Edit    keyEditCommand    `cmd:"" help:"Change an API key's terms."`
	Disable keyDisableCommand `cmd:"" help:"Disable an API key until it is enabled again."`
	Enable  keyEnableCommand  `cmd:"" help:"Enable an API key."`
	Reset   keyResetCommand   `cmd:"" help:"Give an API key a new secret and print it, once."`
	Delete  keyDeleteCommand  `cmd:"" help:"Delete an API key for good."`
}

type keyListCommand struct {
	remote
	Workspace string `help:"Only of this one, by id or name."`
	Search    string `help:"Part of the description or id, or the secret's last four characters."`
	State     string `help:"enabled, disabled, expired or owner-left." enum:",enabled,disabled,expired,owner-left" default:""`
}

// Run lists keys.
func (c keyListCommand) Run(ctx context.Context) error {
	path := "/keys"
	if c.Workspace != "" {
		w, err := c.workspaceNamed(ctx, c.Workspace)
		if err != nil {
			return err
		}
		path = "/workspaces/" + w.ID + "/keys"
	}
	found, err := every[adminapi.Key](ctx, c.remote, path, said("search", c.Search, "state", c.State), 0)
	if err != nil {
		return err
	}
	return show(c.remote, found, "ID WORKSPACE DESCRIPTION KEY OWNER STATE LAST-USED EXPIRES", func(k adminapi.Key) []string {
		return []string{k.ID, k.Workspace, k.Description, k.Masked, k.OwnerName, k.State, date(k.LastUsedAt), date(k.ExpiresAt)}
	})
}

// keyTerms are what narrows a key. What is not said stays.
type keyTerms struct {
	Description *string  `help:"What the key is for."`
	Model       []string `help:"Only this model; may be repeated."`
	AllModels   bool     `help:"Every model that the workspace may use." xor:"model"`
	Network     []string `help:"Only from this address or range; may be repeated."`
	Anywhere    bool     `help:"From everywhere."`
	Expires     *end     `help:"When it expires: a day, to its end in UTC, such as 2027-11-20, or 2027-11-20T12:00:00Z." xor:"expires"`
	Never       bool     `help:"It does not expire." xor:"expires"`
}

// end is when something ends, as it is written on the command line.
type end time.Time

// UnmarshalText reads a day, which means its last second in UTC as in the
// console, or a moment.
func (e *end) UnmarshalText(text []byte) error {
	if day, err := time.Parse(time.DateOnly, string(text)); err == nil {
		*e = end(day.AddDate(0, 0, 1).Add(-time.Second))
		return nil
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is no day such as 2027-11-20 and no moment such as 2027-11-20T12:00:00Z", text)
	}
	*e = end(at)
	return nil
}

func (t keyTerms) body() map[string]any {
	body := map[string]any{}
	if t.Description != nil {
		body["description"] = *t.Description
	}
	if t.AllModels {
		body["models"] = nil
	} else if t.Model != nil {
		body["models"] = t.Model
	}
	if t.Anywhere {
		body["networks"] = nil
	} else if t.Network != nil {
		body["networks"] = t.Network
	}
	if t.Never {
		body["expires_at"] = nil
	} else if t.Expires != nil {
		body["expires_at"] = time.Time(*t.Expires)
	}
	return body
}

type keyAddCommand struct {
	remote
	Workspace string `arg:"" help:"Its id or name."`
	keyTerms
}

// Run creates a key.
func (c keyAddCommand) Run(ctx context.Context) error {
	w, err := c.workspaceNamed(ctx, c.Workspace)
	if err != nil {
		return err
	}
	var k adminapi.IssuedKey
	if err := c.do(ctx, http.MethodPost, "/workspaces/"+w.ID+"/keys", c.body(), &k); err != nil {
		return err
	}
	return say(c.remote, k, "%s %s", k.Key.ID, k.Secret)
}

// aKey names an API key.
type aKey struct {
	remote
	Key string `arg:"" help:"Its id."`
}

func (c aKey) act(ctx context.Context, what, done string) error {
	k, path, err := c.keyNamed(ctx, c.Key)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPost, path+"/"+what, nil, &k); err != nil {
		return err
	}
	return say(c.remote, k, "%s is %s", k.ID, done)
}

type (
	keyDisableCommand struct{ aKey }
	keyEnableCommand  struct{ aKey }
	keyDeleteCommand  struct{ aKey }
)

// Run disables a key.
func (c keyDisableCommand) Run(ctx context.Context) error { return c.act(ctx, "disable", "disabled") }

// Run enables a key.
func (c keyEnableCommand) Run(ctx context.Context) error { return c.act(ctx, "enable", "enabled") }

// Run deletes a key.
func (c keyDeleteCommand) Run(ctx context.Context) error {
	k, path, err := c.keyNamed(ctx, c.Key)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	return say(c.remote, nil, "%s is deleted", k.ID)
}

type keyEditCommand struct {
	aKey
	keyTerms
}

// Run changes a key's terms.
func (c keyEditCommand) Run(ctx context.Context) error {
	k, path, err := c.keyNamed(ctx, c.Key)
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPatch, path, c.body(), &k, ifMatch(k.Version)...); err != nil {
		return err
	}
	return say(c.remote, k, "%s is changed", k.ID)
}

type keyResetCommand struct {
	aKey
	Overlap time.Duration `help:"How long the old secret works on, at most 168h; 0: it ends at once." default:"0s"`
}

// Run gives a key a new secret.
func (c keyResetCommand) Run(ctx context.Context) error {
	_, path, err := c.keyNamed(ctx, c.Key)
	if err != nil {
		return err
	}
	var k adminapi.IssuedKey
	if err := c.do(ctx, http.MethodPost, path+"/reset", adminapi.KeyReset{Overlap: int64(c.Overlap / time.Second)}, &k); err != nil {
		return err
	}
	return say(c.remote, k, "%s %s", k.Key.ID, k.Secret)
}
