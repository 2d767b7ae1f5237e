//go:build !linux

package main

import "runtime/debug"

// lean gives back the memory that only the start needed.
func lean() { debug.FreeOSMemory() }
