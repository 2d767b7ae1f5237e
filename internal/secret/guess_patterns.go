package secret

import (
	"strconv"
	"strings"
)

// repeats finds what is said again, at once or later, and what is said again
// moved by one, in the alphabet or on a keyboard: "abcabc", "aaaa", "abcd",
// "9876", "qwerty", "1qaz2wsx".
func (g *guesser) repeats() {
	g.repeatsOf(g.text, 1)
	again := make([]rune, len(g.text))
	for _, moved := range []func(rune) rune{
		func(r rune) rune { return r + 1 },
		func(r rune) rune { return r - 1 },
		func(r rune) rune { return beside(r, 1) },
		func(r rune) rune { return beside(r, -1) },
	} {
		for i, r := range g.text {
			again[i] = moved(r)
		}
		g.repeatsOf(again, 2)
	}
}

// repeatsOf finds where the text says what again says, some characters later.
// The bits are what it costs to think of that.
func (g *guesser) repeatsOf(again []rune, bits float64) {
	for from := 1; from < len(g.text); from++ {
		for back := 1; back <= from; back++ {
			for to := from; to < len(g.text) && g.text[to] == again[to-back]; to++ {
				switch n := to + 1 - from; {
				case n >= back && n > 1: // at once: the question is how often
					g.found(from, to+1, bits+g.log[1+(n+back-1)/back])
				case n > 2: // later: the question is what
					g.found(from, to+1, bits+g.log[from]+g.log[n])
				}
			}
		}
	}
}

// dates finds years, and days with or without signs between their parts.
func (g *guesser) dates() {
	text := string(g.text)
	if len(text) != len(g.text) { // digits of dates are searched by bytes: let other letters be one each
		text = strings.Map(func(r rune) rune { return min(r, 0x7f) }, text)
	}
	for from := range text {
		if year(text[from:min(from+4, len(text))]) {
			g.found(from, from+4, 7) // of some 120 years
		}
		for _, length := range []int{6, 8, 10} { // 310799, 31.07.99 and 31071999, 31.07.1999
			if to := from + length; to <= len(text) && date(text[from:to]) {
				g.found(from, to, 15.5) // of the days of 120 years, in their orders
			}
		}
	}
}

func year(s string) bool {
	return len(s) == 4 && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20")) && digits(s)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// date reports whether a text is a day of a year, in any order of its parts,
// all with the same sign between them or with none.
func date(s string) bool {
	for _, parts := range [][3]int{{2, 2, 2}, {2, 2, 4}, {4, 2, 2}} {
		sum := parts[0] + parts[1] + parts[2]
		if len(s) == sum+2 {
			if s[parts[0]] != s[parts[0]+1+parts[1]] || digits(s[parts[0]:parts[0]+1]) {
				continue
			}
		} else if len(s) != sum {
			continue
		}
		gap := (len(s) - sum) / 2
		a, b, c := s[:parts[0]], s[parts[0]+gap:][:parts[1]], s[len(s)-parts[2]:]
		if digits(a+b+c) && calendar(a, b, c) {
			return true
		}
	}
	return false
}

// calendar reports whether the parts are a day, a month and a year.
func calendar(a, b, c string) bool {
	if len(a) == 4 || len(c) == 2 && dayAndMonth(b, c) {
		return dayAndMonth(b, c) && (len(a) == 2 || year(a))
	}
	return dayAndMonth(a, b) && (len(c) == 2 || year(c))
}

func dayAndMonth(a, b string) bool {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return 1 <= min(x, y) && min(x, y) <= 12 && max(x, y) <= 31
}
