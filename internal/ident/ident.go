// Package ident has one type per kind of identifier, so that one cannot be
// handed over for another. Parsing is validation: a value of these types came
// from a generator or a parser here, or from the database, which holds nothing else.
package ident

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"bailiwick/internal/fault"
)

type (
	// Account names a tenant: "acc-" and 16 base-36 characters.
	Account string
	// User names a person who logs on under an account: "usr-…".
	User string
	// Workspace names a workspace: "llm-" and 16 base-36 characters. The form
	// "ws-" and 16 hexadecimal digits, which the original also uses, is
	// accepted and never generated. It is a DNS label.
	Workspace string
	// Key names an API key (not its secret): "key-…".
	Key string
	// AdminKey names a key of the management API (not its secret): "adm-…".
	AdminKey string
	// Provider names a configured place where models run: "prv-…".
	Provider string
	// Passkey names a passkey of a user, as we call it: "pky-…".
	Passkey string
	// Event names one line of the audit trail: "evt-…".
	Event string
	// File names one version of a dataset, as callers write it: "file-" and 24
	// characters. Trainings are given files.
	File string
	// Dataset names a set of training files that follow each other: "dat-…".
	Dataset string
	// Training names one training: "ft-", the minute it was asked for and 4
	// hexadecimal digits, such as "ft-202410291653-1c7f". It is one account's: two
	// accounts may have the same.
	Training string
	// Tuned names a model that came of a training: "tun-…". What callers write is
	// its name, a Model.
	Tuned string
	// Deployment names a deployment: "dep-…". What callers write is its name, a Model.
	Deployment string
	// Call names one request at the gateway or the console: a lower-case UUID.
	Call string
	// Model is a model's id as callers write it, such as "qwen-turbo":
	// 1–128 of A–Z a–z 0–9 . _ - : / @, beginning with a letter or digit.
	Model string
	// Alias is an account's name in log-ons, such as "acme" in "root@acme":
	// 2–32 of a–z 0–9 -, beginning with a letter.
	Alias string
	// LogOn is a user's name in log-ons, such as "alice" in "alice@acme":
	// 1–64 of a–z 0–9 . _ -, beginning with a letter or digit.
	LogOn string
)

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

// NewAccount, NewUser, … make fresh random identifiers.
func NewAccount() Account       { return Account("acc-" + token(16)) }
func NewUser() User             { return User("usr-" + token(16)) }
func NewWorkspace() Workspace   { return Workspace("llm-" + token(16)) }
func NewKey() Key               { return Key("key-" + token(16)) }
func NewAdminKey() AdminKey     { return AdminKey("adm-" + token(16)) }
func NewProvider() Provider     { return Provider("prv-" + token(16)) }
func NewPasskey() Passkey       { return Passkey("pky-" + token(16)) }
func NewDataset() Dataset       { return Dataset("dat-" + token(16)) }
func NewTuned() Tuned           { return Tuned("tun-" + token(16)) }
func NewDeployment() Deployment { return Deployment("dep-" + token(16)) }
func NewFile() File             { return File("file-" + token(24)) }
func NewEvent() Event           { return Event("evt-" + token(20)) }

// NewTraining makes the id of a training that is asked for at a time. There are
// 65,536 in a minute: who keeps one must try again when it is taken.
func NewTraining(at time.Time) Training {
	var b [2]byte
	rand.Read(b[:])
	return Training(fmt.Sprintf("ft-%s-%x", at.UTC().Format("200601021504"), b))
}

// NewCall makes a random UUID (version 4).
func NewCall() Call {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return CallOf(b)
}

// token draws n base-36 characters without bias.
func token(n int) string {
	out := make([]byte, 0, n)
	var b [64]byte
	for len(out) < n {
		rand.Read(b[:])
		for _, c := range b {
			if c < 252 && len(out) < n { // 252 = 7 × 36
				out = append(out, base36[c%36])
			}
		}
	}
	return string(out)
}

// ParseWorkspace accepts both published forms, lower case only.
func ParseWorkspace(s string) (Workspace, error) {
	if rest, ok := strings.CutPrefix(s, "llm-"); ok && len(rest) == 16 && only(rest, base36) {
		return Workspace(s), nil
	}
	if rest, ok := strings.CutPrefix(s, "ws-"); ok && len(rest) == 16 && only(rest, "0123456789abcdef") {
		return Workspace(s), nil
	}
	return "", fault.NoSuch("workspace")
}

