package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bailiwick/internal/provider/command"
)

const declared = `{"trainers":[{"name":"lf","argv":["/bin/sh","{config}"],"profile":"llamafactory","models":{"m":"/models/m"},"template":"qwen"}]}`

func TestADeclarationThatCannotBeIsRefusedWithItsName(t *testing.T) {
	if p, err := command.Parse([]byte(declared)); err != nil || len(p.Names()) != 1 || p["lf"].Format != "peft" {
		t.Fatalf("%v, %v", p, err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for change, says := range map[string]string{
		`"lf"→"l f"`:                                 "letters, digits",
		`"/bin/sh"→"sh"`:                             "absolute path",
		`"/bin/sh"→"/no/such"`:                       "no program",
		`"/bin/sh"→"` + plain + `"`:                  "no program",
		`{"m":"/models/m"}→{}`:                       "no models",
		`"llamafactory"→"magic"`:                     "profile is",
		`"qwen"→""`:                                  "template",
		`"llamafactory"→"regex"`:                     "(?P<step>",
		`"llamafactory"→"hf_trainer_state"`:          "say what it leaves",
		`"template"→"user"`:                          "unknown field",
		`"qwen"→"qwen","environment":["a b"]`:        "no environment variable",
		`"qwen"→"q","environment":["NO_PROXY"]`:      "no proxy",
		`"qwen"→"q","environment":["BAILIWICK_X=1"]`: "none of the program's concern",
		`"qwen"→"q","limit":"-1h"`:                   "such as 12h",
		`}]}→}]} {}`:                                 "something follows",
	} {
		from, to, _ := strings.Cut(change, "→")
		if _, err := command.Parse([]byte(strings.Replace(declared, from, to, 1))); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func TestSec_WhatOthersCanWriteDeclaresNoPrograms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trainers.json")
	if err := os.WriteFile(file, []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o660: false, 0o646: false} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := command.Load(file); (err == nil) != fine {
			t.Errorf("%o: %v", mode, err)
		}
	}
	if p, err := command.Load(""); err != nil || p != nil {
		t.Errorf("without a file: %v, %v", p, err)
	}
}
