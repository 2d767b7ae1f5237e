package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/explanation"
	"bailiwick/internal/factor"
	"bailiwick/internal/gateway"
	bench "bailiwick/internal/gateway/workshop"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/usage/journal"
	"bailiwick/internal/work"
	"bailiwick/internal/workspace"
	"bailiwick/web"
)

type serveCommand struct{ serving }

// Run serves until it is told to stop.
func (c serveCommand) Run(ctx context.Context) error {
	p, err := start(ctx, c.serving, nil)
	if err != nil {
		return err
	}
	defer p.Close()
	p.announce()
	return p.Run(ctx)
}

// Program is the whole of it, wired together.
type Program struct {
	store     *store.Store
	recorder  *usage.Recorder
	books     *usage.Keeper
	refusals  *explanation.Recorder
	trail     *audit.Recorder // of what changes nothing: refusals, denied calls
	heads     *audit.Exporter
	checker   *audit.Checker
	retention *account.Retention
	keeper    *policy.Keeper
	gateway   *gateway.Gateway
	limiter   *limit.Limiter
	door      *gateway.Door
	replica   string // this server's id among those that share the limits
	server    *http.Server
	listener  net.Listener
	base      *url.URL
	setUp     secret.Text
	fence     *guard.Guard
	health    *provider.Board
	stopping  atomic.Bool

	operation operation

	accounts   *account.Service
	people     *account.People
	factors    *factor.Service
	workspaces *workspace.Service
	members    *workspace.Members
	catalogue  *catalogue.Service
	grants     *grant.Service
	limits     *limit.Service
	providers  *provider.Service
	keys       *apikey.Service
	adminKeys  *adminkey.Service
	files      *dataset.Folder
	datasets   *dataset.Service
	trainings  *training.Service
	trainer    *training.Loop
	training   *work.Runner

	deployments deploying
}

// start opens everything, lets furnish put something in first, and begins to
// listen; Run answers.
func start(ctx context.Context, c serving, furnish func(*Program) error) (_ *Program, err error) {
	proxies, err := prefixes(c.TrustedProxy)
	if err != nil {
		return nil, err
	}
	fence, err := guard.New(c.AllowPrivate)
	if err != nil {
		return nil, err
	}
	kinds, programs, err := kinds(c, fence)
	if err != nil {
		return nil, err
	}
	base, plainHTTP, err := c.address()
	if err != nil {
		return nil, err
	}
	// What a start allocates is not worth collecting on the way: it is given back after it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	p := &Program{base: base, limiter: limit.New(time.Now), replica: string(ident.NewCall())}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	if p.store, err = openStore(ctx, store.Config{Database: c.Database, Data: c.Data, Server: true}); err != nil {
		return nil, err
	}
	master, err := secret.LoadMaster(c.masterKey())
	if err != nil {
		return nil, err
	}
	sealer, err := master.Sealer()
	if err != nil {
		return nil, err
	}
	if err := p.recognize(ctx, sealer, c.masterKey()); err != nil {
		return nil, err
	}
	if p.keeper, err = policy.NewKeeper(ctx, p.store); err != nil {
		return nil, err
	}
	p.store.OnChange(func(ctx context.Context) {
		if err := p.keeper.Refresh(ctx); err != nil {
			slog.Error("the policy could not be brought up to date, the next poll will", "err", err)
		}
	})
	if err := p.limiter.Join(ctx, p.store, p.replica); err != nil {
		return nil, err
	}
	if p.recorder, err = usage.NewRecorder(p.store, journal.Config{Folder: c.journal()}); err != nil {
		return nil, fmt.Errorf("usage journal: %w", err)
	}
	p.books = &usage.Keeper{Books: p.store, Calls: c.KeepCalls, Hours: c.KeepHours, Days: c.KeepDays, Now: time.Now}
	p.refusals = explanation.NewRecorder(p.store, time.Now)
	p.trail = audit.NewRecorder(p.store, time.Now)
	p.heads = &audit.Exporter{Path: c.heads(), Key: master.Signer(), Tips: p.store, Now: time.Now}
	p.checker = &audit.Checker{Chains: p.store, Path: c.heads(), Key: master.Signer().Public().(ed25519.PublicKey), Now: time.Now}
	p.retention = &account.Retention{Store: p.store, Key: master.Signer(), Now: time.Now}
	p.fence = fence
	if p.files, err = dataset.OpenFolder(c.Data); err != nil {
		return nil, fmt.Errorf("folder of training files: %w", err)
	}
	p.wire(master, sealer, kinds)
	p.train(c.Data)
	p.deploy(c.Data)
	p.providers.Programs = programs
	if furnish != nil {
		if err := furnish(p); err != nil {
			return nil, err
		}
	}
	if err := p.install(ctx); err != nil {
		return nil, err
	}
	if p.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Listen); err != nil {
		return nil, err
	}
	p.door = &gateway.Door{Listener: p.listener, All: c.Connections, PerAddress: c.PerAddress, Exempt: proxies}
	fence.Never(p.listener.Addr())
	if err := p.operate(ctx, c.MetricsListen); err != nil {
		return nil, err
	}
	if c.BaseURL == "" {
		p.base.Host = p.listener.Addr().String()
	}
	return p, p.serve(c, master, proxies, plainHTTP)
}

