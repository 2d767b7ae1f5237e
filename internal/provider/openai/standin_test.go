package openai_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// standin behaves as OpenAI's platform does, as far as it is asked here: files,
// jobs that go on by a step when they are told to, and their events, the newest
// first, in small pages.
type standin struct {
	mu       sync.Mutex
	upwards  bool // the oldest first instead
	files    []map[string]any
	jobs     []*standinJob // the newest first
	begun    int
	uploaded int
	posted   []map[string]any
	models   map[string]bool
}

type standinJob struct {
	id, status string
	asked      map[string]any
	step       int
	events     []map[string]any // the oldest first
	created    int
}

const (
	losses   = 7
	pageMost = 3
)

func newStandin() *standin { return &standin{models: map[string]bool{"gpt-4o-mini": true}} }

// goOn lets every job go on by a step.
func (s *standin) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		j.goOn(s)
	}
}

func (j *standinJob) say(message string, data map[string]any) {
	kind := "message"
	if data != nil {
		kind = "metrics"
	}
	j.events = append(j.events, map[string]any{"object": "fine_tuning.job.event", "id": fmt.Sprintf("ftevent-%s-%d", j.id, len(j.events)), "created_at": 1700000000 + len(j.events)/3,
		"level": "info", "message": message, "type": kind, "data": data})
}

func (j *standinJob) goOn(s *standin) {
	switch {
	case j.status == "validating_files":
		j.status = "queued"
	case j.status == "queued":
		j.status = "running"
		j.say("Fine-tuning job started", nil)
	case j.status == "running" && j.step < losses:
		j.step++
		data := map[string]any{"step": j.step, "total_steps": losses, "train_loss": 3 / float64(j.step)}
		if j.step%3 == 0 {
			data["valid_loss"], data["valid_mean_token_accuracy"] = 4/float64(j.step), 0.5
		}
		j.say(fmt.Sprintf("Step %d/%d", j.step, losses), data)
	case j.status == "running":
		j.status = "succeeded"
		s.models["ft:gpt-4o-mini:acme::"+j.id] = true
		j.say("The job has successfully completed", nil)
	}
}

func (j *standinJob) view() map[string]any {
	v := map[string]any{"object": "fine_tuning.job", "id": j.id, "status": j.status, "created_at": 1700000000, "model": j.asked["model"], "fine_tuned_model": nil,
		"training_file": j.asked["training_file"], "validation_file": j.asked["validation_file"], "metadata": j.asked["metadata"], "result_files": []any{}, "trained_tokens": nil,
		"error": map[string]any{"code": "", "message": "", "param": nil}}
	if j.status == "succeeded" {
		v["fine_tuned_model"], v["trained_tokens"] = "ft:gpt-4o-mini:acme::"+j.id, 4711
	}
	return v
}

func page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	limit = min(max(limit, 1), pageMost)
	if after := r.URL.Query().Get("after"); after != "" {
		i := slices.IndexFunc(all, func(v map[string]any) bool { return v["id"] == after })
		all = all[i+1:]
	}
	n := min(limit, len(all))
	json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": append([]map[string]any{}, all[:n]...), "has_more": n < len(all)})
}

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	missing := func() {
		w.WriteHeader(404)
		io.WriteString(w, `{"error":{"message":"Could not find it.","type":"invalid_request_error","param":null,"code":"not_found"}}`)
	}
	parts := strings.Split(path, "/")
	switch {
	case path == "models":
		list := []map[string]any{}
		for name := range s.models {
			list = append(list, map[string]any{"id": name})
		}
		json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": list})
	case parts[0] == "models" && !s.models[strings.Join(parts[1:], "/")]:
		missing()
	case parts[0] == "models" && r.Method == http.MethodDelete:
		delete(s.models, parts[1])
	case parts[0] == "models":
		io.WriteString(w, `{"id":"`+parts[1]+`"}`)
	case path == "chat/completions":
		io.WriteString(w, `{"choices":[{"message":{"role":"assistant","content":"Hello."}}]}`)
	case parts[0] == "files":
		s.file(w, r, parts)
	case path == "fine_tuning/jobs" && r.Method == http.MethodPost:
		j := &standinJob{id: fmt.Sprintf("ftjob-%d", s.begun), status: "validating_files"}
		if json.NewDecoder(r.Body).Decode(&j.asked) != nil {
			w.WriteHeader(400)
			return
		}
		s.begun++
		j.say("Created fine-tuning job: "+j.id, nil)
		s.posted = append(s.posted, j.asked)
		s.jobs = append([]*standinJob{j}, s.jobs...)
		json.NewEncoder(w).Encode(j.view())
	case path == "fine_tuning/jobs":
		all := []map[string]any{}
		for _, j := range s.jobs { // metadata is not filtered by
			all = append(all, j.view())
		}
		page(w, r, all)
	case len(parts) >= 3:
		i := slices.IndexFunc(s.jobs, func(j *standinJob) bool { return j.id == parts[2] })
		if i < 0 {
			missing()
			return
		}
		s.job(w, r, s.jobs[i], strings.Join(parts[3:], "/"))
	default:
		missing()
	}
}

func (s *standin) job(w http.ResponseWriter, r *http.Request, j *standinJob, what string) {
	switch what {
	case "":
		json.NewEncoder(w).Encode(j.view())
	case "cancel":
		if j.status == "succeeded" || j.status == "cancelled" {
			w.WriteHeader(400)
			io.WriteString(w, `{"error":{"message":"Job has already completed","code":"invalid_state"}}`)
			return
		}
		j.status = "cancelled"
		json.NewEncoder(w).Encode(j.view())
	case "events":
		all := slices.Clone(j.events)
		if !s.upwards {
			slices.Reverse(all)
		}
		page(w, r, all)
	case "checkpoints":
		all := []map[string]any{}
		for step := 3; step <= j.step; step += 3 {
			all = append([]map[string]any{{"id": fmt.Sprintf("ftckpt-%d", step), "step_number": step, "fine_tuned_model_checkpoint": fmt.Sprintf("ft:gpt-4o-mini:acme::%s:ckpt-step-%d", j.id, step)}}, all...)
		}
		page(w, r, all)
	}
}

func (s *standin) file(w http.ResponseWriter, r *http.Request, parts []string) {
	switch {
	case r.Method == http.MethodPost:
		f, h, err := r.FormFile("file")
		if err != nil || r.FormValue("purpose") != "fine-tune" {
			w.WriteHeader(400)
			return
		}
		body, _ := io.ReadAll(f)
		s.uploaded++
		v := map[string]any{"id": fmt.Sprintf("file-%d", s.uploaded), "filename": h.Filename, "bytes": len(body), "status": "processed", "purpose": "fine-tune"}
		s.files = append([]map[string]any{v}, s.files...)
		json.NewEncoder(w).Encode(v)
	case r.Method == http.MethodDelete:
		n := len(s.files)
		s.files = slices.DeleteFunc(s.files, func(f map[string]any) bool { return f["id"] == parts[1] })
		if len(s.files) == n {
			w.WriteHeader(404)
		}
	default:
		page(w, r, s.files)
	}
}
