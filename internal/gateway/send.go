package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/provider"
)

// send asks a provider in the first of the call's ways that it has. A way that
// it turns out not to have is not asked a second time at once; only the last
// one's answer counts whatever it is. A refusal means that the call cannot be
// said in the way that is left.
func (c *Call) send(ctx context.Context, server provider.Server, name string) (*provider.Answer, *dialect.Refusal, error) {
	ways := c.exchange.Ways()
	for len(ways) > 1 && !server.Has(ways[0]) {
		ways = ways[1:]
	}
	hints, _ := c.exchange.(dialect.Hinting)
	if hints != nil {
		caching, knows := server.(provider.Caching)
		hints.Marks(knows && caching.Caches())
	}
	for {
		body, r := c.exchange.Body(ways[0], name)
		if r != nil {
			return nil, r, nil
		}
		answer, err := server.Call(ctx, provider.Request{Path: ways[0], Body: body, Stream: c.exchange.Stream(), Call: c.ID})
		if err == nil && lacking(answer.Status) && c.service == dialect.CountTokens {
			answer.Body.Close()
			return nil, &dialect.NoCounting, nil
		}
		if ways = ways[1:]; err != nil || len(ways) == 0 || !lacking(answer.Status) {
			if err == nil {
				c.tellLeftOut(hints, answer)
			}
			return answer, nil, err
		}
		answer.Body.Close()
	}
}

// leftOut is the header that names hints which were not passed on: members that
// change no answer, and for which the provider has no word.
const leftOut = "X-Bailiwick-Left-Out"

// tellLeftOut says what the provider that was asked last was not told.
func (c *Call) tellLeftOut(hints dialect.Hinting, a *provider.Answer) {
	names := a.LeftOut
	if hints != nil {
		names = append(hints.LeftOut(), names...)
	}
	if h := c.w.Header(); len(names) > 0 {
		slices.Sort(names)
		c.tell(h, leftOut, strings.Join(slices.Compact(names), ", "))
	} else {
		delete(h, leftOut)
	}
}

// lacking reports whether a status can mean that a provider has nothing at the path.
func lacking(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}
