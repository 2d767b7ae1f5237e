export CGO_ENABLED ?= 0
GO ?= go
HTMX := static/dist/htmx.min.js
GOFILES = $$(git ls-files '*.go')
# Components of pages are not inlined: the compiler would copy each into every
# page that has it, which is 2 MB of the binary. Nor is what no call passes.
COLD = bailiwick/views/... bailiwick/web bailiwick/cmd/bailiwick bailiwick/internal/adminapi bailiwick/internal/store bailiwick/internal/account bailiwick/internal/training \
	bailiwick/internal/deployment bailiwick/internal/explanation bailiwick/internal/audit gorm.io/... github.com/jackc/... github.com/go-webauthn/... github.com/fxamacker/... \
	github.com/google/... github.com/tinylib/... github.com/go-viper/... github.com/alecthomas/... golang.org/x/crypto/acme/... encoding/gob encoding/xml
BUILDFLAGS = -trimpath -ldflags='-s -w' $(foreach p,$(COLD),-gcflags='$(p)=-l')

help: ## Show what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: assets build ## Start the demo company and print address and log-ons
	@exec ./bin/bailiwick demo

build: ## Build bin/bailiwick
	@$(GO) build $(BUILDFLAGS) -o $(or $(OUT),bin/bailiwick) ./cmd/bailiwick

demo-reset: ## Start the demo company over
	@.ci/demo-reset

assets: ## Fetch htmx and the font; without npm the console works with full page loads
	@.ci/assets

test: ## Run every test, with the race detector; installs what they need where it can
	@.ci/test

dev: assets ## Run with live reload on http://127.0.0.1:7331
	$(GO) tool templ generate --watch --proxy=http://127.0.0.1:8080 --proxybind=127.0.0.1 --open-browser=false --cmd="$(GO) run ./cmd/bailiwick demo"

generate: ## Make the *_templ.go files anew
	@$(GO) tool templ generate

lint: ## Format, vet, and freshness of generated files
	@.ci/lint

bench: ## The gateway beside a bare reverse proxy, in one run, and what its parts cost
	@BESIDE=$${ROUNDS:-5} $(GO) test -run '^TestBeside$$' -v -count 1 -timeout 60m ./cmd/bailiwick
	@$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/gateway/... ./internal/policy/... ./internal/limit/... ./internal/usage/...

mutate: ## Take out each authorization call and condition; a test must notice every one
	@$(GO) run ./.ci/mutate

soak: ## The long campaigns: kills, fuzzing, random worlds
	@.ci/soak

.PHONY: help run build demo-reset assets test dev generate lint bench mutate soak
.DEFAULT_GOAL := help
