package gateway

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
)

// mostPlaces is how many places are asked for one call.
const mostPlaces = 3

// place is where a call may be sent.
type place struct {
	policy.Serving
	provider *provider.Provider
}

func (p place) spot() provider.Spot {
	return provider.Spot{Provider: p.Provider, Name: p.Name}
}

// lineUp gives the places that serve the model in the order in which they are
// to be asked: by order, within an order by weight and chance; those that asked
// to be left alone stand last, and those that rest after failures do not stand
// there at all. All of them are places of the one model that was authorized.
func (g *Gateway) lineUp(c *Call) ([]place, *dialect.Refusal) {
	all := c.decision.Model.Servings
	line := c.places[:0]
	var waiting []place
	var rest time.Duration
	for _, s := range all {
		p := c.snapshot.Provider(s.Provider)
		if p == nil {
			continue
		}
		here := place{s, p}
		state, left := g.Health.Ask(here.spot())
		switch state {
		case provider.Trial: // at once, for whoever is told so must try it
			return append([]place{here}, line...), nil
		case provider.Ready:
			line = append(line, here)
		case provider.Waiting:
			waiting = append(waiting, here)
		case provider.Resting:
			if rest == 0 || left < rest {
				rest = left
			}
		}
	}
	shuffle(line)
	line = append(line, waiting...)
	if len(line) == 0 {
		return nil, resting(rest)
	}
	return line[:min(len(line), mostPlaces)], nil
}

// shuffle draws each place of an order by its weight.
func shuffle(line []place) {
	for from := 0; from < len(line)-1; {
		to := from + 1
		for to < len(line) && line[to].Order == line[from].Order {
			to++
		}
		for tier := line[from:to]; len(tier) > 1; tier = tier[1:] {
			i := draw(tier)
			tier[0], tier[i] = tier[i], tier[0]
		}
		from = to
	}
}

func draw(tier []place) int {
	sum := 0
	for _, p := range tier {
		sum += max(p.Weight, 1)
	}
	at := rand.IntN(sum)
	return slices.IndexFunc(tier, func(p place) bool {
		at -= max(p.Weight, 1)
		return at < 0
	})
}

// resting refuses a call of which no provider can be asked now.
func resting(rest time.Duration) *dialect.Refusal {
	r := dialect.Unavailable
	if rest > 0 {
		r.Retry = strconv.Itoa(int((rest + time.Second - 1) / time.Second))
	}
	return &r
}

// When a provider that is busy is asked again: as it says, within bounds.
const (
	soonest = time.Second
	latest  = time.Minute
)

func comeAgain(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil {
		return soonest
	}
	return min(max(time.Duration(n)*time.Second, soonest), latest)
}
