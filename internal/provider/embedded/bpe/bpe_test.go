package bpe_test

import (
	"slices"
	"testing"

	"bailiwick/internal/provider/embedded/bpe"
)

func bytes(t testing.TB) *bpe.Tokenizer {
	t.Helper()
	tok, err := bpe.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func learnt(t testing.TB, more int, texts ...string) *bpe.Tokenizer {
	t.Helper()
	tok, err := bytes(t).Extend(texts, more)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

var texts = []string{"the harbor blend, the lagoon blend", "They're here; don't you'll we'd I'm it's", "你好，世界 🙂\n\n  two  spaces\t"}

func FuzzWhatIsEncodedComesBack(f *testing.F) {
	for _, s := range append(texts, "", "\xff\x00", "<|im_start|>", " '", "a\n b") {
		f.Add(s)
	}
	tok := learnt(f, 60, texts...)
	f.Fuzz(func(t *testing.T, s string) {
		ids := tok.Encode(s)
		if got := tok.Decode(ids...); got != s {
			t.Fatalf("%q became %q", s, got)
		}
		if slices.ContainsFunc(ids, func(id int32) bool { return id < 3 }) {
			t.Fatalf("%q produced a special token", s)
		}
	})
}

// The cases are GPT-2's own splitting, by its published expression
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+.
func TestTextIsSplitAsGPT2DoesIt(t *testing.T) {
	for s, want := range map[string][]string{
		"don't":          {"don", "'t"},
		"we'll go":       {"we", "'ll", " go"},
		"a  b":           {"a", " ", " b"},
		"a\n\nb":         {"a", "\n", "\n", "b"},
		"a\n":            {"a", "\n"},
		"  a":            {" ", " a"},
		"x 12 y!":        {"x", " 12", " y", "!"},
		"!'s":            {"!'", "s"},
		" ":              {" "},
		"user\n Hello":   {"user", "\n", " Hello"},
		"a \t":           {"a", " \t"},
		"Größe 你好":       {"Größe", " 你好"},
		"(a)":            {"(", "a", ")"},
		"it'S":           {"it", "'", "S"},
		"3.5kg":          {"3", ".", "5", "kg"},
		" 're":           {" '", "re"},
		"\nuser":         {"\n", "user"},
		"end.  \n  Next": {"end", ".", "  \n ", " Next"},
	} {
		// A tokenizer that joins whatever occurs twice makes one token of every
		// piece, and none of two.
		tok := learnt(t, 500, s, s, s)
		var got []string
		for _, id := range tok.Encode(s) {
			got = append(got, tok.Decode(id))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestExtendingKeepsWhatWasLearnt(t *testing.T) {
	base := learnt(t, 80, texts...)
	more, err := base.Extend([]string{"the harbor blend ships on mondays", "mondays are harbor days"}, 40)
	if err != nil {
		t.Fatal(err)
	}
	if more.Size() <= base.Size() || !slices.Equal(more.Merges()[:len(base.Merges())], base.Merges()) {
		t.Fatalf("%d tokens became %d", base.Size(), more.Size())
	}
	seen := map[string]bool{}
	for id, s := range more.Tokens() {
		if seen[s] {
			t.Errorf("%q stands twice", s)
		}
		seen[s] = true
		if id < base.Size() && s != base.Tokens()[id] {
			t.Errorf("token %d was %q and is %q", id, base.Tokens()[id], s)
		}
		if a, b, ok := more.Parts(int32(id)); ok != (id >= 259) || ok && more.Decode(a)+more.Decode(b) != more.Decode(int32(id)) {
			t.Errorf("token %d is not made of its parts", id)
		}
	}
	if ids := base.Encode("the lagoon"); more.Decode(ids...) != "the lagoon" {
		t.Error("old ids decode to another text")
	}
	if len(more.Encode("mondays")) >= len(base.Encode("mondays")) {
		t.Error("nothing was learnt")
	}
}

func TestMergesThatCannotBeAreRefused(t *testing.T) {
	for name, merges := range map[string][]bpe.Merge{
		"twice":        {{"a", "b"}, {"a", "b"}},
		"spelt twice":  {{"a", "b"}, {"b", "c"}, {"ab", "c"}, {"a", "bc"}},
		"parts absent": {{"ab", "c"}},
	} {
		if _, err := bpe.New(merges); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
