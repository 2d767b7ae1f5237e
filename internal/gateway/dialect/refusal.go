package dialect

import (
	"fmt"
	"net/http"
)

// Words is a refusal in one dialect.
type Words struct{ Code, Type, Message string }

// Refusal says why a call is not answered, or not to its end.
type Refusal struct {
	Status int
	Native Words // Type unused
	OpenAI Words
	Check  string // the check of the policy that refused, where the caller may know; empty: none
	Allow  string // of a wrong method: the right one
	Param  string // the parameter it is about; empty: none
	Retry  string // seconds until a retry makes sense; empty: not said
}

// alike is a refusal with the same code and message in both dialects.
func alike(status int, code, kind, message string) Refusal {
	return Refusal{Status: status, Native: Words{Code: code, Message: message}, OpenAI: Words{code, kind, message}}
}

// apart is a refusal whose code differs between the dialects.
func apart(status int, native, openai, kind, message string) Refusal {
	return Refusal{Status: status, Native: Words{Code: native, Message: message}, OpenAI: Words{openai, kind, message}}
}

const invalid = "invalid_request_error"

// The refusals that need no further words. Statuses, codes and messages are the
// original's.
var (
	NoKey        = apart(http.StatusUnauthorized, "InvalidApiKey", "invalid_api_key", invalid, "No API-key provided.")
	WrongKey     = wrongKey()
	TwoKeys      = alike(http.StatusBadRequest, "InvalidParameter", invalid, "The request carries two different API keys. Send one, as Authorization: Bearer or as x-api-key.")
	AdminKey     = wrongKey().saying("This is an admin key: it administers through the management API under /api/admin/v1 and calls no model. Present the API key of a workspace.")
	Denied       = apart(http.StatusForbidden, "AccessDenied", "access_denied", "access_denied", "Access denied.")
	NoLending    = apart(http.StatusForbidden, "AccessDenied", "access_denied", "access_denied", "A temporary API key cannot make another one. Present the API key it was made with.")
	NoAsync      = apart(http.StatusForbidden, "AccessDenied", "access_denied", "access_denied", "Current user api does not support asynchronous calls.")
	ModelDenied  = alike(http.StatusForbidden, "Model.AccessDenied", "Model.AccessDenied", "Model access denied.")
	PlaceDenied  = alike(http.StatusForbidden, "Workspace.AccessDenied", "Workspace.AccessDenied", "Workspace access denied.")
	PlaceUnnamed = alike(http.StatusForbidden, "Workspace.AccessDenied", "Workspace.AccessDenied",
		"Workspace access denied. Calls with this API key must name their workspace: by the header X-DashScope-WorkSpace: {WorkspaceId}, by the path /w/{WorkspaceId}/… before the rest of the address, or by a host name that begins with {WorkspaceId}.")
	PlaceMissing = alike(http.StatusNotFound, "WorkSpaceNotFound", "WorkSpaceNotFound", "WorkSpace can not be found.")
	NoPath       = alike(http.StatusNotFound, "NotFound", invalid, "Request path not found.")
	Unavailable  = alike(http.StatusServiceUnavailable, "ModelUnavailable", "ModelUnavailable", "Model is unavailable, please try again later.")
	Stale        = alike(http.StatusServiceUnavailable, "ServiceUnavailable", "service_unavailable", "The gateway cannot reach its database and no longer knows what is allowed. Please try again later.").retry("5")
	TooLarge     = alike(http.StatusRequestEntityTooLarge, "BadRequest.TooLarge", invalid, "Payload Too Large.")
	TimedOut     = alike(http.StatusInternalServerError, "RequestTimeOut", "RequestTimeOut", "Request timed out, please try again later.")
	Internal     = apart(http.StatusInternalServerError, "InternalError", "internal_error", "internal_error", "An internal error has occured, please try again later or contact service support.")
	NoCounting   = alike(http.StatusBadRequest, "UnsupportedOperation", invalid, "The provider of this model cannot count tokens.")
	WrongURL     = alike(http.StatusBadRequest, "InvalidParameter", invalid, "url error, please check url！")

	BadBody       = alike(http.StatusBadRequest, "InvalidParameter", invalid, "Required body invalid, please check the request body format.")
	TwiceInBody   = alike(http.StatusBadRequest, "InvalidParameter", invalid, "Required body invalid, please check the request body format. A name stands twice in one object, or differs from a known one only in case.")
	BadParameters = alike(http.StatusBadRequest, "InvalidParameter", invalid, "Required parameter(s) missing or invalid, please check the request parameters.")
	NoMessages    = alike(http.StatusBadRequest, "InvalidParameter", invalid, `Either "prompt" or "messages" must exist and cannot both be none`)
	TooShort      = alike(http.StatusBadRequest, "InvalidParameter", invalid, "[] is too short")
	OddModel      = alike(http.StatusBadRequest, "InvalidParameter", invalid, "Model not exist.")
	EmptyModel    = apart(http.StatusBadRequest, "BadRequest.EmptyModel", invalid, invalid, `Required parameter "model" missing from request.`).openAISays("you must provide a model parameter.")
	EmptyInput    = alike(http.StatusBadRequest, "BadRequest.EmptyInput", invalid, "Required input parameter missing from request.")

	ProviderFailed  = alike(http.StatusServiceUnavailable, "ModelServingError", "ModelServingError", "The provider of this model failed. Please try again later.")
	ProviderRefused = alike(http.StatusServiceUnavailable, "ModelServingError", "ModelServingError", "The provider of this model cannot serve it at present. Tell your administrator the request id.")
	ProviderBabbles = alike(http.StatusBadGateway, "ModelServingError", "ModelServingError", "The provider of this model answered with something that is no answer. Tell your administrator the request id.")
	CutOff          = alike(http.StatusServiceUnavailable, "ModelServingError", "ModelServingError", "The provider of this model broke off its answer. Please try again.")
)

