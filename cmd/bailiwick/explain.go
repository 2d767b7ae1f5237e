package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"bailiwick/internal/explanation"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
)

// explainCommand says why a call is allowed or refused. Nothing is called.
type explainCommand struct {
	place
	Account     string `arg:"" help:"The account's name in log-ons, such as acme."`
	Request     string `arg:"" optional:"" help:"Request id of a call that was refused. Without one, the flags say what call is meant."`
	Key         string `help:"Id of an API key." placeholder:"KEY-ID"`
	SecretStdin bool   `help:"Read the secret of a key, permanent or temporary, from standard input instead."`
	Workspace   string `help:"Workspace ID in the header X-DashScope-WorkSpace." placeholder:"ID"`
	Path        string `help:"Workspace ID in the path." placeholder:"ID"`
	Host        string `help:"Workspace ID in the host name." placeholder:"ID"`
	Model       string `help:"Model that is asked for. Without one: only who is calling, and where."`
	Capability  string `help:"What for: call, train or deploy." enum:"call,train,deploy" default:"call"`
	Address     string `help:"Address the call comes from." placeholder:"IP"`
}

// errRefused makes the exit code tell a refusal from leave.
var errRefused = errors.New("refused")

// Run explains one decision and fails when it is a refusal.
func (c explainCommand) Run(ctx context.Context) error {
	ask := explanation.Ask{Key: c.Key, Header: c.Workspace, Path: c.Path, Host: c.Host, Model: c.Model, Capability: c.Capability, Address: c.Address}
	if c.SecretStdin {
		line, err := readLine(stdin)
		if line == "" {
			return fmt.Errorf("no secret on standard input: %w", err)
		}
		ask.Secret = secret.NewText(strings.TrimSpace(line))
	}
	s, err := store.Open(ctx, store.Config{Database: c.Database, Data: c.Data})
	if err != nil {
		return err
	}
	defer s.Close()
	service, account, err := c.service(ctx, s)
	if err != nil {
		return err
	}
	if c.Request != "" {
		past, err := service.AnswerRefused(ctx, account, c.Request)
		if err == nil {
			tellPast(stdout, past)
		}
		return err
	}
	answer, err := service.Answer(ctx, account, ask)
	if err != nil {
		return err
	}
	tellAnswer(stdout, answer)
	if !answer.Allowed {
		return errRefused
	}
	return nil
}

func (c explainCommand) service(ctx context.Context, s *store.Store) (*explanation.Service, ident.Account, error) {
	alias, err := ident.ParseAlias(strings.ToLower(c.Account))
	if err != nil {
		return nil, "", err
	}
	a, err := s.AccountByAlias(ctx, alias)
	if fault.Is(err, fault.Missing) {
		return nil, "", fault.New(fault.Missing, "There is no account %s.", alias)
	}
	if err != nil {
		return nil, "", err
	}
	keeper, err := policy.NewKeeper(ctx, s)
	if err != nil {
		return nil, "", err
	}
	service := &explanation.Service{Store: s, Policy: keeper, Now: time.Now}
	if c.SecretStdin {
		master, err := secret.LoadMaster(c.masterKey())
		if err != nil {
			return nil, "", err
		}
		service.Pepper = master.Pepper()
	}
	return service, a.ID, nil
}

var stateMarks = map[policy.State]string{policy.Passed: "ok ", policy.Failed: "NO ", policy.Unasked: " - "}

func tellAnswer(w io.Writer, a explanation.Answer) {
	verdict := "ALLOWED"
	if !a.Allowed {
		verdict = "REFUSED"
	}
	fmt.Fprintf(w, "%s by version %d of the policy\n\n", verdict, a.Version)
	tellLines(w, a.Lines)
	tellChanges(w, a.Changes)
	for i, b := range a.Bounds {
		if i == 0 {
			fmt.Fprintln(w, "\nThe limits that hold for it:")
		}
		fmt.Fprintf(w, "      %s: %s\n", b.Title, b.Text)
		tellSet(w, b.Set)
	}
}

func tellChanges(w io.Writer, changes []explanation.Change) {
	for i, change := range changes {
		if i == 0 {
			fmt.Fprintln(w, "\nWhat would have to change:")
		}
		fmt.Fprintf(w, "  %d. %s\n     %s can do it. %s\n", i+1, change.Text, change.Who, change.Then)
	}
}

func tellSet(w io.Writer, set *explanation.Set) {
	if set != nil {
		fmt.Fprintf(w, "      %s %s, %s\n", set.By, set.Summary, set.At.UTC().Format(time.RFC3339))
	}
}

func tellLines(w io.Writer, lines []explanation.Line) {
	for _, l := range lines {
		fmt.Fprintf(w, "  %s %s", stateMarks[l.State], l.Title)
		if l.Found != "" {
			fmt.Fprintf(w, ": %s", l.Found)
		}
		fmt.Fprintln(w)
		tellSet(w, l.Set)
	}
}

func tellPast(w io.Writer, p explanation.Past) {
	fmt.Fprintf(w, "REFUSED %s by version %d of the policy: %d %s\n", p.At.UTC().Format(time.RFC3339), p.Version, p.Status, p.Code)
	for _, fact := range [][2]string{{"key", string(p.Key)}, {"unknown key ends in", p.Hint}, {"workspace", string(p.Workspace)}, {"model", string(p.Model)}, {"cause", p.Cause}} {
		if fact[1] != "" {
			fmt.Fprintf(w, "%s: %s\n", fact[0], fact[1])
		}
	}
	fmt.Fprintln(w)
	tellLines(w, p.Lines)
	tellChanges(w, p.Changes)
	if p.Now == nil {
		fmt.Fprintf(w, "\nNOW: %s\n", p.Unasked)
		return
	}
	fmt.Fprint(w, "\nNOW: ")
	tellAnswer(w, *p.Now)
}
