//go:build !linux

package command

import (
	"context"
	"time"

	"bailiwick/internal/provider"
)

// Programs are run on Linux only: which process is whose is read from /proc.

const marker = "BAILIWICK_TRAINING="

func spawn(string, []string, []string, func(process) error) error { return provider.ErrUnsupported }

func (p process) lives() bool { return false }

func (p process) end(context.Context, string, time.Duration) {}
