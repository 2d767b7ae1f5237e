package dashscope_test

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

// standin behaves as DashScope does, as far as it is asked here: files, jobs that
// go on by a step when they are told to, their logs, and deployments, whose names
// for people it tells or keeps to itself.
type standin struct {
	mu          sync.Mutex
	fromOne     bool // lines of logs are counted from 1
	nameless    bool // deployments are told without their names
	restFirst   bool // only what was stopped is deleted
	files       []map[string]any
	jobs        []*standinJob
	posted      []map[string]any
	deployments []map[string]any
	models      map[string]bool
}

type standinJob struct {
	id, status string
	asked      map[string]any
	step       int
	logs       []string
}

const losses = 6

func newStandin() *standin { return &standin{models: map[string]bool{"qwen-turbo": true}} }

func (s *standin) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		switch {
		case j.status == "PENDING":
			j.status = "QUEUING"
		case j.status == "QUEUING":
			j.status = "RUNNING"
			j.logs = append(j.logs, "2026-01-01 10:00:00 - INFO - data process succeeded, start to fine-tune")
		case j.status == "RUNNING" && j.step < losses:
			j.step++
			j.logs = append(j.logs, fmt.Sprintf("2026-01-01 10:00:%02d - INFO - {'loss': %g, 'learning_rate': 1e-05, 'step': %d}", j.step, 3/float64(j.step), j.step))
		case j.status == "RUNNING":
			j.status = "SUCCEEDED"
			j.logs = append(j.logs, "##FT_COMPLETE##")
			s.models["qwen-turbo-"+j.id] = true
		case j.status == "CANCELING":
			j.status = "CANCELED"
		}
	}
}

func (j *standinJob) view() map[string]any {
	v := map[string]any{"job_id": j.id, "job_name": j.asked["job_name"], "status": j.status, "model": j.asked["model"], "training_file_ids": j.asked["training_file_ids"], "validation_file_ids": j.asked["validation_file_ids"]}
	if j.status == "SUCCEEDED" {
		v["finetuned_output"], v["usage"] = "qwen-turbo-"+j.id, 4711
	}
	return v
}

// paged answers with a page of a list, of two at most.
func paged(w http.ResponseWriter, r *http.Request, member, name string, all []map[string]any) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page_no"))
	from := min((page-1)*2, len(all))
	list := append([]map[string]any{}, all[from:min(from+2, len(all))]...)
	say(w, map[string]any{member: map[string]any{"page_no": page, "page_size": 2, "total": len(all), name: list}})
}

func say(w http.ResponseWriter, v map[string]any) {
	v["request_id"] = "r-1"
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"request_id": "r-1", "code": code, "message": message})
}

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	parts := strings.Split(path, "/")
	var asked map[string]any
	if r.Method != http.MethodGet && parts[0] != "files" {
		json.NewDecoder(r.Body).Decode(&asked)
	}
	switch parts[0] {
	case "models":
		paged(w, r, "output", "models", []map[string]any{{"model": "qwen-turbo"}})
	case "services":
		say(w, map[string]any{"output": map[string]any{"choices": []any{map[string]any{"finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": "Hello."}}}}})
	case "files":
		s.file(w, r, parts)
	case "fine-tunes":
		s.job(w, r, parts, asked)
	case "deployments":
		s.deploy(w, r, parts, asked)
	default:
		refuse(w, 404, "NotFound", "Not found!")
	}
}

func (s *standin) file(w http.ResponseWriter, r *http.Request, parts []string) {
	switch r.Method {
	case http.MethodPost:
		f, h, err := r.FormFile("files")
		if err != nil || r.FormValue("purpose") != "fine-tune" {
			refuse(w, 400, "InvalidParameter", "no file")
			return
		}
		body, _ := io.ReadAll(f)
		v := map[string]any{"file_id": fmt.Sprintf("file-%d", len(s.files)+1), "name": h.Filename, "size": len(body)}
		s.files = append(s.files, v)
		say(w, map[string]any{"data": map[string]any{"uploaded_files": []any{v}, "failed_uploads": []any{}}})
	case http.MethodDelete:
		s.files = slices.DeleteFunc(s.files, func(f map[string]any) bool { return f["file_id"] == parts[1] })
		say(w, map[string]any{})
	default:
		paged(w, r, "data", "files", s.files)
	}
}