// ParseAccount, ParseUser, … accept exactly what the generators make; anything
// else is missing, as an id that never existed.
func ParseAccount(s string) (Account, error) {
	return plain[Account](s, "acc-", "account")
}
func ParseUser(s string) (User, error)         { return plain[User](s, "usr-", "user") }
func ParseKey(s string) (Key, error)           { return plain[Key](s, "key-", "API key") }
func ParseAdminKey(s string) (AdminKey, error) { return plain[AdminKey](s, "adm-", "admin key") }
func ParseProvider(s string) (Provider, error) { return plain[Provider](s, "prv-", "provider") }
func ParsePasskey(s string) (Passkey, error)   { return plain[Passkey](s, "pky-", "passkey") }

func ParseDataset(s string) (Dataset, error) { return plain[Dataset](s, "dat-", "dataset") }
func ParseTuned(s string) (Tuned, error)     { return plain[Tuned](s, "tun-", "model") }
func ParseDeployment(s string) (Deployment, error) {
	return plain[Deployment](s, "dep-", "deployment")
}

// ParseFile accepts exactly what NewFile makes.
func ParseFile(s string) (File, error) {
	if rest, ok := strings.CutPrefix(s, "file-"); ok && len(rest) == 24 && only(rest, base36) {
		return File(s), nil
	}
	return "", fault.NoSuch("file")
}

// ParseTraining accepts exactly what NewTraining makes.
func ParseTraining(s string) (Training, error) {
	rest, ok := strings.CutPrefix(s, "ft-")
	if ok && len(rest) == 17 && rest[12] == '-' && only(rest[:12], "0123456789") && only(rest[13:], "0123456789abcdef") {
		return Training(s), nil
	}
	return "", fault.NoSuch("training")
}

// ParseEvent accepts exactly what NewEvent makes.
func ParseEvent(s string) (Event, error) {
	if rest, ok := strings.CutPrefix(s, "evt-"); ok && len(rest) == 20 && only(rest, base36) {
		return Event(s), nil
	}
	return "", fault.NoSuch("event")
}

// ParseCall accepts exactly what NewCall makes.
func ParseCall(s string) (Call, error) {
	const form = "00000000-0000-4000-0000-000000000000"
	if len(s) != len(form) || s[14] != '4' {
		return "", fault.NoSuch("request")
	}
	for i := range len(s) {
		if (form[i] == '-') != (s[i] == '-') || s[i] != '-' && !only(s[i:i+1], "0123456789abcdef") {
			return "", fault.NoSuch("request")
		}
	}
	return Call(s), nil
}

func plain[T ~string](s, prefix, noun string) (T, error) {
	if rest, ok := strings.CutPrefix(s, prefix); ok && len(rest) == 16 && only(rest, base36) {
		return T(s), nil
	}
	return "", fault.NoSuch(noun)
}

// ParseModel checks a model id as a caller or administrator wrote it.
func ParseModel(s string) (Model, error) {
	if s == "" || len(s) > 128 || !alnum(s[0]) {
		return "", fault.Field("model", "A model id has 1–128 characters and begins with a letter or digit.")
	}
	for i := range len(s) {
		if !alnum(s[i]) && !strings.ContainsRune("._-:/@", rune(s[i])) {
			return "", fault.Field("model", "A model id holds letters, digits and . _ - : / @ only.")
		}
	}
	return Model(s), nil
}

// ParseAlias checks an account's alias.
func ParseAlias(s string) (Alias, error) {
	if len(s) < 2 || len(s) > 32 || s[0] < 'a' || s[0] > 'z' || !only(s, base36+"-") {
		return "", fault.Field("alias", "An alias has 2–32 lower-case letters, digits or hyphens and begins with a letter.")
	}
	return Alias(s), nil
}

// ParseLogOn checks a user's log-on name.
func ParseLogOn(s string) (LogOn, error) {
	if s == "" || len(s) > 64 || !alnum(s[0]) || !only(s, base36+"._-") {
		return "", fault.Field("name", "A log-on name has 1–64 lower-case letters, digits, dots, underscores or hyphens and begins with a letter or digit.")
	}
	return LogOn(s), nil
}

// SplitLogOn takes "name@alias" apart; what is not of that form is nobody's.
func SplitLogOn(s string) (LogOn, Alias, error) {
	name, alias, found := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "@")
	if !found {
		return "", "", fault.Field("account", "Write the log-on name as name@alias, for example root@acme.")
	}
	l, err := ParseLogOn(name)
	if err != nil {
		return "", "", err
	}
	a, err := ParseAlias(alias)
	if err != nil {
		return "", "", err
	}
	return l, a, nil
}

func only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
