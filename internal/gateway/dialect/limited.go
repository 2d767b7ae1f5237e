package dialect

import (
	"fmt"
	"net/http"

	"bailiwick/internal/limit"
)

// Bounded is an exchange whose caller can bound the answer: tokens of one
// choice, 0 where nothing is said, and how many choices are made.
type Bounded interface{ MostAnswer() (tokens, times int) }

// Overloaded is the refusal of what would be too much for this process.
var Overloaded = func() Refusal {
	r := alike(http.StatusServiceUnavailable, "ModelServingError", "ModelServingError",
		"Too many requests. Your requests are being throttled due to system capacity limits. Please try again later.")
	r.Check, r.Retry = "capacity", "1"
	return r
}()

const (
	tooMany    = "Requests rate limit exceeded, please try again later."
	tooMuch    = "Allocated quota exceeded, please increase your quota limit."
	noQuota    = "You exceeded your current quota, please check your plan and billing details."
	tooFast    = "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time."
	tooManyNow = "Requests throttling triggered."
)

// Limited words a refusal by a limit, with the limit. Tokens is what the call
// might consume.
func Limited(by *limit.Refusal, model string, tokens int) Refusal {
	r := limited(by, model)
	if by.Never && by.Rate.Count > 0 {
		r = r.adding(fmt.Sprintf(" This call may consume %d tokens: let the answer be shorter (max_tokens), or the prompt.", tokens))
	}
	r.Check = string(by.Kind)
	return r
}

func limited(by *limit.Refusal, model string) Refusal {
	switch by.Kind {
	case limit.KeyCalls:
		return atOnce(fmt.Sprintf(" This API key has %d calls running, which is as many as it may.", by.Calls))
	case limit.WorkspaceCalls:
		return atOnce(fmt.Sprintf(" This workspace has %d calls running, which is as many as it may.", by.Calls))
	case limit.WorkspaceRequests:
		return rateQuota().adding(" The limit of this workspace for " + model + " is " + by.Rate.Words("request") + ".")
	case limit.AccountRequests:
		return rateQuota().adding(" The limit of the account for " + model + ", which all its workspaces share, is " + by.Rate.Words("request") + ".")
	case limit.WorkspaceTokens:
		return allocationQuota().adding(" The limit of this workspace for " + model + " is " + by.Rate.Words("token") + ".")
	case limit.AccountTokens:
		return allocationQuota().adding(" The limit of the account for " + model + ", which all its workspaces share, is " + by.Rate.Words("token") + ".")
	}
	return Internal // a limit this table has not learnt: fail closed
}

func atOnce(more string) Refusal {
	return apart(http.StatusTooManyRequests, "Throttling", "limit_requests", "limit_requests", tooManyNow).adding(more)
}

func rateQuota() Refusal {
	return apart(http.StatusTooManyRequests, "Throttling.RateQuota", "limit_requests", "limit_requests", tooMany)
}

func allocationQuota() Refusal {
	return apart(http.StatusTooManyRequests, "Throttling.AllocationQuota", "insufficient_quota", "insufficient_quota", tooMuch).openAISays(noQuota)
}

func burstRate() Refusal {
	return apart(http.StatusTooManyRequests, "Throttling.BurstRate", "limit_burst_rate", "limit_burst_rate", tooFast)
}

func (r Refusal) adding(more string) Refusal {
	r.Native.Message += more
	r.OpenAI.Message += more
	return r
}
