package programs_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"bailiwick/internal/store/storetest"
)

func TestATrainingIsFollowedToItsEndInBothDialects(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	file := o.file(o.marketing, "number")
	job := o.begin(o.marketing, file)
	o.json(o.marketing, "DELETE", "/api/v1/fine-tunes/"+job, "").is(400, `"code":"UnsupportedOperation"`)
	o.json(o.marketing, "DELETE", "/api/v1/files/"+file, "").is(409, `"code":"Conflict"`)
	o.json(o.marketing, "GET", "/v1/fine_tuning/jobs/"+job, "").is(200, `"status":"validating_files"`, `"training_file":"`+file+`"`, `"n_epochs":1`, `"fine_tuned_model":null`)
	o.train()
	stream := o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/stream", "").is(200, "event:result\ndata:{", `"status":"RUNNING"`, "##FT_COMPLETE##")
	if stream.header.Get("Content-Type") != "text/event-stream;charset=UTF-8" {
		t.Error(stream.header)
	}
	told := o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job, "").is(200, `"status":"SUCCEEDED"`, `"usage":`, `"end_time":`)
	name := told.at("output.finetuned_output")
	if !strings.HasPrefix(name, "qwen-turbo-ft-") {
		t.Error(told.body)
	}
	o.json(o.marketing, "GET", "/v1/fine_tuning/jobs/"+job, "").is(200, `"status":"succeeded"`, `"fine_tuned_model":"`+name+`"`, `"trained_tokens":`)
	all := o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/logs", "").is(200, "##FT_COMPLETE##")
	first := o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/logs?offset=0&line=2", "").is(200)
	if first.at("output.logs.0") != all.at("output.logs.0") || first.at("output.total") != all.at("output.total") || strings.Contains(first.body, "##") {
		t.Errorf("%s\n%s", first.body, all.body)
	}
	o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/logs?line=1001", "").is(400, "[1, 1000]")
	o.json(o.marketing, "GET", "/v1/fine_tuning/jobs/"+job+"/events?limit=2", "").is(200, `"has_more":true`, "fine_tuning.job.event", "Succeeded.")
	steps := o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/checkpoints", "").is(200, `"output":[`)
	o.json(o.marketing, "GET", "/v1/fine_tuning/jobs/"+job+"/checkpoints", "").is(200, `"object":"list"`)
	if strings.Contains(steps.body, "checkpoint-") {
		step := steps.at("output.0.checkpoint")
		o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/export/"+step+"?model_name=Half+way", "").is(200, `"output":true`)
		o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job+"/checkpoints", "").is(200, `"status":"SUCCEEDED"`)
	}
	o.json(o.marketing, "GET", "/api/v1/deployments/models?model_source=custom", "").is(200, name)
	o.json(o.marketing, "POST", "/api/v1/deployments", `{"model_name":"`+name+`","capacity":1}`).is(200, `"base_model":"qwen-turbo"`, `"status":"PENDING"`)
	o.json(o.marketing, "POST", "/api/v1/deployments", `{"model_name":"`+name+`","capacity":1}`).is(409, `"code":"Conflict"`, "already exists, please specify a suffix.")
	o.json(o.marketing, "PUT", "/api/v1/deployments/"+name+"/update", `{"rpm_limit":60}`).is(200, `"rpm_limit":60`, `"tpm_limit":null`)
	o.json(o.marketing, "PUT", "/api/v1/deployments/"+name+"/scale", `{"deployed_model":"`+name+`","capacity":0}`).is(200, `"capacity":0`)
	o.json(o.marketing, "DELETE", "/api/v1/deployments/"+name, "").is(200, `"status":"DELETING"`)
	o.json(o.marketing, "POST", "/api/v1/fine-tunes/"+job+"/cancel", "").is(400, "UnsupportedOperation")
	o.json(o.marketing, "DELETE", "/api/v1/fine-tunes/"+job, "").is(200, `"status":"success"`)
	o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job, "").is(404, `"code":"NotFound"`)
}

