package factor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Site is the address that people open, which passkeys are bound to.
type Site struct{ base url.URL }

// NewSite reads a base URL such as https://models.example.com.
func NewSite(base string) Site {
	u, err := url.Parse(base)
	if err != nil {
		return Site{}
	}
	return Site{*u}
}

// Trouble says why passkeys cannot work at this address; empty: they can.
// Browsers take a host name and no IP address, and http:// for localhost alone
// (Web Authentication Level 3, §5.1.3 and §13.4.9).
func (s Site) Trouble() string {
	host := s.base.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return "Passkeys are bound to a host name, and this console is reached by an IP address."
	}
	if s.base.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return "Browsers keep passkeys for encrypted connections, and this console is reached over http://."
	}
	return ""
}

func (s Site) party() (*webauthn.WebAuthn, error) {
	if why := s.Trouble(); why != "" {
		return nil, fault.Field("passkey", "%s", why)
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: s.base.Hostname(), RPDisplayName: "Bailiwick", RPOrigins: []string{s.base.Scheme + "://" + s.base.Host},
		// Every passkey proves that a person unlocked it, so that one alone is a whole log-on.
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // password managers tell more than they are asked
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return w, nil
}

// holder is a user as the library asks for one.
type holder struct {
	id          ident.User
	name, title string
	keys        []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.id) }
func (h holder) WebAuthnName() string                       { return h.name }
func (h holder) WebAuthnDisplayName() string                { return h.title }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func holderOf(u ident.User, keys []Passkey) (holder, error) {
	h := holder{id: u}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Record, &c); err != nil {
			return holder{}, fmt.Errorf("passkey %s: %w", k.ID, err)
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

// OfferPasskey gives what a browser needs to make a passkey for the actor, as
// JSON. It needs self:change.
func (s *Service) OfferPasskey(ctx context.Context, by access.Actor, site Site) (string, error) {
	set, err := s.Of(ctx, by)
	if err != nil {
		return "", err
	}
	party, err := site.party()
	if err != nil {
		return "", err
	}
	h, err := holderOf(by.User, set.Passkeys)
	if err != nil {
		return "", err
	}
	h.name, h.title = by.FullName(), by.Name
	options, _, err := party.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = s.challenge(forAdding, by.User, party.Config.RPID)
			return nil
		})
	if err != nil {
		return "", fmt.Errorf("passkeys: %w", err)
	}
	return inJSON(options.Response)
}

func inJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// AddPasskey keeps the passkey that a browser made, under a name. To somebody
// without a factor it returns recovery codes, once. It needs self:change; faults
// are on the fields "name" and "passkey".
func (s *Service) AddPasskey(ctx context.Context, by access.Actor, site Site, name string, response []byte) ([]secret.Text, error) {
	if err := by.Require(access.Self); err != nil {
		return nil, err
	}
	name = strings.Join(strings.Fields(name), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 || strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return nil, fault.Field("name", "Name the passkey with 1–64 characters, such as the device it is kept in.")
	}
	made, err := s.made(by, site, response)
	if err != nil {
		return nil, err
	}
	record, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	p := Passkey{ID: ident.NewPasskey(), Name: name, Credential: made.ID, Record: record, CreatedAt: s.Now()}
	codes, digests := s.first(by)
	return codes, s.Store.InsertPasskey(ctx, by.Account, by.User, p, PasskeysMax, digests, by.Event("factors:add-passkey", "", string(p.ID), fmt.Sprintf("added passkey %q", name)))
}

// made checks what the browser made.
func (s *Service) made(by access.Actor, site Site, response []byte) (*webauthn.Credential, error) {
	party, err := site.party()
	if err != nil {
		return nil, err
	}
	refuse := fault.Field("passkey", "The browser's answer is not accepted. Try again.")
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, refuse.Because(err)
	}
	text := parsed.Response.CollectedClientData.Challenge
	if _, err := s.issued(text, forAdding, by.User, party.Config.RPID); err != nil {
		return nil, err
	}
	made, err := party.CreateCredential(holder{id: by.User}, webauthn.SessionData{
		Challenge: text, RelyingPartyID: party.Config.RPID, UserID: []byte(by.User),
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return nil, refuse.Because(err)
	}
	// What only an attestation would need says much of the device and is not kept.
	made.Attestation = webauthn.CredentialAttestation{}
	return made, nil
}

// RemovePasskey takes one of the actor's passkeys away. It needs self:change.
func (s *Service) RemovePasskey(ctx context.Context, by access.Actor, id ident.Passkey) error {
	p, err := s.Passkey(ctx, by, id)
	if err != nil {
		return err
	}
	return s.Store.DropPasskey(ctx, by.Account, by.User, id, by.Event("factors:remove-passkey", "", string(id), fmt.Sprintf("removed passkey %q", p.Name)))
}

// Passkey gives one of the actor's passkeys. It needs self:change.
func (s *Service) Passkey(ctx context.Context, by access.Actor, id ident.Passkey) (Passkey, error) {
	set, err := s.Of(ctx, by)
	if err != nil {
		return Passkey{}, err
	}
	for _, p := range set.Passkeys {
		if p.ID == id {
			return p, nil
		}
	}
	return Passkey{}, fault.NoSuch("passkey")
}

// AskPasskey gives what a browser needs to use a passkey, as JSON: of the user,
// or of whoever comes when it is empty.
func (s *Service) AskPasskey(ctx context.Context, site Site, a ident.Account, u ident.User, confirm bool) (string, error) {
	party, err := site.party()
	if err != nil {
		return "", err
	}
	what := forLogOn
	if confirm {
		what = forConfirm
	}
	options := protocol.PublicKeyCredentialRequestOptions{
		Challenge: s.challenge(what, u, party.Config.RPID), RelyingPartyID: party.Config.RPID, UserVerification: protocol.VerificationRequired,
	}
	if u == "" {
		return inJSON(options)
	}
	set, err := s.Store.Factors(ctx, a, u)
	if err != nil {
		return "", err
	}
	h, err := holderOf(u, set.Passkeys)
	options.AllowedCredentials = webauthn.Credentials(h.keys).CredentialDescriptors()
	if err != nil || len(h.keys) == 0 {
		return "", err
	}
	return inJSON(options)
}

// LogOnWithPasskey logs on by a passkey: somebody whose password was right or,
// when nobody is given, whoever the passkey belongs to. A passkey that is not
// accepted is a fault on field "passkey".
func (s *Service) LogOnWithPasskey(ctx context.Context, half account.User, site Site, response []byte, address string, call ident.Call) (account.User, error) {
	u := half
	err := s.assert(ctx, &u, site, forLogOn, response, address, func() audit.Event { return refusedLogOn(u, address, call) })
	if err != nil {
		return account.User{}, err
	}
	return u, s.Accounts.Enter(ctx, u, "a passkey", address, call)
}
