package limit

import (
	"fmt"
	"strconv"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Of is the account-level limit of a model, which its entry in the catalogue says.
func Of(c catalogue.Limit) (l Limit) {
	if c.Requests > 0 {
		l.Requests = Rate{c.Requests, c.RequestPeriod}
	}
	if c.Usage > 0 {
		l.Tokens = Rate{c.Usage, c.UsagePeriod}
	}
	return l
}

// SettingOf is Of with who set it and when; nobody did where it is as the
// catalogue has it.
func SettingOf(c catalogue.Limit) Setting {
	return Setting{Limit: Of(c), SetAt: c.SetAt, SetBy: c.SetBy}
}

// AnyVersion stands for whatever version a setting has.
const AnyVersion = -1

// Change is what somebody wants of one model's limit in a workspace.
type Change struct {
	Model ident.Model
	// Version is of the setting that was looked at, 0 where there was none.
	Version int64
	Delete  bool
	// Whole makes the figures all there is; else what is nil stays as it is.
	Whole                                        bool
	Requests, RequestPeriod, Tokens, TokenPeriod *int
}

// Over gives what a limit becomes. What cannot be is a fault on the field
// "requests", "request_period", "tokens" or "token_period".
func (c Change) Over(before Limit) (Limit, error) {
	if c.Delete {
		return Limit{}, nil
	}
	after, err := c.figures(before)
	if err != nil {
		return Limit{}, err
	}
	return after, c.together(after)
}

func (c Change) figures(before Limit) (Limit, error) {
	if c.Whole {
		before = Limit{}
	}
	requests, err := over(before.Requests, c.Requests, c.RequestPeriod, "request")
	if err != nil {
		return Limit{}, err
	}
	tokens, err := over(before.Tokens, c.Tokens, c.TokenPeriod, "token")
	if err != nil {
		return Limit{}, err
	}
	return Limit{requests, tokens}, nil
}

// over puts a count and a period in place of those of a rate.
func over(r Rate, count, period *int, what string) (Rate, error) {
	if count == nil && period == nil {
		return r, nil
	}
	if count == nil && !r.Set() {
		return r, fault.Field(what+"s", "Say how many %ss the period is for.", what)
	}
	if period == nil && !r.Set() {
		return r, fault.Field(what+"_period", "Say the period of the %s limit, in seconds.", what)
	}
	if count != nil {
		if *count < 0 || *count > MaxCount {
			return r, fault.Field(what+"s", "The %s limit is a whole number from 0 to %d.", what, MaxCount)
		}
		r.Count = *count
	}
	if period != nil {
		if *period < 1 || *period > MaxPeriod {
			return r, fault.Field(what+"_period", "The period is a whole number of seconds from 1 to %d.", MaxPeriod)
		}
		r.Period = *period
	}
	return r, nil
}

// together makes sure that a token limit has a request limit beside it.
func (c Change) together(l Limit) error {
	switch {
	case !l.Tokens.Set() || l.Requests.Set():
		return nil
	case c.Whole:
		return fault.Field("tokens", "A token limit needs a request limit beside it. Set the request limit too, or leave both empty.")
	}
	return fault.Field("tokens", "Cannot set TPM without QPM for model %s: no existing QPM limit, please set QPM first.", c.Model)
}

// Words say a rate of something: "60 requests in 60 s".
func (r Rate) Words(noun string) string {
	switch {
	case !r.Set():
		return "no " + noun + " limit"
	case r.Count == 1:
		return fmt.Sprintf("1 %s in %d s", noun, r.Period)
	}
	return fmt.Sprintf("%d %ss in %d s", r.Count, noun, r.Period)
}

// short writes a rate for the trail; nothing for none.
func (r Rate) short() string {
	if !r.Set() {
		return ""
	}
	return strconv.Itoa(r.Count) + " / " + strconv.Itoa(r.Period) + " s"
}
