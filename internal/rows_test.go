package internal_test

import (
	"regexp"
	"strconv"
	"testing"
)

// rows are those of what the original says about errors (of its gateway), model
// permissions, rate limits and the list of models. Each is proved by a test of
// that name, or says why it cannot occur.
var rows = map[string]string{
	// Errors, as the native protocol tells them; OpenAI's own code where there is no other.
	"400 InvalidParameter: Required parameter(s) missing or invalid, please check the request parameters.":               "",
	"400 InvalidParameter: Required body invalid, please check the request body format.":                                 "",
	`400 InvalidParameter: Either "prompt" or "messages" must exist and cannot both be none`:                             "",
	"400 InvalidParameter: Model not exist.":                                                                             "",
	"400 InvalidParameter: [] is too short":                                                                              "",
	"400 InvalidParameter: Range of input length should be [1, N]":                                                       "",
	"400 InvalidParameter: Range of max_tokens should be [1, N]":                                                         "",
	"400 InvalidParameter: Temperature should be in [0.0, 2.0)":                                                          "",
	"400 InvalidParameter: Range of top_p should be (0.0, 1.0]":                                                          "",
	"400 InvalidParameter: Range of n should be [1, 4]":                                                                  "",
	"400 InvalidParameter: This model only support stream mode, please enable the stream parameter to access the model.": "",
	"400 InvalidParameter: url error, please check url！":                                                                 "",
	"400 invalid_request_error: you must provide a model parameter.":                                                     "",
	`400 BadRequest.EmptyModel: Required parameter "model" missing from request.`:                                        "",
	"400 BadRequest.EmptyInput: Required input parameter missing from request.":                                          "",
	`400 BadRequest.EmptyParameters: Required parameter "parameters" missing from request.`:                              "no service here needs parameters",
	"400 Arrearage: Access denied, please make sure your account is in good standing.":                                   "nobody owes anything here; a provider's is told as its failure",
	"400 DataInspectionFailed: Input data may contain inappropriate content.":                                            "",
	"400 DataInspectionFailed: Output data may contain inappropriate content.":                                           "",
	"400 UnsupportedOperation: The operation is unsupported on the referee object.":                                      "",
	"400 UnsupportedOperation: The fine-tune job can not be deleted because it is succeeded,failed or canceled.":         "a job that is over can be deleted here; one that is not is told by the row before",
	"400 APIConnectionError":                                  "a client's own word for an answer that it did not get",
	"400 ClientDisconnect":                                    "who hung up hears nothing; it is a code of the books (hang-up-bills-upstream-truth)",
	"400 FlowNotPublished, CustomRoleBlocked, FaqRuleBlocked": "there are no applications here",
	"401 InvalidApiKey: Invalid API-key provided.":            "",
	"401 InvalidApiKey: No API-key provided.":                 "",
	"401 invalid_api_key: Incorrect API key provided.":        "",
	"401 NOT AUTHORIZED: Access denied: Either you are not authorized to access this workspace, or the workspace does not exist.": "the cloud's OpenAPI is not served",
	"403 AccessDenied: Access denied.":                                                                             "",
	"403 AccessDenied: current user api does not support synchronous calls.":                                       "no service here is asynchronous alone",
	"403 AccessDenied: Current user api does not support asynchronous calls.":                                      "",
	"403 AccessDenied.Unpurchased: Access to model denied. Please make sure you are eligible for using the model.": "nothing is purchased here",
	"403 Model.AccessDenied: Model access denied.":                                                                 "",
	"403 Model.AccessDenied, outside the key's scope: Model access denied.":                                        "",
	"403 Model.AccessDenied, custom model of another workspace: Model access denied.":                              "it does not exist there: \"404 ModelNotFound, of another workspace\"",
	"403 Workspace.AccessDenied: Workspace access denied.":                                                         "",
	"403 Endpoint.AccessDenied: Workspace endpoint access denied.":                                                 "a host of a workspace refuses nothing that its path takes, and no model retires",
	"403 App.AccessDenied: App access denied.":                                                                     "there are no applications here",
	"403 AllocationQuota.FreeTierOnly: The free tier of the model has been exhausted.":                             "there is no free tier here",
	"404 ModelNotFound: Model can not be found.":                                                                   "",
	"404 ModelNotFound, of another workspace: Model can not be found.":                                             "",
	"404 model_not_supported: Unsupported model `x` for OpenAI compatibility mode.":                                "",
	"404 WorkSpaceNotFound: WorkSpace can not be found.":                                                           "",
	"404 NotFound: Not found!":                                                                                     "",
	"404 NotFound: Model: x not found!":                                                                            "",
	"404 NotFound: Request path not found.":                                                                        "",
	"408 RequestTimeOut":                                                                                           "the older table; the newer one has 500",
	"500 RequestTimeOut: Request timed out, please try again later.":                                               "",
	"409 Conflict: Model instance xxx already exists, please specify a suffix.":                                    "names of what was trained hold the time and a random part",
	"409 Conflict: Deployed model xxx already exists, please specify a suffix.":                                    "",
	"413 BadRequest.TooLarge: Payload Too Large.":                                                                  "",
	"429 Throttling: Requests throttling triggered.":                                                               "",
	"429 Throttling: Too many requests in route. Please try again later.":                                          "too much for the process is 503 ModelServingError",
	"429 Throttling: Too many fine-tune job in running, please retry later.":                                       "",
	"429 Throttling: Only 20 fine-tune job in running or succeeded allowed per user.":                              "jobs that succeeded count for nothing here",
	"429 Throttling.RateQuota: Requests rate limit exceeded, please try again later.":                              "",
	"429 LimitRequests: You exceeded your current requests list.":                                                  "another wording of the row before",
	"429 Throttling.BurstRate: Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.": "",
	"429 Throttling.AllocationQuota: Allocated quota exceeded, please increase your quota limit.":                                                                          "",
	"429 Throttling.AllocationQuota: Free allocated quota exceeded.":                                                                                                       "there is no free quota here",
	"429 CommodityNotPurchased, PrepaidBillOverdue, PostpaidBillOverdue":                                                                                                   "nothing is purchased here",
	"500 InternalError: An internal error has occured, please try again later or contact service support.":                                                                 "",
	"500 InternalError.Algo, InternalError.Timeout, SystemError, ModelServiceFailed":                                                                                       "a provider's failures are 503 ModelServingError, and its times 500 RequestTimeOut",
	"503 ModelUnavailable: Model is unavailable, please try again later.":                                                                                                  "",
	"503 ModelServingError: Too many requests. Your requests are being throttled due to system capacity limits. Please try again later.":                                   "",

	"shape of a refusal in the native protocol":               "",
	"shape of a refusal of the key in OpenAI's":               "",
	"shape of a refusal by workspace or model in OpenAI's":    "",
	"shape of an error event in a native stream":              "",
	"shape of an error event in a stream of Responses":        "",
	"shape of a refusal of management":                        "",
	"shape of a refusal of files, fine-tunes and deployments": "",

	"permissions and limits: the workspace acted on is the one that is named, else the key's":                 "",
	"POST permissions: at most 20 models":                                                                     "",
	"POST permissions: models are empty or absent only with OPEN or CLOSE":                                    "",
	"POST permissions: true grants, false revokes, absent or null leaves it":                                  "",
	"POST permissions: access_all_entities is OPEN, CLOSE or KEEP":                                            "",
	"POST permissions: KEEP acts per model, and success is answered in the envelope":                          "",
	"POST permissions: OPEN allows calling of every model, future ones too":                                   "",
	"POST permissions: CLOSE ends that and clears earlier calling grants":                                     "",
	"POST permissions: finetune and fine_tune are both taken":                                                 "",
	"POST permissions: both spellings may not disagree":                                                       "",
	"POST permissions: what is not of this form is refused":                                                   "",
	"POST permissions: failure is answered in the envelope, and nothing of the change is kept":                "",
	"POST permissions: what is changed holds at once":                                                         "",
	"GET permissions: name finds parts of names and ids":                                                      "",
	"GET permissions: model is the whole id":                                                                  "",
	"GET permissions: page_no is from 1, page_size 1–200 and usually 20":                                      "",
	"GET permissions: authorization_scope is AUTHORIZABLE or AUTHORIZED":                                      "",
	"GET permissions: action is INFERENCE":                                                                    "",
	"GET permissions: the answer spells fine_tune, and is null for what cannot be set":                        "",
	"GET permissions: what shows false can be called another way: in the Default Workspace, by authorize-all": "",

	"POST limits: 1–200 models":                                                              "",
	"POST limits: OVERLAY is the default: given fields replace, others stay":                 "",
	"POST limits: operation_type is OVERLAY or DELETE, and with DELETE every field is empty": "",
	"POST limits: request_limit and usage_limit are at least 0":                              "",
	"POST limits: a limit of 0 lets nothing through":                                         "",
	"POST limits: periods are positive":                                                      "",
	"POST limits: no token limit without a request limit":                                    "",
	"POST limits: a request limit alone is kept by DELETE and then OVERLAY":                  "",
	"POST limits: what is not of this form is refused":                                       "",
	"POST limits: what is set holds at once":                                                 "",
	"GET limits: name, model, page_no and page_size":                                         "",
	"GET limits: model_limit is the account's, and null where there is none":                 "",
	"GET limits: workspace_limit is null where there is none, and GET quotas is the same":    "",
	"GET limits: async_user_queue_limit, async_user_concurrency_limit":                       "nothing is asynchronous here, so they are null",
	"throttling: workspaces without a limit of their own share the account's, over all keys": "",
	"throttling: dynamic tiers by monthly spend":                                             "an account's limits are what is set here",

	"GET models: name and model are as for permissions":                           "",
	"GET models: language is zh-CN or en-US":                                      "",
	"GET models: page_no is from 1, page_size usually 20":                         "",
	"GET models: providers can be repeated":                                       "",
	"GET models: inference_providers":                                             "",
	"GET models: capabilities":                                                    "",
	"GET models: features":                                                        "",
	"GET models: context_window is strictly less than":                            "",
	"GET models: service_site is taken":                                           "",
	"GET models: supports is inference, or deploy":                                "",
	"GET models: deployment_methods is ptu, by which nothing is deployed here":    "",
	"GET models: every field of a model":                                          "",
	"GET models: the SDK's get is the list with model, page_no=1 and page_size=1": "",
	"GET models: a program sees what it may call":                                 "",
}

var rowName = regexp.MustCompile("\\b(?:row|shapeOf)\\((\"(?:[^\"\\\\]|\\\\.)+\"|`[^`]+`)|\\{(\"(?:POST|GET) (?:permissions|limits|models): [^\"]+\"), \\[\\]struct")

func TestEveryRowHasATestThatBearsItsName(t *testing.T) {
	proved := map[string]bool{}
	testFiles(t, func(text string) {
		for _, m := range rowName.FindAllStringSubmatch(text, -1) {
			name, err := strconv.Unquote(m[1] + m[2])
			if err != nil {
				t.Fatal(err)
			}
			proved[name] = true
		}
	})
	for name, cannot := range rows {
		switch {
		case cannot == "" && !proved[name]:
			t.Errorf("no test bears the name of the row %q", name)
		case cannot != "" && proved[name]:
			t.Errorf("the row %q is said not to occur, and has a test", name)
		}
	}
	for name := range proved {
		if _, known := rows[name]; !known {
			t.Errorf("the row %q is in no list", name)
		}
	}
}
