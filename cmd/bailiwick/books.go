package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/store"
	"bailiwick/internal/usage"
)

// booksCommand verifies the books, beside a running server too.
type booksCommand struct{ place }

// Run prints every difference. With one its error makes the exit code 1.
func (c booksCommand) Run(ctx context.Context) error { return c.verify(ctx, os.Stdout) }

func (c booksCommand) verify(ctx context.Context, out io.Writer) error {
	s, err := store.Open(ctx, store.Config{Database: c.Database, Data: c.Data})
	if err != nil {
		return err
	}
	defer s.Close()
	found := 0
	err = s.VerifyUsage(ctx, time.Time{}, func(d usage.Difference) {
		found++
		fmt.Fprintf(out, "%s %s %s series %d, %s: calls %+d, input %+d, output %+d, cached %+d, reasoning %+d, cost %+d\n",
			d.Account, d.Workspace, d.At.Format("2006-01-02 15:04"), d.Series, d.What, d.Calls, d.Input, d.Output, d.Cached, d.Reasoning, d.Cost)
	})
	if err != nil {
		return err
	}
	if found > 0 {
		return fault.New(fault.Conflict, "The books do not balance: %d differences.", found)
	}
	fmt.Fprintln(out, "The books balance.")
	return nil
}
