package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/telemetry"
)

// office is a program and those who use it: a key that is known, an admin key,
// and somebody at the console.
type office struct {
	*Program
	t          *testing.T
	ws         ident.Workspace
	key, admin string
	who        person
}

func newOffice(t *testing.T, c serving) *office {
	t.Helper()
	if c.Data == "" {
		c.Data = filepath.Join(t.TempDir(), "data")
	}
	o := &office{Program: replica(t, c), t: t}
	root := actorOf(t, o.Program, "root@acme")
	o.ws = placeOf(t, o.Program, root, demo.Research)
	_, key, err := o.keys.Issue(t.Context(), root, o.ws, apikey.Terms{})
	must(t, err)
	_, admin, err := o.adminKeys.Issue(t.Context(), root, adminkey.Terms{Name: "pipeline", Days: adminkey.UsualLife})
	must(t, err)
	o.key, o.admin, o.who = key.Reveal(), admin.Reveal(), logOn(t, o.Program, "root@acme")
	o.who.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	await(t, []*Program{o.Program}, o.ws, o.key, true)
	return o
}

// ready is what /readyz answers.
func (o *office) readyz() (status int, text string) {
	w := httptest.NewRecorder()
	telemetry.Handler(telemetry.NewMetrics(time.Now), o.Program.ready()).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	return w.Code, w.Body.String()
}

// page is what the console answers somebody who is logged on.
func (o *office) page(path string) (int, http.Header) {
	o.t.Helper()
	r, err := o.who.Get(o.base.String() + path)
	must(o.t, err)
	r.Body.Close()
	return r.StatusCode, r.Header
}

// A server stays in the rotation as long as it serves known keys, and leaves it
// when it does so no longer.
func TestAnchor_ReadinessInOutage(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		o := newOffice(t, serving{place: place{Data: c.Data, Database: c.Database}, ServeStale: 3 * time.Second})
		if status, text := o.readyz(); status != 200 || !strings.Contains(text, `"status":"ok"`) {
			t.Error(status, text)
		}
		must(t, o.store.Close())
		gone := time.Now()
		if status, text := o.readyz(); status != 200 || !strings.Contains(text, `"status":"degraded"`) || !strings.Contains(text, `"database":"it does not answer"`) {
			t.Error(status, text)
		}
		if status := tells(o.Program, o.ws, o.key); status != 200 {
			t.Errorf("a known key is answered with %d", status)
		}
		if status := tells(o.Program, o.ws, "sk-ws-nobody-knows-this-one"); status != 401 {
			t.Errorf("an unknown key is answered with %d", status)
		}
		for status, text := o.readyz(); status == 200; status, text = o.readyz() {
			if time.Since(gone) > 20*time.Second {
				t.Fatal("it stays ready for ever:", text)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if time.Since(gone) < 2*time.Second {
			t.Error("it was not ready after", time.Since(gone))
		}
		if status := tells(o.Program, o.ws, o.key); status != 503 {
			t.Errorf("with what is known too old, a key is answered with %d", status)
		}
		if status, text := o.readyz(); status != 503 || !strings.Contains(text, `"status":"not ready"`) {
			t.Error(status, text)
		}
	})
}

// Whoever is right is never told to be wrong because the database has no
// connection left: programs are told to come back, and people stay logged on.
func TestAnchor_PoolExhaustionIs503Not401(t *testing.T) {
	exhausted := func(t *testing.T, o *office) {
		t.Helper()
		var wait sync.WaitGroup
		wait.Go(func() {
			if status := administers(o.Program, o.admin); status != 503 {
				t.Errorf("an admin key is answered with %d", status)
			}
		})
		wait.Go(func() {
			if status, h := o.page("/account/keys"); status != 503 || h.Get("Retry-After") == "" || strings.Contains(h.Get("Set-Cookie"), "Max-Age=0") {
				t.Errorf("somebody who is logged on is answered with %d %v", status, h)
			}
		})
		wait.Wait()
		if status := tells(o.Program, o.ws, o.key); status != 200 {
			t.Errorf("a known key is answered with %d", status)
		}
	}
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		t.Run("the database is gone", func(t *testing.T) {
			o := newOffice(t, serving{place: place{Data: c.Data, Database: c.Database}})
			must(t, o.store.Close())
			exhausted(t, o)
		})
	})
	t.Run("PostgreSQL, every connection is in use", func(t *testing.T) {
		o := newOffice(t, serving{place: place{Database: storetest.PostgresConfig(t).Database}})
		free, held := make(chan struct{}), make(chan struct{}, 100)
		var wait sync.WaitGroup
		accounts, err := o.store.Accounts(t.Context())
		must(t, err)
		for range 10 { // as many as a process has
			wait.Go(func() {
				_ = o.store.ChangeModelPrices(context.Background(), accounts[0].ID, demo.Shared, nil, 1, func([]catalogue.Price) audit.Event {
					held <- struct{}{}
					<-free
					return audit.Event{}
				})
			})
		}
		<-held // the others wait for the same line, each with a connection of its own
		time.Sleep(300 * time.Millisecond)
		exhausted(t, o)
		close(free)
		wait.Wait()
		if status := administers(o.Program, o.admin); status != 200 {
			t.Errorf("afterwards an admin key is answered with %d", status)
		}
		if status, _ := o.page("/account/keys"); status != 200 {
			t.Errorf("afterwards somebody who is logged on is answered with %d", status)
		}
	})
}

// A database that begins after the server is waited for.
func TestAnchor_FirstConnectFailureRecovers(t *testing.T) {
	c := storetest.PostgresConfig(t)
	source, err := url.Parse(c.Database)
	must(t, err)
	query := source.Query()
	socket := filepath.Join(query.Get("host"), ".s.PGSQL.5432")
	early, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := early.Addr().String()
	must(t, early.Close()) // nobody is there yet
	query.Del("host")
	source.Host, source.RawQuery = address, query.Encode()
	time.AfterFunc(1500*time.Millisecond, func() {
		door, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { door.Close() })
		for {
			in, err := door.Accept()
			if err != nil {
				return
			}
			go carry(in, socket)
		}
	})
	began := time.Now()
	o := newOffice(t, serving{place: place{Database: source.String()}})
	if time.Since(began) < 1500*time.Millisecond {
		t.Error("it did not wait")
	}
	if status := tells(o.Program, o.ws, o.key); status != 200 {
		t.Errorf("a key is answered with %d", status)
	}
	// What will not heal by itself is said at once.
	wrong := *source
	wrong.Path = "/no_such_database"
	began = time.Now()
	if _, err := openStore(t.Context(), store.Config{Database: wrong.String()}); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a database that does not exist: %v after %v", err, time.Since(began))
	}
}

// carry lets a connection speak to a socket.
func carry(in net.Conn, socket string) {
	defer in.Close()
	out, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer out.Close()
	go func() { io.Copy(out, in); out.Close() }()
	io.Copy(in, out)
}
