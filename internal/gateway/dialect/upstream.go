package dialect

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"bailiwick/internal/gateway/wire"
)

// longestMessage is how much of a provider's own words a caller is shown, in bytes.
const longestMessage = 2000

// FromProvider turns a provider's answer that is no success into a refusal.
// What is about the caller's parameters or pace passes with the provider's
// words; what is about our credential, our address or our name for the model
// does not. Name is the model's at the provider and model is ours.
func FromProvider(status int, header http.Header, body []byte, name, model string) Refusal {
	code, message, param := readError(body)
	if name != "" && name != model {
		message = strings.ReplaceAll(message, name, model)
	}
	switch {
	case status >= 300 && status < 400:
		return ProviderBabbles
	case inspected(code):
		return orElse(apart(http.StatusBadRequest, "DataInspectionFailed", "data_inspection_failed", "data_inspection_failed", "Input data may contain inappropriate content."), message)
	case strings.EqualFold(code, "Arrearage"):
		return ProviderRefused // our account's debt, not the caller's
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		r := orElse(BadParameters, message)
		r.Param = param
		return r
	case status == http.StatusRequestEntityTooLarge:
		return TooLarge
	case status == http.StatusTooManyRequests:
		return throttled(code, message, header.Get("Retry-After"))
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return TimedOut
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden, status == http.StatusNotFound:
		return ProviderRefused
	}
	return ProviderFailed
}

// FromEvent turns an error that a provider sent within a stream into a refusal.
func FromEvent(data []byte) Refusal {
	code, message, _ := readError(data)
	if inspected(code) {
		return orElse(apart(http.StatusBadRequest, "DataInspectionFailed", "data_inspection_failed", "data_inspection_failed", "Output data may contain inappropriate content."), message)
	}
	return ProviderFailed
}

func inspected(code string) bool {
	return strings.EqualFold(code, "data_inspection_failed") || strings.EqualFold(code, "DataInspectionFailed") || code == "content_filter"
}

func throttled(code, message, retry string) Refusal {
	r := rateQuota()
	switch {
	case code == "insufficient_quota", strings.HasPrefix(code, "Throttling.AllocationQuota"):
		r = allocationQuota()
	case code == "limit_burst_rate", code == "Throttling.BurstRate":
		r = burstRate()
	}
	r = orElse(r, message)
	if n, err := strconv.Atoi(retry); err == nil && n >= 0 && n <= 3600 {
		r.Retry = strconv.Itoa(n)
	}
	return r
}

func orElse(r Refusal, message string) Refusal {
	if message != "" {
		r.Native.Message, r.OpenAI.Message = message, message
	}
	return r
}

// readError finds code, message and parameter in the shapes of errors that
// providers use: under "error", or at the top.
func readError(body []byte) (code, message, param string) {
	o, err := wire.Parse(body)
	if err != nil {
		return "", "", ""
	}
	if inner := o.Get("error"); len(inner) > 0 && inner[0] == '{' {
		if o, err = wire.Parse(inner); err != nil {
			return "", "", ""
		}
	} else if text, ok := wire.String(inner); ok { // Ollama's own shape
		return "", clean(text), ""
	}
	code, _ = wire.String(o.Get("code"))
	message, _ = wire.String(o.Get("message"))
	param, _ = wire.String(o.Get("param"))
	return code, clean(message), clean(param)
}

// clean makes a provider's words fit for one line of a caller's log.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	if len(s) > longestMessage {
		s = strings.ToValidUTF8(s[:longestMessage], "") + "…"
	}
	return strings.TrimSpace(s)
}
