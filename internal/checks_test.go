package internal_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// checks are those of the security review, and what each proves. Every one of them has tests that bear its
// number: go test -run TestSec05 ./... runs those of one.
var checks = map[int]string{
	1: "every route and operation answers everybody as declared", 2: "a key of another workspace is missing, and unchanged",
	3: "what another key made by a call is missing", 4: "an id of others inside a body is missing, and nobody is asked",
	5: "nothing of another workspace is ever shown", 6: "every method of the store keeps to its owner",
	7: "no row belongs to nobody, or to two accounts", 8: "fields that nobody may set change nothing",
	9: "nobody gives more than they hold", 10: "root and the last administrator stay",
	11: "each right opens only its own", 12: "the model that is authorized is sent and metered",
	13: "keys come by headers alone, and one at a time", 14: "every other spelling of a path is missing", 15: "what is withdrawn is refused on every replica",
	16: "nothing that is sent is taken for something else", 17: "searches are bounded", 19: "only what a provider needs is sent to it, and nothing of its own passed on",
	20: "extremes are clamped or refused", 21: "a kept credential is never sent elsewhere", 22: "forbidden addresses are refused when saved and when dialled",
	23: "no redirect is followed", 24: "no address in a body is fetched", 25: "no secret is kept or written in clear", 26: "errors of providers are scrubbed",
	28: "what a model says is text", 29: "a stream that misbehaves is cut", 30: "figures that cannot be true reduce no bill", 31: "answers that break the protocol are dropped and counted",
	39: "of what may happen once, fifty at once make one", 40: "what is too much is refused without harm to others",
	18: "wrong keys are answered alike", 27: "a wrong master key stops the start", 32: "sessions end when they must",
	33: "what another site sends is refused, and reading changes nothing", 34: "every answer is protected",
	35: "what people type stays text", 36: "a secret is shown once", 37: "guessing is slowed down", 38: "a second factor is taken once",
}

var numbered = regexp.MustCompile(`(?m)^func (TestSec(\d\d)_\w+)\(t \*testing\.T\)`)

// testFiles reads every test of ours but those that hold the lists.
func testFiles(t *testing.T, read func(text string)) {
	t.Helper()
	for _, root := range []string{".", "../web", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") || path == "anchors_test.go" || path == "rows_test.go" {
				return err
			}
			text, err := os.ReadFile(path)
			read(string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryCheckHasTestsThatBearItsNumber(t *testing.T) {
	found := map[string][]string{}
	testFiles(t, func(text string) {
		for _, m := range numbered.FindAllStringSubmatch(text, -1) {
			found[m[2]] = append(found[m[2]], m[1])
		}
	})
	for _, n := range slices.Sorted(maps.Keys(checks)) {
		what := checks[n]
		tests := found[fmt.Sprintf("%02d", n)]
		if slices.Sort(tests); len(tests) == 0 {
			t.Errorf("no test bears the number of check %d: %s", n, what)
		}
		t.Logf("%2d %s: %s", n, what, strings.Join(tests, ", "))
	}
}
