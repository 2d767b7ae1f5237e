package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
)

type auditCommand struct {
	List   auditListCommand   `cmd:"" help:"List lines of the audit trail, through a server."`
	Verify auditVerifyCommand `cmd:"" help:"Name every line of the audit trail that was edited, deleted, inserted or reordered by hand."`
	Head   auditHeadCommand   `cmd:"" help:"Print the signed heads of the audit trail as they are now, a line for each account."`
}

// stdout is where the audit commands write; tests put their own there.
var stdout io.Writer = os.Stdout

// trail opens the database, beside a running server if there is one, and the
// key that heads are signed with. A master key that is not there is not made.
func (p place) trail(ctx context.Context, do func(*store.Store, ed25519.PrivateKey) error) error {
	if _, err := os.Stat(p.masterKey()); err != nil {
		return fmt.Errorf("the heads of the trail are signed with the master key: %w", err)
	}
	master, err := secret.LoadMaster(p.masterKey())
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{Database: p.Database, Data: p.Data})
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s, master.Signer())
}

type auditHeadCommand struct{ place }

// Run prints the heads.
func (c auditHeadCommand) Run(ctx context.Context) error {
	return c.trail(ctx, func(s *store.Store, key ed25519.PrivateKey) error {
		tips, err := s.Tips(ctx)
		for _, t := range tips {
			line, err := json.Marshal(audit.Sign(key, t.Account, t.Seq, t.Hash, time.Now()))
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s\n", line)
		}
		return err
	})
}

type auditVerifyCommand struct {
	place
	Heads string `help:"File of exported heads, best one that was copied elsewhere. Default: audit-heads.jsonl in the data folder." placeholder:"FILE"`
}

// Run verifies every chain. Anything that is wrong is an error, after all of it
// was told.
func (c auditVerifyCommand) Run(ctx context.Context) error {
	exported, err := c.exported()
	if err != nil {
		return err
	}
	return c.trail(ctx, func(s *store.Store, key ed25519.PrivateKey) error {
		accounts, err := s.Accounts(ctx)
		if err != nil {
			return err
		}
		names := map[ident.Account]string{}
		for _, a := range accounts {
			names[a.ID] = string(a.Alias)
		}
		wrong := len(exported.Wrong)
		for _, text := range exported.Wrong {
			fmt.Fprintln(stdout, text)
		}
		err = s.Chains(ctx, func(chain audit.Chain) error {
			r, err := audit.Inspect(chain, exported.Heads[chain.Account], key.Public().(ed25519.PublicKey))
			name := names[chain.Account]
			if name == "" {
				name = string(chain.Account) + " (no such account)"
			}
			delete(exported.Heads, chain.Account)
			wrong += len(r.Findings)
			tell(stdout, name, r)
			return err
		})
		for a, heads := range exported.Heads {
			wrong++
			fmt.Fprintf(stdout, "%s: the whole trail is gone; %d heads of it were exported\n", a, len(heads))
		}
		if err == nil && wrong > 0 {
			err = fmt.Errorf("the audit trail is not what it was: %d findings", wrong)
		}
		return err
	})
}

// exported reads the heads. The default file need not be there yet.
func (c auditVerifyCommand) exported() (audit.Exported, error) {
	path := c.Heads
	if path == "" {
		path = c.heads()
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && c.Heads == "" {
		fmt.Fprintf(stdout, "%s is not there: lines are compared with each other alone\n", path)
		return audit.Exported{}, nil
	}
	if err != nil {
		return audit.Exported{}, err
	}
	defer file.Close()
	return audit.ReadHeads(file)
}

// tell writes what was found in one chain, and how far it is proven.
func tell(to io.Writer, name string, r audit.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(to, "%s: %s\n", name, f.What)
	}
	if !r.Whole() {
		return
	}
	if r.Lines == 0 {
		fmt.Fprintf(to, "%s: no lines\n", name)
		return
	}
	fmt.Fprintf(to, "%s: %d lines, %d to %d, are whole; %s\n", name, r.Lines, r.From, r.To, proof(r))
}

func proof(r audit.Report) string {
	switch p := r.Proven; {
	case p.Seq == 0:
		return "no exported head proves them"
	case p.Seq < r.To:
		return fmt.Sprintf("proven up to line %d by the head exported at %s, from there on only by each other", p.Seq, p.At.Format(time.RFC3339))
	default:
		return fmt.Sprintf("proven by the head exported at %s", p.At.Format(time.RFC3339))
	}
}
