package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/workspace"
)

type accountCommand struct {
	Create accountCreateCommand `cmd:"" help:"Open an account with its owner (root) and its Default Workspace."`
}

// hostCommand is what works on this machine's database alone, beside a running
// server too, and asks for no admin key.
type hostCommand struct {
	Account accountCommand  `cmd:"" help:"Open accounts."`
	User    hostUserCommand `cmd:"" help:"Add RAM users, reset passwords and second factors."`
}

type hostUserCommand struct {
	Add hostUserAddCommand `cmd:"" help:"Add a RAM user."`
	hostUserResets
}

// hostUserResets are what people are let in with again who lost something.
type hostUserResets struct {
	ResetPassword userResetPasswordCommand `cmd:"" help:"In this machine's database: set a user's password anew and end every session of that user."`
	ResetFactors  userResetFactorsCommand  `cmd:"" help:"In this machine's database: take every second factor from a user who lost them, and end every session of that user."`
}

// password is how a password reaches the command line: on standard input, or
// drawn and printed once. It is never an argument, which others could read.
type password struct {
	PasswordStdin bool `help:"Read the password from standard input instead of drawing one."`
}

// stdin is where passwords are read from; tests put their own there.
var stdin io.Reader = os.Stdin

func (p password) get() (secret.Text, error) {
	if !p.PasswordStdin {
		return secret.NewPassword(), nil
	}
	line, err := readLine(stdin)
	if line == "" {
		return secret.Text{}, fmt.Errorf("no password on standard input: %w", err)
	}
	return secret.NewText(strings.TrimRight(line, "\r\n")), nil
}

// readLine reads one line and no further.
func readLine(from io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := from.Read(one)
		if n == 1 && one[0] == '\n' || err != nil {
			return string(line), err
		}
		line = append(line, one[:n]...)
	}
}

// tell prints who can log on now, with the password if it was drawn here.
func (p password) tell(name string, text secret.Text) {
	if p.PasswordStdin {
		fmt.Println(name)
		return
	}
	fmt.Println(name, text.Reveal())
}

// local opens the store beside a running server, if there is one: it learns of
// the change within a quarter of a second.
func (p place) local(ctx context.Context, do func(*store.Store, *account.Service) error) error {
	s, err := store.Open(ctx, store.Config{Database: p.Database, Data: p.Data})
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s, &account.Service{Store: s, Now: time.Now})
}

type accountCreateCommand struct {
	place
	password
	Alias string `arg:"" help:"The account's name in log-ons, such as acme in root@acme."`
	Name  string `help:"The company's name. Default: the alias."`
}

// Run opens an account.
func (c accountCreateCommand) Run(ctx context.Context) error {
	text, err := c.get()
	if err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = c.Alias
	}
	return c.local(ctx, func(s *store.Store, accounts *account.Service) error {
		a, err := accounts.Open(ctx, account.NewAccount{Name: c.Name, Alias: c.Alias, Password: text})
		if err != nil {
			return err
		}
		if err := (&catalogue.Service{Store: s}).Install(ctx, a.ID); err != nil {
			return err
		}
		c.tell("root@"+c.Alias, text)
		return nil
	})
}

type hostUserAddCommand struct {
	place
	password
	LogOn     string   `arg:"" name:"name" help:"Log-on name: alice through a server, alice@acme in this machine's database."`
	Name      string   `help:"Display name. Default: the log-on name."`
	Super     bool     `help:"Full access: a super administrator."`
	Workspace string   `help:"Workspace to join, by id; through a server by name, too."`
	Role      string   `help:"Role there: administrator or regular." enum:"administrator,regular" default:"regular"`
	Pages     []string `help:"Pages a regular user may open there: playground, keys, usage." enum:"playground,keys,usage"`
}

// Run adds a RAM user and, if asked, makes them a member of a workspace.
func (c hostUserAddCommand) Run(ctx context.Context) error {
	logOn, alias, err := ident.SplitLogOn(c.LogOn)
	if err != nil {
		return err
	}
	var joins ident.Workspace
	if c.Workspace != "" {
		if joins, err = ident.ParseWorkspace(c.Workspace); err != nil {
			return err
		}
	}
	text, err := c.get()
	if err != nil {
		return err
	}
	return c.local(ctx, func(s *store.Store, accounts *account.Service) error {
		a, err := s.AccountByAlias(ctx, alias)
		if err != nil {
			return err
		}
		if joins != "" {
			if _, err := s.Workspace(ctx, a.ID, joins); err != nil {
				return err
			}
		}
		role := access.Regular
		if c.Super {
			role = access.Super
		}
		u, err := accounts.AddUser(ctx, a, account.NewUser{LogOn: logOn, Name: c.Name, Role: role, Password: text})
		if err != nil {
			return err
		}
		if joins != "" {
			m := workspace.Member{User: u.ID, Role: access.Role(c.Role)}
			for _, p := range c.Pages {
				m.Pages = append(m.Pages, access.Page(p))
			}
			if err := (&workspace.Members{Store: s}).Seat(ctx, a.ID, joins, m); err != nil {
				return err
			}
		}
		c.tell(string(logOn)+"@"+string(alias), text)
		return nil
	})
}

type userResetPasswordCommand struct {
	place
	password
	LogOn string `arg:"" name:"name" help:"Log-on name, such as root@acme."`
}

// Run sets a user's password anew.
func (c userResetPasswordCommand) Run(ctx context.Context) error {
	logOn, alias, err := ident.SplitLogOn(c.LogOn)
	if err != nil {
		return err
	}
	text, err := c.get()
	if err != nil {
		return err
	}
	return c.local(ctx, func(s *store.Store, accounts *account.Service) error {
		u, err := named(ctx, s, logOn, alias)
		if err != nil {
			return err
		}
		if err := accounts.ResetPassword(ctx, u, text); err != nil {
			return err
		}
		c.tell(c.LogOn, text)
		return nil
	})
}

// named finds a user by log-on name.
func named(ctx context.Context, s *store.Store, logOn ident.LogOn, alias ident.Alias) (account.User, error) {
	u, err := s.UserByLogOn(ctx, alias, logOn)
	if fault.Is(err, fault.Missing) {
		return u, fault.New(fault.Missing, "There is no user %s@%s.", logOn, alias)
	}
	return u, err
}

type userResetFactorsCommand struct {
	place
	LogOn string `arg:"" name:"name" help:"Log-on name, such as root@acme."`
}

// Run takes every second factor from a user. It is the way back for somebody who
// lost them all, and for whoever is at the machine alone.
func (c userResetFactorsCommand) Run(ctx context.Context) error {
	logOn, alias, err := ident.SplitLogOn(c.LogOn)
	if err != nil {
		return err
	}
	return c.local(ctx, func(s *store.Store, accounts *account.Service) error {
		u, err := named(ctx, s, logOn, alias)
		if err != nil {
			return err
		}
		return (&factor.Service{Store: s, Accounts: accounts, Now: time.Now}).Reset(ctx, u)
	})
}
