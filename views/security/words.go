package security

import "strings"

// lines are codes to be copied: one a line.
func lines(codes []string) string { return strings.Join(codes, "\n") + "\n" }
