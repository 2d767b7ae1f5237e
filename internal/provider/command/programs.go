// Package command trains with programs of this host: LLaMA-Factory, or any other
// that is started by a command, writes how far it is and leaves a model in a
// folder. Which programs there are is declared by whoever runs this host, in a
// file; people who administer an account choose one by its name and can neither
// add nor change one.
package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"bailiwick/internal/provider"
)

// Program is one that trains.
type Program struct {
	Name string `json:"name"` // 1–40 letters, digits and -
	// Argv is what is run: an absolute path, and arguments in which {config},
	// {train}, {valid}, {output}, {base}, {from}, {resume}, {epochs}, {batch},
	// {rate}, {rank}, {max_length}, {seed}, {method} and {adapter} are filled in. An argument of
	// which one is not known is left out.
	Argv    []string `json:"argv"`
	Profile string   `json:"profile"` // "llamafactory", "hf_trainer_state" or "regex"
	// Models are the base models, and what the program calls each: a folder.
	Models map[string]string `json:"models"`
	// Environment is all that the program has of one: NAME as this process has it,
	// or NAME=VALUE.
	Environment []string                               `json:"environment"`
	Limit       Duration                               `json:"limit"`    // of one training; 24h
	Methods     map[provider.Method][]provider.Adapter `json:"methods"`  // that it can; those of the profile
	Template    string                                 `json:"template"` // of dialogues, for llamafactory
	Settings    map[string]any                         `json:"settings"` // more lines of its configuration, for llamafactory
	// Pattern finds a step in a line of output, for regex, by groups named step,
	// steps, epoch, train_loss, valid_loss, valid_accuracy, learning_rate.
	Pattern string `json:"pattern"`
	// Result is what the program leaves in {output}: its format, and patterns of
	// file names. For llamafactory it is known.
	Format string   `json:"format"`
	Files  []string `json:"files"`

	pattern *regexp.Regexp
}

// Duration is a time as Go writes it, such as "90m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// usualLimit is how long one training may take.
const usualLimit = 24 * time.Hour

// Programs are those of this host, by name.
type Programs map[string]*Program

// Names lists them in order.
func (p Programs) Names() (names []string) {
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Load reads the file that declares programs: {"trainers": [ … ]}. Nobody but its
// owner may be able to write it. An empty path declares none.
func Load(file string) (Programs, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s says which programs are run: only its owner may be able to write it (chmod go-w)", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// Parse reads declarations.
func Parse(text []byte) (Programs, error) {
	var list struct{ Trainers []*Program }
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the declarations")
	}
	all := Programs{}
	for _, p := range list.Trainers {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("trainer %q: %w", p.Name, err)
		}
		if all[p.Name] != nil {
			return nil, fmt.Errorf("trainer %q stands twice", p.Name)
		}
		all[p.Name] = p
	}
	return all, nil
}

var (
	names     = pattern(`^[A-Za-z0-9][A-Za-z0-9-]{0,39}$`)
	variables = pattern(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// pattern is made when declarations are first read: most servers have none.
func pattern(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

// check fills in what is usual and refuses what cannot be.
func (p *Program) check() error {
	if !names().MatchString(p.Name) {
		return errors.New("a name has 1–40 letters, digits and -")
	}
	if len(p.Argv) == 0 || !filepath.IsAbs(p.Argv[0]) {
		return errors.New("argv begins with the absolute path of the program")
	}
	if info, err := os.Stat(p.Argv[0]); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is no program that can be run", p.Argv[0])
	}
	if len(p.Models) == 0 {
		return errors.New("it names no models")
	}
	for _, entry := range p.Environment {
		name, _, _ := strings.Cut(entry, "=")
		switch lower := strings.ToLower(name); {
		case !variables().MatchString(name):
			return fmt.Errorf("%q is no environment variable", name)
		case strings.HasSuffix(lower, "_proxy"):
			return fmt.Errorf("%s: trainings go through no proxy", name)
		case strings.HasPrefix(lower, "bailiwick_"):
			return fmt.Errorf("%s is none of the program's concern", name)
		}
	}
	if p.Limit == 0 {
		p.Limit = Duration(usualLimit)
	}
	if p.Limit < 0 {
		return errors.New("the limit is a time such as 12h")
	}
	return p.checkProfile()
}

func (p *Program) checkProfile() (err error) {
	switch p.Profile {
	case "llamafactory":
		p.Format, p.Files = provider.FormatPEFT, nil
		if p.Template == "" {
			return errors.New("llamafactory needs the template of dialogues, such as qwen")
		}
	case "regex":
		if p.pattern, err = regexp.Compile(p.Pattern); err != nil {
			return err
		}
		if p.pattern.SubexpIndex("step") < 0 {
			return errors.New("the pattern has no group (?P<step>…)")
		}
	case "hf_trainer_state":
	default:
		return errors.New("the profile is llamafactory, hf_trainer_state or regex")
	}
	if p.Profile != "llamafactory" && (!slices.Contains([]string{provider.FormatGGUF, provider.FormatPEFT, provider.FormatSafetensors}, p.Format) || len(p.Files) == 0) {
		return errors.New("say what it leaves: format gguf, peft or safetensors, and files such as [\"*.gguf\"]")
	}
	for _, f := range p.Files {
		if _, err := path.Match(f, "x"); err != nil || strings.Contains(f, "/") {
			return fmt.Errorf("%q is no pattern of file names", f)
		}
	}
	if p.Methods == nil {
		p.Methods = map[provider.Method][]provider.Adapter{provider.SFT: {provider.LoRA}}
		if p.Profile == "llamafactory" {
			both := []provider.Adapter{provider.LoRA, provider.Full}
			p.Methods = map[provider.Method][]provider.Adapter{provider.SFT: both, provider.DPO: both, provider.CPT: both}
		}
	}
	return nil
}
