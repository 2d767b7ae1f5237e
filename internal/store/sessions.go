package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/sessions"
	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// The values of a session, all of them strings.
const (
	SessionUser      = "user"      // ident.User who is logged on
	SessionWorkspace = "workspace" // ident.Workspace last used
	SessionNotice    = "notice"    // one-time words for the next page
	SessionPending   = "pending"   // ident.User whose password was right, and whose second factor is missing
	SessionProved    = "proved"    // when the user last proved who they are: µs since 1970, in digits
)

// SessionConfig says how sessions live. The zero value is right for HTTPS.
type SessionConfig struct {
	// PlainHTTP gives the cookie a name and attributes that browsers accept
	// without HTTPS.
	PlainHTTP bool
	Idle      time.Duration // zero: 1 h
	RootIdle  time.Duration // zero: 30 min
	Whole     time.Duration // however busy; zero: 24 h
	Half      time.Duration // for the second factor; zero: 10 min
	// Address says where a request came from; nil: the peer of the connection.
	Address func(*http.Request) string
}

// Sessions implements sessions.Store of gorilla. The browser holds 256 random
// bits and the database their digest; everything else about a session is a row,
// so that it can be ended. There is one session per browser: its cookie has the
// configured name, whatever name it is asked for by.
type Sessions struct {
	store *Store
	SessionConfig
	swept atomic.Int64 // a stamp
}

var _ sessions.Store = (*Sessions)(nil)

// Sessions gives the sessions kept here.
func (s *Store) Sessions(c SessionConfig) *Sessions {
	orElse := func(d *time.Duration, usual time.Duration) {
		if *d == 0 {
			*d = usual
		}
	}
	orElse(&c.Idle, time.Hour)
	orElse(&c.RootIdle, 30*time.Minute)
	orElse(&c.Whole, 24*time.Hour)
	orElse(&c.Half, 10*time.Minute)
	if c.Address == nil {
		c.Address = peer
	}
	return &Sessions{store: s, SessionConfig: c}
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// CookieName is the name of the cookie.
func (s *Sessions) CookieName() string {
	if s.PlainHTTP {
		return "bailiwick"
	}
	return "__Host-bailiwick"
}

// Get gives the request's session, the same one each time it is asked for.
func (s *Sessions) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session of the request's cookie. A cookie that is not ours, or
// whose session ended, begins a new one and is no error; an error is the
// database's, and the session that comes with it is new.
func (s *Sessions) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	session.Options = &sessions.Options{Path: "/", Secure: !s.PlainHTTP, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	row, err := s.find(r)
	if err != nil || row == nil {
		return session, err
	}
	session.IsNew = false
	for key, value := range map[string]string{
		SessionUser: string(row.User), SessionWorkspace: string(row.Workspace), SessionNotice: row.Notice,
		SessionPending: string(row.Pending), SessionProved: row.Proved.digits(),
	} {
		if value != "" {
			session.Values[key] = value
		}
	}
	remember(session, *row)
	return session, nil
}

// Save keeps what changed. When the user is another than before, or proved
// something, the session gets a new token and the old one is worth nothing. A session that was ended
// meanwhile stays ended. With Options.MaxAge below zero it ends now.
func (s *Sessions) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	old, known := recall(session)
	if session.Options.MaxAge < 0 {
		return s.end(r.Context(), w, session)
	}
	row, err := s.rowOf(r, session)
	switch {
	case err != nil:
		return err
	case !known && row.empty():
		return nil
	case row.empty():
		return s.end(r.Context(), w, session)
	case !known || row.User != old.User || row.Pending != old.Pending || row.Proved != old.Proved:
		return s.begin(r.Context(), w, session, row)
	case row.Workspace == old.Workspace && row.Notice == old.Notice:
		return nil
	}
	n, err := exec(s.store.write.WithContext(r.Context()), "UPDATE sessions SET workspace_id = ?, notice = ? WHERE digest = ?",
		row.Workspace, row.Notice, old.Digest)
	if err == nil && n == 0 {
		return s.end(r.Context(), w, session)
	}
	old.Workspace, old.Notice = row.Workspace, row.Notice
	remember(session, old)
	return explain(err, "session")
}

// rowOf reads what a handler put into the values.
func (s *Sessions) rowOf(r *http.Request, session *sessions.Session) (row sessionRow, err error) {
	text := map[string]string{}
	for _, key := range []string{SessionUser, SessionWorkspace, SessionNotice, SessionPending, SessionProved} {
		value, ok := session.Values[key].(string)
		if !ok && session.Values[key] != nil {
			return row, fmt.Errorf("session: %q is a %T and must be a string", key, session.Values[key])
		}
		text[key] = value
	}
	proved, err := readStamp(text[SessionProved])
	if err != nil {
		return row, fmt.Errorf("session: %q: %w", SessionProved, err)
	}
	return sessionRow{
		Pending: ident.User(text[SessionPending]), Proved: proved,
		User: ident.User(text[SessionUser]), Workspace: ident.Workspace(text[SessionWorkspace]), Notice: clip(text[SessionNotice], 1000),
		Address: clip(s.Address(r), 100), Agent: clip(r.UserAgent(), 300),
	}, nil
}

// begin keeps a session under a new token, and ends the one it follows.
func (s *Sessions) begin(ctx context.Context, w http.ResponseWriter, session *sessions.Session, row sessionRow) error {
	token := secret.NewToken()
	digest := secret.TokenDigest(token.Reveal())
	now := stampOf(s.store.now())
	row.Digest, row.Created, row.Seen = digest[:], now, now
	old, _ := recall(session)
	if row.User != "" && row.User == old.User {
		row.Created = old.Created // whoever proves again who they are stays as long as before
	}
	err := s.store.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := s.sweep(tx, now); err != nil {
			return err
		}
		if err := dropSession(tx, old.Digest); err != nil {
			return err
		}
		owner, err := ownerOf(ctx, tx, row.who())
		if err != nil {
			return err
		}
		row.Generation, row.Expires = owner.Generation, s.expiry(row, owner)
		return of[sessionRow](tx).Create(ctx, &row)
	})
	if err != nil {
		return explain(err, "user")
	}
	session.IsNew = false
	remember(session, row)
	http.SetCookie(w, sessions.NewCookie(s.CookieName(), token.Reveal(), session.Options))
	return nil
}

// end ends a session and takes the cookie back.
func (s *Sessions) end(ctx context.Context, w http.ResponseWriter, session *sessions.Session) error {
	old, _ := recall(session)
	options := *session.Options
	options.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(s.CookieName(), "", &options))
	delete(session.Values, kept{})
	session.ID, session.IsNew = "", true
	return explain(dropSession(s.store.write.WithContext(ctx), old.Digest), "session")
}

// kept is where a session holds its row between New and Save.
type kept struct{}

func remember(session *sessions.Session, row sessionRow) {
	session.ID = hex.EncodeToString(row.Digest) // never the token
	session.Values[kept{}] = row
}

func recall(session *sessions.Session) (sessionRow, bool) {
	row, ok := session.Values[kept{}].(sessionRow)
	return row, ok
}
