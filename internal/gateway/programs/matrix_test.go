package programs_test

import (
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// canary is a word that stands in everything of Marketing.
const canary = "Zyzzyva"

// addresses are all that name something: FILE, JOB and MODEL stand for it.
var addresses = []struct{ method, path, body string }{
	{"GET", "/api/v1/files/FILE", ""}, {"DELETE", "/api/v1/files/FILE", ""},
	{"GET", "/v1/files/FILE", ""}, {"GET", "/v1/files/FILE/content", ""}, {"DELETE", "/v1/files/FILE", ""}, {"GET", "/v1/files?after=FILE", ""},
	{"GET", "/compatible-mode/v1/files/FILE", ""},
	{"GET", "/api/v1/fine-tunes/JOB", ""}, {"DELETE", "/api/v1/fine-tunes/JOB", ""}, {"POST", "/api/v1/fine-tunes/JOB/cancel", ""},
	{"GET", "/api/v1/fine-tunes/JOB/logs", ""}, {"GET", "/api/v1/fine-tunes/JOB/stream", ""}, {"GET", "/api/v1/fine-tunes/JOB/checkpoints", ""},
	{"GET", "/api/v1/fine-tunes/JOB/export/checkpoint-1", ""},
	{"GET", "/v1/fine_tuning/jobs/JOB", ""}, {"POST", "/v1/fine_tuning/jobs/JOB/cancel", ""}, {"GET", "/v1/fine_tuning/jobs/JOB/events", ""},
	{"GET", "/v1/fine_tuning/jobs/JOB/checkpoints", ""}, {"GET", "/v1/fine_tuning/jobs?after=JOB", ""},
	{"GET", "/api/v1/deployments/MODEL", ""}, {"DELETE", "/api/v1/deployments/MODEL", ""},
	{"PUT", "/api/v1/deployments/MODEL/scale", `{"capacity":2}`}, {"PUT", "/api/v1/deployments/MODEL/update", `{"rpm_limit":5}`},
	{"POST", "/api/v1/fine-tunes", `{"model":"qwen-turbo","training_file_ids":["FILE"]}`},
	{"POST", "/v1/fine_tuning/jobs", `{"model":"qwen-turbo","training_file":"FILE"}`},
	{"POST", "/api/v1/deployments", `{"model_name":"MODEL","capacity":1}`},
}

var lists = []string{
	"/api/v1/files", "/v1/files", "/compatible-mode/v1/files", "/api/v1/fine-tunes", "/v1/fine_tuning/jobs", "/api/v1/deployments", "/api/v1/deployments/models",
}

var requestID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// Whatever a workspace asks about another one's things is answered as about
// things that never were, and tells nothing of them.
func TestSec05_AnothersFilesTrainingsAndDeploymentsDoNotExist(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newTown(t, s)
		o.Grant("qwen-turbo", catalogue.Train, o.marketing, o.research) // so that its own rights do not stop it
		o.Grant("qwen-turbo", catalogue.Deploy, o.marketing, o.research)
		file := o.file(o.marketing, canary)
		job := o.json(o.marketing, "POST", "/api/v1/fine-tunes", `{"model":"qwen-turbo","training_file_ids":["`+file+`"],"job_name":"`+canary+`","finetuned_output_suffix":"`+canary+`"}`).is(200).at("output.job_id")
		model := o.json(o.marketing, "POST", "/api/v1/deployments", `{"model_name":"qwen-turbo","capacity":1,"name":"`+canary+`","suffix":"zyz"}`).is(200, "PENDING").at("output.deployed_model")
		theirs := strings.NewReplacer("FILE", file, "JOB", job, "MODEL", model)
		never := map[string]string{"FILE": string(ident.NewFile()), "JOB": "ft-202611280000-abcd", "MODEL": "qwen-turbo-nobody"}
		missing := strings.NewReplacer("FILE", never["FILE"], "JOB", never["JOB"], "MODEL", never["MODEL"])
		plain := func(g got) string {
			text := requestID.ReplaceAllString(g.body, "ID")
			for name, id := range map[string]string{"FILE": file, "JOB": job, "MODEL": model} {
				text = strings.ReplaceAll(strings.ReplaceAll(text, id, name), never[name], name)
			}
			return text
		}
		for _, a := range addresses {
			foreign := o.json(o.research, a.method, theirs.Replace(a.path), theirs.Replace(a.body))
			none := o.json(o.research, a.method, missing.Replace(a.path), missing.Replace(a.body))
			if foreign.status != none.status || plain(foreign) != plain(none) || foreign.status < 400 || foreign.status == 405 {
				t.Errorf("%s %s: %d %s, and for what never was %d %s", a.method, a.path, foreign.status, plain(foreign), none.status, plain(none))
			}
			if strings.Contains(foreign.body, canary) {
				t.Errorf("%s %s tells of another workspace", a.method, a.path)
			}
			if strings.HasPrefix(a.path, "/v1") || strings.HasPrefix(a.path, "/compatible") {
				foreign.is(foreign.status, `{"error":{"message":`)
			} else {
				foreign.is(foreign.status, `{"code":`)
			}
		}
		for _, path := range lists {
			if g := o.json(o.research, "GET", path, "").is(200); strings.Contains(g.body, canary) || strings.Contains(g.body, file) || strings.Contains(g.body, job) || strings.Contains(g.body, model) {
				t.Errorf("%s lists another workspace's: %s", path, g.body)
			}
		}
		// Its own are as they were.
		o.json(o.marketing, "GET", "/v1/files/"+file, "").is(200)
		o.json(o.marketing, "GET", "/api/v1/fine-tunes/"+job, "").is(200, canary, "PENDING")
		o.json(o.marketing, "GET", "/api/v1/deployments/"+model, "").is(200, `"capacity":1`)
		// A key names no other workspace either.
		o.keys[o.marketing] = o.keys[o.research]
		o.json(o.marketing, "GET", "/v1/files/"+file, "").is(403, "Workspace.AccessDenied")
	})
}