func (s *standin) job(w http.ResponseWriter, r *http.Request, parts []string, asked map[string]any) {
	if len(parts) == 1 {
		if r.Method == http.MethodPost {
			j := &standinJob{id: fmt.Sprintf("ft-%d", len(s.posted)), status: "PENDING", asked: asked}
			s.posted, s.jobs = append(s.posted, asked), append(s.jobs, j)
			say(w, map[string]any{"output": j.view()})
			return
		}
		all := []map[string]any{}
		for _, j := range s.jobs {
			all = append(all, j.view())
		}
		paged(w, r, "output", "jobs", all)
		return
	}
	i := slices.IndexFunc(s.jobs, func(j *standinJob) bool { return j.id == parts[1] })
	if i < 0 {
		refuse(w, 404, "NotFound", "Not found!")
		return
	}
	j := s.jobs[i]
	over := j.status == "SUCCEEDED" || j.status == "CANCELED"
	switch strings.Join(parts[2:], "/") {
	case "logs":
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		if s.fromOne {
			offset = max(offset-1, 0)
		}
		say(w, map[string]any{"output": map[string]any{"total": len(j.logs), "logs": append([]string{}, j.logs[min(offset, len(j.logs)):]...)}})
	case "cancel":
		if over {
			refuse(w, 400, "UnsupportedOperation", "The fine-tune job is over.")
			return
		}
		j.status = "CANCELING"
		say(w, map[string]any{"output": map[string]any{"status": "success"}})
	case "checkpoints":
		list := []any{}
		for step := 2; step <= j.step; step += 2 {
			list = append(list, map[string]any{"checkpoint": fmt.Sprintf("checkpoint-%d", step), "step": step, "epoch": step / 2, "status": "SUCCEEDED", "model_name": fmt.Sprintf("qwen-turbo-%s-checkpoint-%d", j.id, step)})
		}
		json.NewEncoder(w).Encode(map[string]any{"output": list})
	case "":
		if r.Method == http.MethodDelete {
			if !over {
				refuse(w, 400, "UnsupportedOperation", "The fine-tune job is running.")
				return
			}
			s.jobs = slices.Delete(s.jobs, i, i+1)
		}
		say(w, map[string]any{"output": j.view()})
	}
}

func (s *standin) deploy(w http.ResponseWriter, r *http.Request, parts []string, asked map[string]any) {
	told := func(d map[string]any) map[string]any {
		v := map[string]any{}
		for k, x := range d {
			if k != "name" || !s.nameless {
				v[k] = x
			}
		}
		return v
	}
	switch {
	case len(parts) > 1 && parts[1] == "models":
		paged(w, r, "output", "models", []map[string]any{{"model_name": "other", "base_capacity": 4}, {"model_name": "more", "base_capacity": 4}, {"model_name": "qwen-turbo", "base_capacity": 2}})
		return
	case len(parts) == 1 && r.Method == http.MethodGet:
		all := []map[string]any{}
		for _, d := range s.deployments {
			all = append(all, told(d))
		}
		paged(w, r, "output", "deployments", all)
		return
	case len(parts) == 1:
		model, suffix := asked["model_name"].(string), asked["suffix"].(string)
		if !s.models[model] {
			refuse(w, 404, "NotFound", "Model: "+model+" not found!")
			return
		}
		name := model + "-" + suffix
		if slices.ContainsFunc(s.deployments, func(d map[string]any) bool { return d["deployed_model"] == name }) {
			refuse(w, 409, "Conflict", "Deployed model "+name+" already exists, please specify a suffix.")
			return
		}
		d := map[string]any{"deployed_model": name, "name": asked["name"], "model_name": model, "status": "PENDING", "base_capacity": 2, "capacity": asked["capacity"], "ready_capacity": 0}
		s.deployments = append(s.deployments, d)
		say(w, map[string]any{"output": told(d)})
		return
	}
	i := slices.IndexFunc(s.deployments, func(d map[string]any) bool { return d["deployed_model"] == parts[1] })
	if i < 0 {
		refuse(w, 404, "NotFound", "Not found!")
		return
	}
	d := s.deployments[i]
	switch {
	case r.Method == http.MethodPut:
		d["capacity"], d["status"] = asked["capacity"], "UPDATING"
	case r.Method == http.MethodDelete && s.restFirst && d["status"] != "STOPPED":
		refuse(w, 400, "UnsupportedOperation", "Stop it first.")
		return
	case r.Method == http.MethodDelete:
		s.deployments = slices.Delete(s.deployments, i, i+1)
	default: // it comes to what is wanted while it is looked at
		d["ready_capacity"], d["status"] = d["capacity"], "RUNNING"
		if d["capacity"] == 0.0 {
			d["status"] = "STOPPED"
		}
	}
	say(w, map[string]any{"output": told(d)})
}
