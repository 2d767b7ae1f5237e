package workshop

import (
	"errors"
	"net/http"

	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
)

const invalidRequest = "invalid_request_error"

// refusal is one in the words of both dialects, with one message.
func refusal(status int, native, openAI, message string) *dialect.Refusal {
	return &dialect.Refusal{
		Status: status, Native: dialect.Words{Code: native, Message: message},
		OpenAI: dialect.Words{Code: openAI, Type: invalidRequest, Message: message},
	}
}

// begins puts the original's own words before ours, for callers who look for them.
func begins(words string, r *dialect.Refusal) *dialect.Refusal {
	r.Native.Message = words + " " + r.Native.Message
	return r
}

// invalid says that something cannot be done as said.
func invalid(param, message string) *dialect.Refusal {
	r := refusal(http.StatusBadRequest, "InvalidParameter", "invalid_value", message)
	r.Param = param
	return r
}

// The refusals of what is not there. What is another workspace's is answered alike.
func noFile() *dialect.Refusal {
	r := refusal(http.StatusNotFound, "InvalidParameter", "not_found", "File not found.")
	return r
}

// noFileHere is how the native files tell it: with the status of bad input.
func noFileHere() *dialect.Refusal {
	r := noFile()
	r.Status = http.StatusBadRequest
	return r
}

func noJob() *dialect.Refusal {
	r := refusal(http.StatusNotFound, "NotFound", "not_found", "Not found!")
	r.OpenAI.Message = "There is no such fine-tuning job."
	return r
}

func noDeployment(name string) *dialect.Refusal {
	return refusal(http.StatusNotFound, "NotFound", "not_found", "Model: "+name+" not found!")
}

// params are the names of our fields in the callers' words, native and OpenAI's.
var params = map[string][2]string{
	"name": {"job_name", "name"}, "suffix": {"finetuned_output_suffix", "suffix"}, "training_file_ids": {"training_file_ids", "training_file"},
	"validation_file_ids": {"validation_file_ids", "validation_file"}, "n_epochs": {"hyper_parameters.n_epochs", "n_epochs"},
	"batch_size": {"hyper_parameters.batch_size", "batch_size"}, "learning_rate": {"hyper_parameters.learning_rate", "learning_rate_multiplier"},
	"split": {"hyper_parameters.split", "split"},
}

// explain words what a service refused. What is about no field in particular and
// missing is worded by the caller.
func explain(err error, openAI bool, missing *dialect.Refusal) *dialect.Refusal {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return internal(err)
	}
	field := f.Field
	if words, known := params[field]; known {
		field = words[0]
		if openAI {
			field = words[1]
		}
	}
	r := worded(f, missing)
	if r.Param == "" {
		r.Param = field
	}
	return r
}

func worded(f *fault.Fault, missing *dialect.Refusal) *dialect.Refusal {
	var full *dataset.QuotaError
	switch f.Kind {
	case fault.Invalid:
		return invalid("", f.Message)
	case fault.Missing:
		switch f.Field {
		case "training_file_ids", "validation_file_ids":
			return noFileHere()
		case "model":
			r := dialect.NoModel("")
			return &r
		}
		return missing
	case fault.Forbidden, fault.Unauthenticated:
		if f.Field == "model" {
			r := dialect.ModelDenied
			return &r
		}
		r := dialect.Denied
		return &r
	case fault.Conflict:
		if f.Field == "state" {
			return begins("The operation is unsupported on the referee object.", refusal(http.StatusBadRequest, "UnsupportedOperation", "unsupported_operation", f.Message))
		}
		return refusal(http.StatusConflict, "Conflict", "conflict", f.Message)
	case fault.Full:
		if errors.As(f, &full) {
			return refusal(http.StatusBadRequest, quotaCode(full), quotaCode(full), f.Message)
		}
		return begins("Too many fine-tune job in running, please retry later.", refusal(http.StatusTooManyRequests, "Throttling", "rate_limit_exceeded", f.Message))
	case fault.Busy, fault.Unavailable:
		r := refusal(http.StatusServiceUnavailable, "ServiceUnavailable", "service_unavailable", f.Message)
		r.Retry = "2"
		return r
	}
	return internal(f)
}

func quotaCode(e *dataset.QuotaError) string {
	if e.Count {
		return "BadRequest.TooMany"
	}
	return "BadRequest.TooLarge"
}
