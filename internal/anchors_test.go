package internal_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// anchors are what users of other gateways suffered from, each with where it was
// told and what must hold. Every one has tests that bear its name in capitals
// behind "Anchor_": go test -run Anchor_RevokedKey ./... runs those of one.
var anchors = map[string]string{
	"empty-list-is-deny":               "LiteLLM #26656: a list without a model never means every model",
	"group-before-shortcut":            "LiteLLM #28464: what narrows a key is asked before any allow-all shortcut",
	"list-equals-call":                 "LiteLLM #8113, #31438, #31966: what is listed is what can be called, both ways, and holds no marker names",
	"alt-path-same-check":              "LiteLLM #8688, Bifrost #2873: every path to a model makes the same check",
	"key-cannot-exceed-owner":          "LiteLLM #8029, new-api #5139: a key never gets more than its owner has",
	"catalogue-reload-keeps-wildcards": "LiteLLM, 2026-02-23: after a reload authorize-all matches new models",
	"rename-breaks-no-grant":           "home-ops #9186, GPUStack #4697: a renamed model keeps its grants and the keys narrowed to it",
	"new-model-usable-at-once":         "GPUStack #3897: a new model works without waiting or restarting",
	"viewer-cannot-create":             "LiteLLM #6626: who may only look cannot create keys",
	"every-page-needs-auth":            "Bifrost #937: no page is open because a guard covered only another",
	"unknown-field-rejected":           "Bifrost #5673: an unknown or renamed field is an error, never ignored",
	"config-endpoint-needs-root":       "CVE-2026-35029: what configures the account needs root or a super administrator",
	"session-cache-full-hash":          "CVE-2026-35030: who asks is found by the whole digest, never by the beginning of what they present",
	"authorization-header-fuzz":        "CVE-2026-42208: the Authorization header never reaches SQL as text",
	"ssrf-redirect":                    "GHSA-9f46-w24h-69w4: a redirect does not lead past the guard",
	"ssrf-image-url":                   "one-api #2388: an address in a body does not make the gateway fetch",
	"secrets-never-in-logs":            "LiteLLM, 2026-03-18: no credential in logs, traces or metrics",
	"key-hash-only-at-rest":            "new-api and one-api, model/token.go: no bearer secret in clear in the database",
	"revoked-key-dies-everywhere":      "LiteLLM #9820, #35535, one-api #465: on every replica, admin keys too, and it stays dead",
	"limit-not-times-replicas":         "LiteLLM #27736, Bifrost #3547: several replicas do not give a limit several times",
	"store-loss-does-not-open":         "LiteLLM #35533: losing the shared store does not widen a limit",
	"zero-usage-is-zero":               "LiteLLM #37992: a zero that was said is not missing",
	"usage-in-nonempty-final-chunk":    "LiteLLM #36168: usage in a last chunk that still has choices is kept",
	"hang-up-bills-upstream-truth":     "LiteLLM #36008, new-api #4463: after a hang-up the provider's figure is booked",
	"incomplete-stream-bills":          "new-api #7241: a stream that ends incomplete is booked",
	"no-output-no-output-charge":       "new-api #5289: what broke off is charged for the text that came, and nothing for none",
	"shutdown-drains":                  "LiteLLM #38157: a stop writes what waits",
	"failed-commit-requeues-bounded":   "LiteLLM #35531, #38193: what could not be written is tried again, within bounds",
	"first-connect-failure-recovers":   "LiteLLM #38121: a first connection that fails heals without a restart",
	"readiness-in-outage":              "LiteLLM #34934: ready as long as known keys are served",
	"pool-exhaustion-is-503-not-401":   "LiteLLM #18708, #20635: connections that are used up never look like a wrong key",
	"two-boot-migration":               "LiteLLM #39187: replicas that start together do not deadlock",
	"index-online":                     "LiteLLM #39666: while tables are locked at a start, calls go on and are booked",
	"duplicate-index-tolerated":        "new-api #5030: an index of our name that is there already does not stop the start",
	"380k-keys-page":                   "LiteLLM #19477: the page of keys opens at 380,000",
	"10M-usage-page":                   "LiteLLM #2235, Bifrost #4838: usage and its filters are read in the order of an index, as ten million rows need",
	"bodies-not-in-list-query":         "Bifrost #2172: what a list shows holds no bodies",
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// inTest is how the name of a test says an anchor's.
func inTest(anchor string) string {
	var name strings.Builder
	for _, word := range strings.Split(anchor, "-") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return "Anchor_" + name.String()
}

func TestEveryAnchorHasTestsThatBearItsName(t *testing.T) {
	var names []string
	testFiles(t, func(text string) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "Anchor_") {
				names = append(names, m[1])
			}
		}
	})
	slices.Sort(names)
	borne := map[string]bool{}
	for _, a := range slices.Sorted(maps.Keys(anchors)) {
		var tests []string
		for _, n := range names {
			if strings.Contains(n+"_", inTest(a)+"_") {
				tests, borne[n] = append(tests, n), true
			}
		}
		if len(tests) == 0 {
			t.Errorf("no test bears the name of %s (%s): %s", a, inTest(a), anchors[a])
		}
		t.Logf("%s, %s: %s", a, anchors[a], strings.Join(tests, ", "))
	}
	for _, n := range names {
		if !borne[n] {
			t.Errorf("%s bears the name of no anchor", n)
		}
	}
}
