package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bailiwick/views/ui"
)

// moment is a time for people and machines, or nothing for no time.
func moment(t time.Time) ui.Time {
	if t.IsZero() {
		return ui.Time{}
	}
	t = t.UTC()
	return ui.Time{Text: t.Format("2 Jan 2006, 15:04 UTC"), ISO: t.Format(time.RFC3339)}
}

// day is the day of a time.
func day(t time.Time) ui.Time {
	m := moment(t)
	m.Text, _, _ = strings.Cut(m.Text, ",")
	return m
}

// ago says how long ago a time was, or nothing for no time.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch d := now.Sub(t); {
	case d < 45*time.Second:
		return "a moment ago"
	case d < 90*time.Second:
		return "a minute ago"
	case d < time.Hour:
		return strconv.Itoa(int(d.Round(time.Minute).Minutes())) + " minutes ago"
	case d < 48*time.Hour:
		return counted(int(d.Hours()), "hour") + " ago"
	default:
		return counted(int(d.Hours()/24), "day") + " ago"
	}
}

// within says how long something will take.
func within(d time.Duration) string {
	if d < time.Minute {
		return "in " + counted(max(1, int((d+time.Second-1)/time.Second)), "second")
	}
	return "in " + counted(int((d+time.Minute-1)/time.Minute), "minute")
}

// counted is a number of things in words.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number writes a number with separators.
func number[T ~int | ~int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// tokens writes a size in tokens as models are described: "128K", "1M".
func tokens(n int) string {
	switch {
	case n == 0:
		return ""
	case n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + "M"
	case n%1024 == 0 && n/1024 >= 1024 && (n/1024)%1024 == 0:
		return strconv.Itoa(n>>20) + "M"
	case n%1024 == 0:
		return strconv.Itoa(n/1024) + "K"
	case n%1000 == 0:
		return strconv.Itoa(n/1000) + "K"
	case n > 10_000:
		return strconv.Itoa((n+512)/1024) + "K"
	}
	return number(n)
}

// duration writes how long a call took.
func duration(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// namedMost is how many people are named one by one.
const namedMost = 5

// firstOf is the first names, and how many more there are.
func firstOf(names []string) []string {
	if n := len(names); n > namedMost {
		return append(names[:namedMost:namedMost], "and "+strconv.Itoa(n-namedMost)+" more")
	}
	return names
}

// oneOf names people of whom each will do.
func oneOf(names []string) string {
	if n := len(names); n > namedMost {
		names = append(names[:namedMost:namedMost], strconv.Itoa(n-namedMost)+" others")
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