// Without the right every door is shut, with the dialect's own code.
func TestSec_WithoutTheRightNothingIsTrainedOrDeployed(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	file := o.file(o.research, "x")
	tune := `{"model":"qwen-turbo","training_file_ids":["` + file + `"]}`
	job := `{"model":"qwen-turbo","training_file":"` + file + `"}`
	o.json(o.research, "POST", "/api/v1/fine-tunes", tune).is(403, `"code":"Model.AccessDenied"`)
	o.json(o.research, "POST", "/v1/fine_tuning/jobs", job).is(403, `"code":"Model.AccessDenied"`)
	o.json(o.research, "POST", "/api/v1/deployments", `{"model_name":"qwen-turbo","capacity":1}`).is(403, `"code":"Model.AccessDenied"`)
	o.Grant("qwen-turbo", catalogue.Train, o.research)
	o.json(o.research, "POST", "/api/v1/fine-tunes", tune).is(200)
	o.json(o.research, "POST", "/api/v1/fine-tunes", strings.Replace(tune, "qwen-turbo", "no-such", 1)).is(404, "ModelNotFound")
	o.json(o.research, "POST", "/v1/fine_tuning/jobs", strings.Replace(job, "qwen-turbo", "no-such", 1)).is(404, "model_not_found")
	// A key that is narrowed to another model trains this one no more than it calls it.
	narrow := o.issue(o.research, pepperOf(t), []ident.Model{"qwen-plus"})
	o.keys[o.research] = narrow
	o.json(o.research, "POST", "/api/v1/fine-tunes", tune).is(403, `"code":"Model.AccessDenied"`)
	o.keys[o.research] = "sk-nothing"
	o.json(o.research, "POST", "/api/v1/fine-tunes", tune).is(401, "InvalidApiKey")
	o.json(o.research, "GET", "/v1/files", "").is(401, "invalid_api_key")
}

func pepperOf(t *testing.T) secret.Pepper {
	master, err := secret.ParseMaster("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=")
	must(t, err)
	return master.Pepper()
}

func TestWhatIsBadlySaidIsRefusedByItsName(t *testing.T) {
	o := newTown(t, storetest.SQLite(t))
	file := o.file(o.marketing, "x")
	for body, holds := range map[string]string{
		`{}`:                     "BadRequest.EmptyModel",
		`{"model":"qwen-turbo"}`: "Missing training files",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"training_type":"ppo"}`:                     "training_type",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"hyper_parameters":{"n_epochs":"many"}}`:    "n_epochs",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"hyper_parameters":{"n_epochs":1.5}}`:       "whole number",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"hyper_parameters":{"learning_rate":"-1"}}`: "learning rate",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"hyper_parameters":{"split":2}}`:            "0.8",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"Model":"x"}`:                               "is not supported",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"color":"red"}`:                             "is not supported",
		`{"model":"qwen-turbo","training_file_ids":["nonsense"]}`:                                       "File not found.",
		`{"model":"qwen-turbo","training_file_ids":["FILE"],"training_type":"cpt"}`:                     "SFT",
	} {
		o.json(o.marketing, "POST", "/api/v1/fine-tunes", strings.Replace(body, "FILE", file, 1)).is(400, holds)
	}
	for body, holds := range map[string]string{
		`{"model":"qwen-turbo"}`:                                                                            `"param":"training_file"`,
		`{"model":"qwen-turbo","training_file":"nonsense"}`:                                                 `"param":"training_file"`,
		`{"model":"qwen-turbo","training_file":"FILE","method":{"type":"reinforcement"}}`:                   `"param":"method"`,
		`{"model":"qwen-turbo","training_file":"FILE","integrations":[{"type":"wandb"}]}`:                   `"param":"integrations"`,
		`{"model":"qwen-turbo","training_file":"FILE","hyperparameters":{"n_epochs":-1}}`:                   `"param":"n_epochs"`,
		`{"model":"qwen-turbo","training_file":"FILE","suffix":"a/b"}`:                                      `"param":"suffix"`,
		`{"model":"qwen-turbo","training_file":"FILE","metadata":{"a":"` + strings.Repeat("x", 513) + `"}}`: `"param":"metadata"`,
	} {
		o.json(o.marketing, "POST", "/v1/fine_tuning/jobs", strings.Replace(body, "FILE", file, 1)).is(400, holds, `"error":{`)
	}
	for body, holds := range map[string]string{
		`{}`: "model_name", `{"model_name":"qwen-turbo","capacity":1000}`: "Invalid capacity (1000)", `{"model_name":"qwen-turbo","plan":"ptu"}`: "compute units",
		`{"model_name":"qwen-turbo","suffix":"TOO LONG FOR ONE"}`: "suffix", `{"model_name":"qwen-turbo","deploy_spec":{}}`: "deploy_spec",
	} {
		o.json(o.marketing, "POST", "/api/v1/deployments", body).is(400, holds)
	}
	o.json(o.marketing, "GET", "/api/v1/files?page_size=101", "").is(400, "[1, 100]")
	o.json(o.marketing, "GET", "/v1/files?color=red", "").is(400, `"param":"color"`)
}
