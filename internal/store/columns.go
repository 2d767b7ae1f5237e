package store

import (
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"bailiwick/internal/fault"
)

// stamp is a time in microseconds since 1970; zero for none.
type stamp int64

func stampOf(t time.Time) stamp {
	if t.IsZero() {
		return 0
	}
	return stamp(t.UnixMicro())
}

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(s)).UTC()
}

// fold is what names are compared by: regardless of case and of how their
// letters are composed.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// clip makes a text fit for a column whatever its origin: PostgreSQL refuses
// the zero byte and what is not UTF-8.
func clip(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// small makes a count fit for a column of 32 bits.
func small(n int) int { return max(0, min(n, math.MaxInt32)) }

// searchMax is how many characters of a search are accepted.
const searchMax = 100

func tooLong() error {
	return fault.Field("search", "Search for at most %d characters.", searchMax)
}

// pattern makes the LIKE pattern of a search; its own % and _ stand for themselves.
func pattern(search string) (string, error) {
	if utf8.RuneCountInString(search) > searchMax {
		return "", tooLong()
	}
	return "%" + likeEscape.Replace(fold(clip(search, 4*searchMax))) + "%", nil
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// joined keeps a list of words without spaces in one column: nil is NULL, which
// differs from the empty list.
func joined[T ~string](list []T) *string {
	if list == nil {
		return nil
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	text := strings.Join(words, " ")
	return &text
}

func split[T ~string](text *string) []T {
	if text == nil {
		return nil
	}
	list := []T{}
	for _, w := range strings.Fields(*text) {
		list = append(list, T(w))
	}
	return list
}

func joinedNetworks(list []netip.Prefix) *string {
	if list == nil {
		return nil
	}
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return joined(words)
}

func splitNetworks(text *string) ([]netip.Prefix, error) {
	words := split[string](text)
	if words == nil {
		return nil, nil
	}
	list := make([]netip.Prefix, len(words))
	for i, w := range words {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			return nil, err
		}
		list[i] = p
	}
	return list, nil
}
