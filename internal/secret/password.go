package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"bailiwick/internal/fault"
)

// The lengths of a password in characters. NIST SP 800-63B-4 asks for 15 where
// the password is the only factor, and for no rules of composition.
const (
	PasswordMin = 15
	PasswordMax = 256
)

// argon2id with the parameters OWASP gives as its floor: about 25 ms.
const (
	memory  = 19 * 1024 // KiB
	passes  = 2
	threads = 1
	saltLen = 16
	hashLen = 32
)

// hashing lets one hash run at a time for each four cores, so that a flood of
// log-ons cannot take the memory and processors the gateway needs. One at a time
// is some forty log-ons a second.
var hashing = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/4))

// CheckPassword says what is wrong with a new password. The words are what
// somebody who guesses would try first for this person: the names of the
// account and of the user.
func CheckPassword(field string, t Text, words ...string) error {
	switch n := utf8.RuneCountInString(t.value); {
	case n < PasswordMin:
		return fault.Field(field, "A password has at least %d characters; this one has %d. A short sentence works well.", PasswordMin, n)
	case n > PasswordMax:
		return fault.Field(field, "A password has at most %d characters.", PasswordMax)
	case !utf8.ValidString(t.value) || strings.ContainsRune(t.value, 0):
		return fault.Field(field, "A password is ordinary text.")
	case guessable(t.value, words):
		return fault.Field(field, "This password is easily guessed: it is made of common passwords, names of yours, or a pattern. A short sentence of your own works well.")
	}
	return nil
}

// HashPassword hashes a password for keeping, as "argon2id$m$t$p$salt$hash".
// It waits its turn and gives up when ctx ends.
func HashPassword(ctx context.Context, t Text) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt)
	sum, err := hash(ctx, t.value, salt, memory, passes, threads, hashLen)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("argon2id$%d$%d$%d$%s$%s", memory, passes, threads, b64.EncodeToString(salt), b64.EncodeToString(sum)), nil
}

// Nobody is the hash that an unknown user's password is compared with, so that
// unknown and wrong take the same time. No password matches it.
const Nobody = "argon2id$19456$2$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Outdated reports whether a hash was made with other parameters than a new one.
func Outdated(kept string) bool {
	return !strings.HasPrefix(kept, fmt.Sprintf("argon2id$%d$%d$%d$", memory, passes, threads))
}

// PasswordMatches reports whether the password is the one that was hashed.
func PasswordMatches(ctx context.Context, t Text, kept string) (bool, error) {
	var m, p uint32
	var th uint8
	fields := strings.Split(kept, "$")
	if len(fields) != 6 || fields[0] != "argon2id" {
		return false, errors.New("password hash is not argon2id")
	}
	if _, err := fmt.Sscan(fields[1]+" "+fields[2]+" "+fields[3], &m, &p, &th); err != nil {
		return false, fmt.Errorf("password hash: %w", err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(fields[4])
	want, err2 := base64.RawStdEncoding.DecodeString(fields[5])
	if err := errors.Join(err1, err2); err != nil {
		return false, fmt.Errorf("password hash: %w", err)
	}
	got, err := hash(ctx, t.value, salt, m, p, th, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func hash(ctx context.Context, password string, salt []byte, m, p uint32, th uint8, n uint32) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() {
			<-hashing
			tidy()
		}()
		return argon2.IDKey([]byte(password), salt, p, m, th, n), nil
	case <-ctx.Done():
		return nil, fault.New(fault.Busy, "Too many people are logging on at once. Try again in a moment.").Because(ctx.Err())
	}
}

// tidying says that a collection is on its way.
var tidying atomic.Bool

// tidy has what hashes left behind collected and given back a second after the
// first of a burst. The collector by itself takes the 19 MiB that live while a hash is made
// for a reason to let the heap grow by twice as much, and keeps it so until there
// is other work.
func tidy() {
	if tidying.CompareAndSwap(false, true) {
		time.AfterFunc(time.Second, func() {
			tidying.Store(false)
			debug.FreeOSMemory()
		})
	}
}
