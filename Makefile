# make start    builds and runs the server
# make messaging  builds and runs the reference app, with its page, a database, queues and a websocket server
# make web      builds the page of the reference app, which its binary embeds
# make test     installs what is missing, then runs everything
# make lint     format, vet, staticcheck, and builds for the other systems
# make dist     static binaries for all systems, Debian packages and SHA256SUMS in dist/
# make dist-check   builds them twice, in two folders and without Go's cache, and compares; takes ten minutes on two cores
# make vuln     known vulnerabilities in what is built, by the database VULNDB; part of make lint, which goes on if it cannot be reached
# make bench    the benchmarks of the hot functions
# make bench-compare   reverb-go beside soketi and bare uWebSockets; writes docs/performance.md's table (WITH=NAME=URL adds a running server)
# make bench-messaging  how long the reference app takes, with 100,000 messages in SQLite and PostgreSQL
# make e2e      browsers on the reference app, with both databases, while servers are killed
# make e2e-soketi   the same with soketi in reverb-go's place, which is installed for as long as that takes
# make fuzz     every fuzzer for FUZZTIME (10m)
# make soak-random   STEPS (200000) random steps of clients and publishers on each engine, against a model
# make soak     everything at once for SOAK (20m), on two nodes: all kinds of channels, users who come and go, restarts, reloads, attacks
# make soak-handover   20 restarts under load, of one node and in a cluster
# make play AGAINST=ws://127.0.0.1:8080 KEY=… SECRET=… ID=…   the conversations, with any Pusher server

GO ?= go
FUZZTIME ?= 10m
STEPS ?= 200000
SOAK ?= 20m
COUNT ?= 1
ID ?= 1
KEY ?= app-key
SECRET ?= app-secret
AGAINST ?=
WITH ?=
VULNDB ?= https://vuln.go.dev
UNCHECKED ?= 1

# Programs that the tests start, each with the Debian package that has it.
DEBIAN := chromium:chromium cc:gcc cc:libc6-dev redis-server:redis-server php:php-cli psql:postgresql mariadbd:mariadb-server nginx:nginx-light systemd-analyze:systemd

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

export CGO_ENABLED ?= 0

.PHONY: start messaging web build dist dist-check test deps lint vuln fmt bench bench-compare bench-growth bench-messaging e2e e2e-soketi fuzz soak soak-random soak-handover play

start: build
	./bin/reverb-go start

# Without npm the app runs all the same, and says that it has no page.
messaging:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web; else echo "npm is not installed, so the app has no page; hint: https://nodejs.org"; fi
	$(GO) build -trimpath -ldflags "-s -w" -o bin/messaging ./cmd/messaging
	./bin/messaging start --with-reverb

# The page is not committed. Go embeds what is in cmd/messaging/web/dist, so this comes before building the program.
web:
	@cd cmd/messaging/web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; } && npm run build

build:
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/reverb-go ./cmd/reverb-go

dist:
	$(GO) run ./cmd/reverb-go/packaging --out=dist

# Clones, so that neither the folder nor what is not committed is part of it.
dist-check:
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	git clone -q . "$$dir/one" && git clone -q . "$$dir/another-folder" && \
	$(MAKE) --no-print-directory -C "$$dir/one" dist && \
	GOCACHE="$$dir/cache" $(MAKE) --no-print-directory -C "$$dir/another-folder" dist && \
	diff "$$dir/one/dist/SHA256SUMS" "$$dir/another-folder/dist/SHA256SUMS" && echo "Both builds are the same."

test: deps web lint
	CGO_ENABLED=1 $(GO) test -race -timeout 14m ./...

# The tests' own parts: a browser, and the clients by their lock file. Without root the tests that need a
# missing part are skipped by name, except in CI.
deps:
	@missing=; \
	for need in $(DEBIAN); do command -v "$${need%%:*}" >/dev/null || missing="$$missing $${need##*:}"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@cd testdata/clients && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; }

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "hint: make fmt"; exit 1; }
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	$(GO) tool staticcheck ./...
	@$(MAKE) --no-print-directory vuln UNCHECKED=0

# Without the database nothing can be said: make vuln fails then, and make lint goes on and says so, since that is no fault of the
# code. VULNDB=file:///path reads a copy of it.
vuln:
	@if out=$$($(GO) tool govulncheck -db $(VULNDB) ./... 2>&1); then echo "$$out"; exit; fi; \
	case "$$out" in \
	*"govulncheck: fetching vulnerabilities: "*) \
		echo "NOT CHECKED for known vulnerabilities, since $(VULNDB) cannot be read; hint: make vuln VULNDB=file:///path/to/a/copy"; exit $(UNCHECKED);; \
	*) echo "$$out"; exit 1;; \
	esac

fmt:
	gofmt -w $$(git ls-files '*.go')

bench:
	$(GO) test -run '^$$' -bench . -count $(COUNT) ./protocol ./auth ./channels ./server

bench-compare: build
	cmd/reverb-go/bench/testdata/compare/compare.sh bin/reverb-go $(WITH)

# How cost grows with connections and with channels: pictures and tables in docs/performance.md.
bench-growth: build
	FRESH="growth-1000 growth-5000 growth-10000 growth-19000" REST= DOC= REPORT=growth cmd/reverb-go/bench/testdata/compare/compare.sh bin/reverb-go
	$(GO) test ./server -run '^$$' -bench BenchmarkChannels -count $(COUNT) | tee bin/channels.txt
	$(GO) run ./cmd/reverb-go/bench/internal/growth bin/growth.json < bin/channels.txt

bench-messaging:
	$(GO) test -run '^$$' -bench Messages -benchtime 3000x -count $(COUNT) -timeout 1h ./cmd/messaging/http

e2e: web
	MESSAGING_E2E=full $(GO) test ./cmd/messaging/e2e -count 1 -timeout 60m -v

e2e-soketi: web
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cmd/reverb-go/bench/testdata/compare/install.sh "$$dir" && \
		SOKETI=$$dir/node_modules/@soketi/soketi/bin/server.js $(GO) test ./cmd/messaging/e2e -run TestSoketi -count 1 -timeout 40m -v

fuzz:
	@for package in $$($(GO) list ./...); do \
		for fuzzer in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$fuzzer"; \
			$(GO) test -run '^$$' -fuzz "^$$fuzzer$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package || exit 1; \
		done; done

soak-random:
	CGO_ENABLED=1 $(GO) test -race ./server -run '^TestRandom$$' -count 1 -timeout 0 -v -args -steps=$(STEPS)

# What it says besides is for whoever reads it: how much was published and heard, and how large a node has become.
soak:
	SOAK=$(SOAK) $(GO) test ./cmd/reverb-go -run '^TestSoak$$' -count 1 -timeout 0 -v

soak-handover:
	HANDOVERS=20 CGO_ENABLED=1 $(GO) test -race ./cmd/reverb-go -run '^TestHandover' -count 1 -timeout 20m -v

play:
	$(GO) test ./server -run TestConversations -count 1 -v -args -against=$(AGAINST) -id=$(ID) -key=$(KEY) -secret=$(SECRET)