func wrongKey() Refusal {
	return apart(http.StatusUnauthorized, "InvalidApiKey", "invalid_api_key", invalid, "Invalid API-key provided.").openAISays("Incorrect API key provided. ")
}

func (r Refusal) saying(message string) Refusal { return *r.WithMessage("%s", message) }

func (r Refusal) openAISays(message string) Refusal {
	r.OpenAI.Message = message
	return r
}

func (r Refusal) retry(seconds string) Refusal {
	r.Retry = seconds
	return r
}

// WithMessage gives the refusal with another message in both dialects.
func (r Refusal) WithMessage(format string, args ...any) *Refusal {
	message := fmt.Sprintf(format, args...)
	r.Native.Message, r.OpenAI.Message = message, message
	return &r
}

// NoModel is the refusal of a model that the account does not have.
func NoModel(model string) Refusal {
	return apart(http.StatusNotFound, "ModelNotFound", "model_not_found", invalid, "Model can not be found.").
		openAISays("The model `" + model + "` does not exist or you do not have access to it.")
}

// NotChat is the OpenAI dialect's refusal of a model that cannot be talked with.
func NotChat(model string) Refusal {
	return apart(http.StatusNotFound, "ModelNotFound", "model_not_supported", invalid, "Model can not be found.").
		openAISays("Unsupported model `" + model + "` for OpenAI compatibility mode.")
}

// WrongMethod is the refusal of a method that the path does not take.
func WrongMethod(allow string) Refusal {
	r := alike(http.StatusMethodNotAllowed, "MethodNotAllowed", invalid, "This path takes "+allow+" only.")
	r.Allow = allow
	return r
}

// Range is the refusal of a parameter outside its range.
func Range(param, format string, args ...any) *Refusal {
	r := BadParameters.WithMessage(format, args...)
	r.Param = param
	return r
}

// Unknown is the refusal of a parameter that cannot be passed on.
func Unknown(param string) *Refusal {
	return Range(param, "The parameter %q is not supported here. It was not dropped in silence: take it out and try again.", param)
}
