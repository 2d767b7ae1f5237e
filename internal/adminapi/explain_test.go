package adminapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/store/storetest"
)

func TestADecisionIsExplainedAsTheGatewayMakesIt(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	q := fmt.Sprintf(`{"key":%q,"header":%q,"model":%q}`, w.ours.key.ID, w.ours.ws.ID, w.ours.model)
	if got := w.ask(w.super, "POST", "/explain", q); got.status != 200 || !strings.Contains(got.body, `"allowed":true`) || !strings.Contains(got.body, `"then":null`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	k := w.policy.Now().Key(w.ours.key.ID)
	asked := policy.Question{Presented: true, Digest: k.Digest, Header: string(w.ours.ws.ID), Model: w.ours.model, Capability: catalogue.Train, At: w.clock.Now()}
	r := explanation.Of(ident.NewCall(), asked, w.policy.Now().Decide(asked))
	r.Status, r.Code = 403, "Model.AccessDenied"
	w.must(w.store.InsertRefusals(t.Context(), []explanation.Refusal{r}))
	got := w.ask(w.root, "POST", "/explain", fmt.Sprintf(`{"request":%q}`, r.Call))
	if got.status != 200 || !strings.Contains(got.body, `"allowed":false`) || !strings.Contains(got.body, `"code":"Model.AccessDenied"`) || !strings.Contains(got.body, "Authorize acme marketing for Model Training") {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, wrong := range []string{fmt.Sprintf(`{"key":%q}`, w.theirs.key.ID), `{"key":"nonsense"}`, `{"address":"nowhere"}`, `{"capability":"fly","model":"x"}`} {
		if got := w.ask(w.root, "POST", "/explain", wrong); got.status != 422 {
			t.Errorf("%s: %d %s", wrong, got.status, got.body)
		}
	}
	if got := w.ask(w.root, "POST", "/explain", fmt.Sprintf(`{"request":%q}`, ident.NewCall())); got.status != 404 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestALimitThatRefusedIsExplainedWithWhoSetIt(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	asked := policy.Question{Presented: true, Digest: w.policy.Now().Key(w.ours.key.ID).Digest, Header: string(w.ours.ws.ID), Model: w.ours.model, Capability: catalogue.Call, At: w.clock.Now()}
	r := explanation.Of(ident.NewCall(), asked, w.policy.Now().Decide(asked))
	r.Status, r.Code = 429, "limit_requests"
	r.Limit = explanation.Limit{Kind: limit.WorkspaceRequests, Rate: limit.Rate{Count: 2, Period: 60}, SetBy: "root@acme", SetAt: storetest.Start}
	w.must(w.store.InsertRefusals(t.Context(), []explanation.Refusal{r}))
	got := w.ask(w.root, "POST", "/explain", fmt.Sprintf(`{"request":%q}`, r.Call))
	for _, piece := range []string{`"state":"failed"`, `may use 2 requests in 60 s of `, `"set_by":"root@acme"`, `"set_at":"` + storetest.Start.Format(time.RFC3339), `"flips":true`, `"limits":[{"title":`} {
		if got.status != 200 || !strings.Contains(got.body, piece) {
			t.Errorf("no %s in %d %s", piece, got.status, got.body)
		}
	}
}