func TestTheOfficialGoSDKUploadsAndTrains(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	ctx := t.Context()
	client := openai.NewClient(option.WithBaseURL(o.base+"/w/"+string(o.marketing)+"/v1"), option.WithAPIKey(o.keys[o.marketing]), option.WithMaxRetries(0))
	up, err := client.Files.New(ctx, openai.FileNewParams{File: openai.File(strings.NewReader(lines(12, "x")), "go.jsonl", "application/jsonl"), Purpose: openai.FilePurposeFineTune})
	must(t, err)
	pages := client.Files.ListAutoPaging(ctx, openai.FileListParams{Limit: openai.Int(1)})
	if !pages.Next() || pages.Current().ID != up.ID || pages.Next() || pages.Err() != nil {
		t.Error("the list of files", pages.Err())
	}
	content, err := client.Files.Content(ctx, up.ID)
	must(t, err)
	content.Body.Close()
	job, err := client.FineTuning.Jobs.New(ctx, openai.FineTuningJobNewParams{
		Model: "qwen-turbo", TrainingFile: up.ID, Suffix: openai.String("go"), Metadata: map[string]string{"team": "desk"},
		Method: openai.FineTuningJobNewParamsMethod{Type: "supervised", Supervised: openai.SupervisedMethodParam{
			Hyperparameters: openai.SupervisedHyperparameters{NEpochs: openai.SupervisedHyperparametersNEpochsUnion{OfInt: openai.Int(2)}},
		}},
	})
	must(t, err)
	if job.Status != "validating_files" || job.Metadata["team"] != "desk" || job.TrainingFile != up.ID || job.Hyperparameters.NEpochs.OfInt != 2 {
		t.Errorf("%s", job.RawJSON())
	}
	found, err := client.FineTuning.Jobs.Get(ctx, job.ID)
	must(t, err)
	jobs := client.FineTuning.Jobs.ListAutoPaging(ctx, openai.FineTuningJobListParams{Metadata: map[string]string{"team": "desk"}})
	if !jobs.Next() || jobs.Current().ID != found.ID || jobs.Next() {
		t.Error("the list of jobs", jobs.Err())
	}
	events := client.FineTuning.Jobs.ListEventsAutoPaging(ctx, job.ID, openai.FineTuningJobListEventsParams{})
	if !events.Next() {
		t.Error("no events", events.Err())
	}
	if _, err := client.FineTuning.Jobs.Checkpoints.List(ctx, job.ID, openai.FineTuningJobCheckpointListParams{}); err != nil {
		t.Error(err)
	}
	ended, err := client.FineTuning.Jobs.Cancel(ctx, job.ID)
	must(t, err)
	if ended.Status != "cancelled" {
		t.Error(ended.Status)
	}
	var refused *openai.Error
	if _, err := client.FineTuning.Jobs.Cancel(ctx, job.ID); !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Code != "unsupported_operation" {
		t.Error(err)
	}
	if _, err := client.Files.New(ctx, openai.FileNewParams{File: bytes.NewReader([]byte("x\n")), Purpose: openai.FilePurposeFineTune}); !errors.As(err, &refused) || refused.StatusCode != 400 {
		t.Error(err)
	}
	gone, err := client.Files.Delete(ctx, up.ID)
	if err != nil || !gone.Deleted {
		t.Error(err)
	}
}

func TestTheOfficialJavaScriptSDKUploadsAndTrains(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	modules, _ := filepath.Abs("../../../static/node_modules")
	if _, err := os.Stat(filepath.Join(modules, "openai")); err != nil {
		t.Skip("npm has not brought openai")
	}
	o := newTown(t, storetest.SQLite(t))
	run := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "openai.mjs"))
	run.Env = append(os.Environ(), "MODULES="+modules+"/", "BASE="+o.base+"/w/"+string(o.marketing)+"/compatible-mode/v1", "KEY="+o.keys[o.marketing], "LINES="+lines(12, "x"))
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
