package apikey

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// The limits of what narrows a key, and of its life.
const (
	DescriptionMax = 200 // characters
	NetworksMax    = 20  // as in the original
	ModelsMax      = 500
	// UsualLife is what the form begins with; never is a choice.
	UsualLife = 365 * 24 * time.Hour
)

// Terms are what somebody says of a key when making or editing it.
type Terms struct {
	Description string
	Scope       Scope
	ExpiresAt   time.Time // zero: never
}

// Scope is what a key may be used for: it narrows its workspace's rights and
// never widens them. The zero Scope narrows nothing.
type Scope struct {
	Custom     bool     // false: whatever else is said does not count
	OnlyModels bool     // false: every model the workspace may use
	Models     []string // with OnlyModels; one that the workspace may not use stays refused
	Networks   []string // addresses or ranges, IPv4 or IPv6; none: from everywhere
}

// settle checks terms and writes them into a key.
func (s *Service) settle(k *Key, t Terms) (err error) {
	if k.Description, err = cleanDescription(t.Description); err != nil {
		return err
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(s.Now()) {
		return fault.Field("expires", "The expiry lies in the past. Choose a later day, or never.")
	}
	k.ExpiresAt, k.Models, k.Networks = t.ExpiresAt, nil, nil
	if !t.Scope.Custom {
		return nil
	}
	if t.Scope.OnlyModels {
		if k.Models, err = parseModels(t.Scope.Models); err != nil {
			return err
		}
	}
	k.Networks, err = ParseNetworks(t.Scope.Networks)
	return err
}

func cleanDescription(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if n := utf8.RuneCountInString(s); n > DescriptionMax {
		return "", fault.Field("description", "A description has at most %d characters; this one has %d.", DescriptionMax, n)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fault.Field("description", "A description is ordinary text.")
	}
	return s, nil
}

// parseModels reads model ids. None is refused rather than taken for all.
func parseModels(list []string) (models []ident.Model, err error) {
	if len(list) == 0 {
		return nil, fault.Field("models", "Choose at least one model, or every model.")
	}
	for _, text := range list {
		m, err := ident.ParseModel(text)
		if err != nil {
			return nil, fault.Field("models", "%q is no model id.", text)
		}
		models = append(models, m)
	}
	slices.Sort(models)
	if models = slices.Compact(models); len(models) > ModelsMax {
		return nil, fault.Field("models", "A key is narrowed to at most %d models; these are %d.", ModelsMax, len(models))
	}
	return models, nil
}

// The two ranges that hold everything.
var everywhere4, everywhere6 = netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")

// ParseNetworks reads addresses and ranges, one a line, and gives them once
// each, in order. Every line that is neither is named.
// The two ranges that hold everything, together, are the same as none.
func ParseNetworks(list []string) (networks []netip.Prefix, err error) {
	var wrong []string
	for i, text := range list {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if p, ok := parseNetwork(text); ok {
			networks = append(networks, p)
		} else {
			wrong = append(wrong, fmt.Sprintf("line %d (%.60q)", i+1, text))
		}
	}
	if len(wrong) > 0 {
		return nil, fault.Field("networks", "An entry is an IPv4 or IPv6 address, or a range such as 10.0.0.0/8. Neither: %s.", words(wrong, ""))
	}
	slices.SortFunc(networks, netip.Prefix.Compare)
	networks = slices.Compact(networks)
	if n := len(networks); n > NetworksMax {
		return nil, fault.Field("networks", "A key is narrowed to at most %d addresses or ranges; these are %d.", NetworksMax, n)
	}
	if slices.Contains(networks, everywhere4) && slices.Contains(networks, everywhere6) {
		return nil, nil
	}
	return networks, nil
}

// parseNetwork reads one. IPv4 written as IPv6 becomes IPv4, which is what
// callers' addresses are compared as; a zone belongs to one machine alone.
func parseNetwork(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), a.Zone() == ""
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96) // of fewer than 96 bits it is no range of IPv4
	}
	return p.Masked(), p.IsValid()
}