// A database that begins together with this server may begin later.
const (
	databaseWait  = 2 * time.Minute
	databasePause = 5 * time.Second // the longest between two tries
)

// openStore opens the database, and waits for one that does not answer yet.
func openStore(ctx context.Context, c store.Config) (*store.Store, error) {
	for began, pause := time.Now(), 250*time.Millisecond; ; pause = min(2*pause, databasePause) {
		s, err := store.Open(ctx, c)
		if err == nil || !store.Unreached(err) || time.Since(began) > databaseWait {
			return s, err
		}
		slog.Warn("the database does not answer yet", "waited", time.Since(began).Round(time.Second), "err", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// recognize makes sure that the master key is the one the database was made
// with: with another one no API key and no credential would work.
func (p *Program) recognize(ctx context.Context, sealer secret.Sealer, file string) error {
	const place = "installation"
	fresh, err := sealer.Seal(secret.NewText("bailiwick"), place)
	if err != nil {
		return err
	}
	kept, err := p.store.Canary(ctx, fresh)
	if err != nil {
		return err
	}
	if _, err := sealer.Open(kept, place); err != nil {
		return fmt.Errorf("%s is not the master key that this database was made with: bring that key back", file)
	}
	return nil
}

// wire makes the services.
func (p *Program) wire(master secret.Master, sealer secret.Sealer, kinds map[provider.Kind]provider.Open) {
	p.health = &provider.Board{Now: time.Now}
	p.accounts = &account.Service{Store: p.store, Throttle: &account.Throttle{Now: time.Now}, Trail: p.trail, Now: time.Now}
	p.factors = &factor.Service{Store: p.store, Trail: p.trail, Accounts: p.accounts, Sealer: sealer, Pepper: master.Factors(), Throttle: &account.Throttle{Now: time.Now}, Now: time.Now}
	p.people = &account.People{Store: p.store, Now: time.Now}
	p.workspaces = &workspace.Service{Store: p.store, Now: time.Now, Deleted: func(ws ident.Workspace) { p.datasets.Vacate(ws) }}
	p.members = &workspace.Members{Store: p.store}
	p.catalogue = &catalogue.Service{Store: p.store}
	p.grants = &grant.Service{Store: p.store}
	p.limits = &limit.Service{Store: p.store}
	p.datasets = &dataset.Service{Store: p.store, Folder: p.files, Now: time.Now}
	p.providers = &provider.Service{
		Store: p.store, Sealer: sealer, CheckAddress: p.fence.Check, Now: time.Now, Kinds: kinds, Opened: new(provider.Opened),
	}
}

// install brings every account's catalogue up to ours, and asks for set-up
// where there is no account.
func (p *Program) install(ctx context.Context) error {
	all, err := p.store.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		p.setUp = secret.NewToken()
	}
	for _, a := range all {
		if err := p.catalogue.Install(ctx, a.ID); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the HTTP server: the gateway's paths go to the gateway, all
// others to the console.
func (p *Program) serve(c serving, master secret.Master, proxies []netip.Prefix, plainHTTP bool) error {
	pepper := master.Pepper()
	p.gateway = gateway.New(gateway.Config{
		Policy: p.keeper, Pepper: pepper, Open: p.providers.OpenServer, Usage: p.recorder, Limits: p.limiter,
		Management: &gateway.Management{Actor: p.store.Actor, Grants: p.grants, Limits: p.limits},
		Workshop:   &bench.Workshop{Datasets: p.datasets, Trainings: p.trainings, Deployments: p.deployments.service, Actor: p.store.Actor},
		Trail:      p.trail, Refusals: p.refusals, Console: p.base.String(), Health: p.health,
		TrustedProxies: proxies, BaseHost: p.base.Hostname(), MaxAge: c.ServeStale, Observer: p.operation.observer(), Now: time.Now,
	})
	p.keys = &apikey.Service{Store: p.store, Pepper: pepper, Now: time.Now}
	management, err := p.management(master, proxies, plainHTTP)
	if err != nil {
		return err
	}
	console, err := web.New(web.Config{
		Accounts: p.accounts, People: p.people, Factors: p.factors, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers, Health: p.health,
		Datasets: p.datasets,
		Keys:     p.keys, AdminKeys: p.adminKeys, OpenAPI: management.Document,
		Usage: &usage.Service{Store: p.store, Now: time.Now}, Policy: p.keeper, Trail: p.trail,
		Limits: p.limits, Limiter: p.limiter, Trainings: p.trainings, Deployments: p.deployments.service,
		Call:     p.gateway.ServeConsole,
		Why:      &explanation.Service{Store: p.store, Policy: p.keeper, Pepper: pepper, Note: p.trail.Record, Now: time.Now},
		Audit:    &account.Trail{Store: p.store, Checker: p.checker, Record: p.trail.Record},
		Sessions: p.store.Sessions(store.SessionConfig{PlainHTTP: plainHTTP, Address: func(r *http.Request) string { return web.AddressOf(r, proxies) }}), CloudName: c.CloudName, BaseURL: p.base.String(),
		PlainHTTP: plainHTTP, WarnPlain: plainHTTP && c.InsecureHTTP, TrustedProxies: proxies, SetUp: p.setUp, Now: time.Now, Offers: p.offers(),
	})
	if err != nil {
		return err
	}
	p.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if adminapi.Handles(r.URL.Path) {
				management.ServeHTTP(w, r)
				return
			}
			if gateway.Handles(r.URL.Path) {
				p.gateway.ServeHTTP(w, r)
				return
			}
			console.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 32 << 10,
	}
	return nil
}

// Run answers until ctx ends, then lets running calls finish.
func (p *Program) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	polling, stop := context.WithCancel(context.WithoutCancel(ctx)) // what is revoked while calls end is revoked
	defer stop()
	defer time.AfterFunc(time.Second, lean).Stop()
	spacious()
	go p.keeper.Run(polling)
	go p.operation.run()
	beside.Go(func() { p.heads.Run(polling) })
	beside.Go(func() { p.books.Run(polling) })
	beside.Go(func() { p.limiter.Run(polling, p.store, p.replica) })
	beside.Go(func() { p.retention.Run(polling) })
	beside.Go(func() { p.checker.Run(polling, p.store) })
	beside.Go(func() { p.datasets.Run(polling) })
	beside.Go(func() { p.training.Run(ctx) }) // what is trained is put back at once, and gone on with elsewhere
	beside.Go(func() { p.deployments.run(ctx, p) })
	failed := make(chan error, 1)
	go func() { failed <- p.server.Serve(p.door) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	p.stopping.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	err := p.server.Shutdown(grace)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Close writes what is left and lets go of everything.
func (p *Program) Close() {
	if p.listener != nil {
		p.listener.Close()
	}
	if p.gateway != nil {
		p.gateway.Close()
	}
	p.operation.close()
	if p.recorder != nil {
		p.recorder.Close()
	}
	if p.refusals != nil {
		p.refusals.Close()
	}
	p.trail.Close()
	if p.heads != nil {
		if err := p.heads.Export(context.Background()); err != nil {
			slog.Error("the last heads of the audit trail could not be exported", "err", err)
		}
	}
	if p.files != nil {
		p.files.Close()
	}
	if p.store != nil {
		if err := p.store.Close(); err != nil {
			slog.Error("the database did not close cleanly", "err", err)
		}
	}
}

// announce says where the console is.
func (p *Program) announce() {
	fmt.Fprintf(os.Stdout, "\n  Bailiwick %s\n  Console and gateway: %s\n", version(), p.base)
	if !p.setUp.Empty() {
		fmt.Fprintf(os.Stdout, "\n  There is no account yet. Open this link once to make it:\n  %s/setup?token=%s\n", p.base, p.setUp.Reveal())
	}
}
