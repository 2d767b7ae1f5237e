package llama_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bailiwick/internal/provider/embedded/llama"
	"bailiwick/internal/provider/embedded/sample"
)

// inLlamaCpp loads a model in llama.cpp and answers prompts greedily. It is given
// {"model", "prompts"} and answers {"load", "tokens", "answers", "template"}.
const inLlamaCpp = `
import {getLlama, LlamaLogLevel, JinjaTemplateChatWrapper} from "node-llama-cpp";
import fs from "node:fs";
const asked = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false});
const begun = performance.now();
const model = await llama.loadModel({modelPath: asked.model});
const load = performance.now() - begun;
const context = await model.createContext({contextSize: 256, sequences: 1, threads: 1});
const sequence = context.getSequence();
const tokens = [], answers = [], rendered = [];
const wrapper = new JinjaTemplateChatWrapper({template: model.fileInfo.metadata.tokenizer.chat_template});
for (const p of asked.prompts) {
  const history = p.messages.map(m => m.role === "user" ? {type: "user", text: m.content} : {type: "system", text: m.content});
  const {contextText} = wrapper.generateContextState({chatHistory: [...history, {type: "model", response: []}]});
  rendered.push(contextText.tokenize(model.tokenizer));
  const ids = model.tokenize(p.text, true);
  tokens.push(ids);
  await sequence.clearHistory();
  const said = [];
  for await (const t of sequence.evaluate(ids, {temperature: 0})) {
    if (t === 2 || t === 0 || t === 1 || said.length >= 70) break;
    said.push(t);
  }
  answers.push(model.detokenize(said, false));
}
console.log("RESULT " + JSON.stringify({load, tokens, answers, rendered}));
process.exit(0);
`

// TestLlamaCppAnswersLikeUs tunes the base on the sample, writes it as GGUF, and
// compares what llama.cpp makes of it. LLAMA_CPP is a folder in which
//
//	npm install --ignore-scripts --omit=optional node-llama-cpp @node-llama-cpp/linux-x64
//
// was run. It trains for half a minute.
func TestLlamaCppAnswersLikeUs(t *testing.T) {
	folder := os.Getenv("LLAMA_CPP")
	if folder == "" {
		t.Skip("set LLAMA_CPP to a folder with node-llama-cpp")
	}
	b := loaded(t)
	before, begun := cpu(), time.Now()
	trainer, err := llama.Tune(b.Model, b.Words, sample.Taught(), sample.Kept(), llama.Options{Epochs: 30, Drop: 0.2, Seed: 1})
	must(t, err)
	for !trainer.Done() {
		must(t, trainer.Next(t.Context(), func(llama.Step) {}))
	}
	spent, took := cpu()-before, time.Since(begun)
	score, err := trainer.Evaluate(t.Context())
	must(t, err)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("30 epochs: %.1f CPU s, %.1f s, peak %s, heap %d MB", spent.Seconds(), took.Seconds(), peak(), m.HeapAlloc>>20)

	file := filepath.Join(t.TempDir(), "tuned.gguf")
	f, err := os.Create(file)
	must(t, err)
	must(t, llama.WriteGGUF(f, trainer.Model, trainer.Words, "tuned"))
	must(t, f.Close())
	type prompt struct {
		Text     string          `json:"text"`
		Messages []llama.Message `json:"messages"`
	}
	var prompts []prompt
	var ours []string
	var ids [][]int32
	right, baseRight := 0, 0
	for _, d := range sample.Kept() {
		text := ""
		for _, m := range d[:2] {
			text += "<|im_start|>" + m.Role + "\n" + m.Content + "<|im_end|>\n"
		}
		prompts = append(prompts, prompt{text + "<|im_start|>assistant\n", d[:2]})
		a, _ := llama.Say(trainer.Model, trainer.Words, d[:2], 70, llama.Sampling{}, nil)
		ours, ids = append(ours, a.Text), append(ids, llama.Prompt(trainer.Words, d[:2], trainer.Model.Context))
		if a.Text == d[2].Content {
			right++
		}
		if a, _ := llama.Say(b.Model, b.Words, d[:2], 70, llama.Sampling{}, nil); a.Text == d[2].Content {
			baseRight++
		}
	}
	theirs := ask(t, folder, map[string]any{"model": file, "prompts": prompts})
	same, theirRight, sameTokens, sameRendered := 0, 0, 0, 0
	for i, d := range sample.Kept() {
		if theirs.Answers[i] == ours[i] {
			same++
		} else {
			t.Logf("%q\n  here:  %q\n  there: %q", d[1].Content, ours[i], theirs.Answers[i])
		}
		if theirs.Answers[i] == d[2].Content {
			theirRight++
		}
		if slices.Equal(theirs.Tokens[i], ids[i]) {
			sameTokens++
		} else {
			t.Logf("%q\n  here:  %v\n  there: %v", d[1].Content, ids[i], theirs.Tokens[i])
		}
		if slices.Equal(theirs.Rendered[i], ids[i]) {
			sameRendered++
		} else if i == 0 {
			t.Logf("by the template of the file:\n  here:  %v\n  there: %v", ids[i], theirs.Rendered[i])
		}
	}
	t.Logf("of %d unseen wordings: the base %d, tuned %d, the same in llama.cpp %d; %d answers, %d prompts and %d by the file's template are the same; loaded in %.0f ms; %.3f bits per byte, token accuracy %.3f",
		len(ours), baseRight, right, theirRight, same, sameTokens, sameRendered, theirs.Load, score.BitsPerByte, score.Accuracy)
	if same != len(ours) || sameTokens != len(ours) || sameRendered != len(ours) {
		t.Error("llama.cpp does not answer like us")
	}
}

type answersThere struct {
	Load             float64
	Tokens, Rendered [][]int32
	Answers          []string
}

func ask(t *testing.T, folder string, what any) (a answersThere) {
	t.Helper()
	script, err := os.CreateTemp(folder, "ask-*.mjs") // beside node_modules
	must(t, err)
	defer os.Remove(script.Name())
	_, err = script.WriteString(inLlamaCpp)
	must(t, err)
	must(t, script.Close())
	question, err := json.Marshal(what)
	must(t, err)
	file := filepath.Join(t.TempDir(), "question.json")
	must(t, os.WriteFile(file, question, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", script.Name(), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "RESULT "); ok {
			must(t, json.Unmarshal([]byte(text), &a))
			return a
		}
	}
	t.Fatalf("no result in\n%s", out)
	return a
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process had.
func peak() string {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return fmt.Sprintf("%d MB", u.Maxrss>>10)
}
