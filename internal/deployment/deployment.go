// Package deployment keeps models ready to be called under names of their own,
// in the workspace that deployed them and nowhere else. What is wanted of a
// deployment is written down; a loop, which holds a lease of package work, brings
// engines to it and notes what it finds there.
package deployment

import (
	"fmt"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Deployment is a model put up for calls.
type Deployment struct {
	ID        ident.Deployment
	Account   ident.Account
	Workspace ident.Workspace
	Name      ident.Model // what callers write as model; one in the account, and none of the catalogue's
	Title     string      // for people
	Model     ident.Model // what was put up: a model of the catalogue, or an own tuned one
	Base      ident.Model // the model of the catalogue that it is, or goes back to
	Tuned     ident.Tuned // empty: the base as it is
	Provider  ident.Provider
	Demo      bool   // it runs on the engine for trying things out, and costs nothing
	Engine    string // the model's name at the provider, as EngineName makes it
	Calls     string // the name to call it by there, once it is up
	Handle    string // the engine's handle, for Status and Remove

	Capacity int // replicas that are wanted; 0: stopped
	Before   int // the capacity that Start goes back to
	Ready    int // replicas that answer
	Requests int // a minute; 0: no limit
	Tokens   int // a minute; 0: no limit
	// LimitsBy and LimitsAt are who set these two, and when; empty: nobody did.
	LimitsBy string
	LimitsAt time.Time

	State    State
	Reason   string // why it is so, for people; empty: there is nothing to be said
	Desired  int64  // generation that is wanted
	Observed int64  // generation that the engine was brought to

	Price     Price
	CreatedAt time.Time
	CreatedBy ident.User
	Creator   string // as they were called then
	ByKey     ident.Key
	UpdatedAt time.Time
	UpSince   time.Time // zero: not up
	Booked    time.Time // up to when hours are booked; zero: not up
	Version   int64
}

// Price is what one replica costs for an hour.
type Price struct {
	Millionths int64  // of the currency; 0: nothing is asked, or the catalogue does not say
	Currency   string // "CNY"; empty: the catalogue does not say
}

// Cost is what replicas that were up for so many seconds, summed, cost.
func (p Price) Cost(seconds int64) int64 {
	return p.Millionths*(seconds/3600) + p.Millionths*(seconds%3600)/3600
}

// Settled reports whether the engine was brought to what is wanted.
func (d *Deployment) Settled() bool { return d.Observed == d.Desired && d.State != Deleting }

// Resting reports whether nothing is on its way: it is up as it is wanted, or
// stays as it is until somebody changes it.
func (d *Deployment) Resting() bool {
	switch d.State {
	case Running, Stopped, Failed:
		return d.Observed == d.Desired || d.State == Failed
	}
	return false
}

// Bounds of what can be asked for.
const (
	CapacityMost = 999
	TitleMost    = 64            // characters
	SuffixMost   = 8             // characters
	RateMost     = 1_000_000_000 // requests or tokens a minute
)

// capacity checks how many replicas somebody asks for.
func capacity(n int) error {
	if n < 0 || n > CapacityMost {
		return fault.Field("capacity", "Invalid capacity (%d), capacity must be larger than or equal to 0 and multiples of 1 and less than 1000!", n)
	}
	return nil
}

func rates(requests, tokens int) error {
	for field, n := range map[string]int{"rpm_limit": requests, "tpm_limit": tokens} {
		if n < 0 || n > RateMost {
			return fault.Field(field, "A limit is 1–%d a minute. Leave it empty for none.", RateMost)
		}
	}
	return nil
}

// suffixed makes a public name of a model's and a suffix.
func suffixed(m ident.Model, suffix string) (ident.Model, error) {
	if len(suffix) > SuffixMost {
		return "", badSuffix()
	}
	for _, c := range suffix {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return "", badSuffix()
		}
	}
	name, err := ident.ParseModel(fmt.Sprintf("%s-%s", m, suffix))
	if err != nil {
		return "", fault.Field("suffix", "The model's name is too long for another suffix.")
	}
	return name, nil
}

func badSuffix() error {
	return fault.Field("suffix", "A suffix has 1–%d lower-case letters and digits.", SuffixMost)
}

// Taken is the answer to a name that is somebody's already, in DashScope's words.
// It does not say whose.
func Taken(name ident.Model) error {
	return fault.New(fault.Conflict, "Deployed model %s already exists, please specify a suffix.", name).About("suffix")
}
