package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/store"
	"bailiwick/internal/telemetry"
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

// booking is the condition that calls can be booked; others are refused.
func (p *Program) booking() telemetry.Check {
	return telemetry.Check{Name: "books", Ask: func(context.Context) error {
		h := p.recorder.Health()
		if h.Full {
			return fmt.Errorf("the journal is full with %d calls waiting, so that calls are refused", h.Waiting)
		}
		return nil
	}}
}

// bookMetrics say how the books are kept.
func (p *Program) bookMetrics() []telemetry.Figure {
	gauge := func(name, help string, value func() int64) telemetry.Figure {
		return telemetry.Figure{Name: name, Help: help, Value: func() float64 { return float64(value()) }}
	}
	return []telemetry.Figure{
		gauge("bailiwick_usage_waiting_records", "Calls that wait in the journal for the database.", func() int64 { return p.recorder.Health().Waiting }),
		gauge("bailiwick_usage_journal_bytes", "Size of the journal on the disk.", func() int64 { return p.recorder.Health().Journal }),
		gauge("bailiwick_books_differences", "Differences between calls and their sums that the last hourly look at two days found.", func() int64 { return p.books.Differences() }),
	}
}
