package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

type demoCommand struct {
	serving
	Password string `help:"One password for everybody, for scripted walk-throughs." env:"BAILIWICK_DEMO_PASSWORD" placeholder:"PASSWORD"`
}

// Run starts the demo company and prints its address and log-ons. The demo's
// console may speak to model servers on this machine without being told.
func (c demoCommand) Run(ctx context.Context) error {
	c.AllowPrivate = append(c.AllowPrivate, "127.0.0.0/8", "::1/128")
	var passwords map[ident.LogOn]secret.Text
	p, err := start(ctx, c.serving, func(p *Program) (err error) {
		passwords, err = demo.Passwords(filepath.Join(c.Data, "demo-passwords"), secret.NewText(c.Password))
		if err != nil {
			return err
		}
		company := demo.Services{Accounts: p.accounts, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers}
		return company.Ensure(ctx, passwords)
	})
	if err != nil {
		return err
	}
	defer p.Close()
	p.announce()
	announceDemo(passwords)
	return p.Run(ctx)
}

func announceDemo(passwords map[ident.LogOn]secret.Text) {
	fmt.Fprintln(os.Stdout, "\n  Log on as            password                  who")
	for _, person := range demo.People {
		what := "the account owner"
		if person.Workspace != "" {
			what = fmt.Sprintf("%s of %s", person.Role, person.Workspace)
		}
		fmt.Fprintf(os.Stdout, "  %-20s %-25s %s\n", string(person.LogOn)+"@"+string(demo.Alias), passwords[person.LogOn].Reveal(), what)
	}
	fmt.Fprintln(os.Stdout, "\n  Stop with Ctrl+C. Start over with `make demo-reset`.")
}
