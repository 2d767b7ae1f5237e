package gateway

import (
	"context"
	"net/http"

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
			return answer, nil, err
		}
		answer.Body.Close()
	}
}

// lacking reports whether a status can mean that a provider has nothing at the path.
func lacking(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}
