// Command bailiwick is a self-hosted model studio: a console that administers
// workspaces and what each of them may do with which model, and a gateway that
// lets programs through to exactly that.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"bailiwick/internal/fault"
)

// commands is the command line. Every flag can also be given in the
// environment, under the name its help shows.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the console and the gateway."`
	Demo    demoCommand    `cmd:"" help:"Run them with the demo company Acme."`
	Host    hostCommand    `cmd:"" help:"Open accounts, add RAM users and reset passwords in this machine's database."`
	Account accountCommand `cmd:"" help:"The same as host account."`
	Explain explainCommand `cmd:"" help:"Say why a call is allowed or refused, who set that, and what would change it. Nothing is called."`
	Books   booksCommand   `cmd:"" name:"verify-books" help:"Make sure that calls and their sums by hour and day say the same; every difference is named, and then the exit code is 1."`

	Workspace workspaceCommand `cmd:"" help:"Administer workspaces through a server."`
	User      userCommand      `cmd:"" help:"Administer RAM users through a server."`
	Member    memberCommand    `cmd:"" help:"Administer members of workspaces through a server."`
	Grant     grantCommand     `cmd:"" help:"Administer authorizations of models through a server."`
	Key       keyCommand       `cmd:"" help:"Administer API keys through a server."`
	Audit     auditCommand     `cmd:"" help:"Read the audit trail through a server, or verify it in this machine's database."`

	Version versionCommand `cmd:"" help:"Print the version."`
}

// place says where everything is kept.
type place struct {
	Data      string `help:"Folder for the database, the master key and other files." default:"./data" env:"BAILIWICK_DATA" placeholder:"FOLDER"`
	Database  string `help:"postgres://… to keep everything in PostgreSQL; otherwise a SQLite file in the data folder." env:"BAILIWICK_DATABASE" placeholder:"URL"`
	MasterKey string `help:"File of the master key, made at the first start. Default: master.key in the data folder." env:"BAILIWICK_MASTER_KEY" placeholder:"FILE"`
}

func (p place) masterKey() string {
	if p.MasterKey != "" {
		return p.MasterKey
	}
	return filepath.Join(p.Data, "master.key")
}

// journal is the folder where usage waits for the database.
func (p place) journal() string { return filepath.Join(p.Data, "journal") }

// heads is the file that the heads of the audit trail are exported to.
func (p place) heads() string { return filepath.Join(p.Data, "audit-heads.jsonl") }

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Println("bailiwick", version())
	return nil
}

// version is what the build knows of itself: a module version or a commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends at once
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bailiwick:", plain(err))
		os.Exit(codeOf(err))
	}
}

// run parses the command line and runs its command.
func run(ctx context.Context, args []string) error {
	parser, err := kong.New(&commands{},
		kong.Name("bailiwick"),
		kong.Description("A self-hosted model studio: workspaces, and for every model a separate authorization to call, train and deploy it."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return err
	}
	command, err := parser.Parse(spelled(args))
	if err != nil {
		return &remoteError{exitUsage, err.Error()}
	}
	if c, ok := command.Selected().Target.Interface().(interface{ Run(context.Context) error }); ok {
		return c.Run(ctx) // not by the parser, which would stay for as long as a server runs: half a megabyte
	}
	return command.Run()
}

// spelled puts into the parser's words what people write too: nothing at all
// or help, with a command or without one, and --version.
func spelled(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version":
		return []string{"version"}
	}
	return args
}

// plain is what the person at the command line reads of an error: a fault's own
// words, else the whole chain.
func plain(err error) string {
	var f *fault.Fault
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return f.Message
	}
	return err.Error()
}
