package store

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Sessions are seen, and swept, at most so often.
const (
	seenEvery  = stamp(time.Minute / time.Microsecond)
	sweepEvery = 10 * seenEvery
)

type sessionRow struct {
	Digest     []byte          `gorm:"primaryKey"`
	User       ident.User      `gorm:"column:user_id"` // empty: nobody yet
	Workspace  ident.Workspace `gorm:"column:workspace_id"`
	Notice     string
	Created    stamp
	Seen       stamp
	Expires    stamp // whichever comes first: idle for too long, or too old
	Address    string
	Agent      string
	Generation int64      // of the user when the session began
	Pending    ident.User `gorm:"column:pending_id"` // the password was right; the second factor is missing
	Proved     stamp      // when the user last proved who they are
}

func (sessionRow) TableName() string { return "sessions" }

func (r sessionRow) empty() bool {
	return r.User == "" && r.Workspace == "" && r.Notice == "" && r.Pending == ""
}

// who is whose session it is, or is about to be.
func (r sessionRow) who() ident.User {
	if r.User == "" {
		return r.Pending
	}
	return r.User
}

// digits writes a stamp as values of sessions are: as text, and zero as nothing.
func (s stamp) digits() string {
	if s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(s), 10)
}

func readStamp(text string) (stamp, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return stamp(n), err
}

// find gives the row of the request's cookie; nil: there is none that counts.
func (s *Sessions) find(r *http.Request) (*sessionRow, error) {
	cookie, err := r.Cookie(s.CookieName())
	if err != nil || !tokenLike(cookie.Value) {
		return nil, nil
	}
	digest := secret.TokenDigest(cookie.Value)
	row, err := gorm.G[sessionRow](s.store.read).Where("digest = ?", digest[:]).Take(r.Context())
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err, "session")
	}
	owner, err := ownerOf(r.Context(), s.store.read, row.who())
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, explain(err, "session")
	}
	now := stampOf(s.store.now())
	if err != nil || owner.Generation != row.Generation || now >= row.Expires {
		return nil, explain(dropSession(s.store.write.WithContext(r.Context()), row.Digest), "session")
	}
	if err := s.see(r.Context(), &row, owner, now); err != nil { // it ends a minute earlier, and stops nobody
		slog.Error("that a session was used could not be kept", "err", err)
	}
	return &row, nil
}

func tokenLike(text string) bool {
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(token) == len(secret.Digest{})
}

// seeing is how long somebody waits for that to be kept.
const seeing = time.Second

// see moves the end of an idle session on.
func (s *Sessions) see(ctx context.Context, row *sessionRow, owner userRow, now stamp) error {
	if now < row.Seen+seenEvery {
		return nil
	}
	row.Seen = now
	row.Expires = s.expiry(*row, owner)
	ctx, cancel := context.WithTimeout(ctx, seeing)
	defer cancel()
	_, err := exec(s.store.write.WithContext(ctx), "UPDATE sessions SET seen = ?, expires = ? WHERE digest = ? AND seen < ?",
		row.Seen, row.Expires, row.Digest, row.Seen)
	return err
}

func (s *Sessions) expiry(row sessionRow, owner userRow) stamp {
	idle := s.Idle
	if row.User == "" {
		return row.Created + stamp(s.Half.Microseconds())
	}
	if owner.Role == access.Root {
		idle = s.RootIdle
	}
	return min(row.Seen+stamp(idle.Microseconds()), row.Created+stamp(s.Whole.Microseconds()))
}

// ownerOf gives the user of a session; nobody is the zero user. Whoever is gone
// or disabled is not found.
func ownerOf(ctx context.Context, tx *gorm.DB, u ident.User) (userRow, error) {
	if u == "" {
		return userRow{}, nil
	}
	return gorm.G[userRow](tx).Where("id = ? AND disabled = 0", u).Take(ctx)
}

// Sweep deletes sessions that ended by themselves. Log-ons do it on their way.
func (s *Sessions) Sweep(ctx context.Context) error {
	_, err := exec(s.store.write.WithContext(ctx), "DELETE FROM sessions WHERE expires <= ?", stampOf(s.store.now()))
	return explain(err, "session")
}

func (s *Sessions) sweep(tx *gorm.DB, now stamp) error {
	last := s.swept.Load()
	if now < stamp(last)+sweepEvery || !s.swept.CompareAndSwap(last, int64(now)) {
		return nil
	}
	_, err := exec(tx, "DELETE FROM sessions WHERE expires <= ?", now)
	return err
}

func endSessions(tx *gorm.DB, u ident.User) error {
	_, err := exec(tx, "DELETE FROM sessions WHERE user_id = ? OR pending_id = ?", u, u)
	return err
}

func dropSession(tx *gorm.DB, digest []byte) error {
	if digest == nil {
		return nil
	}
	_, err := exec(tx, "DELETE FROM sessions WHERE digest = ?", digest)
	return err
}
