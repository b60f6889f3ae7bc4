# make start runs the server, make test installs what is missing and runs everything.

GO ?= go

.PHONY: start build test

start: build
	./bin/reverb-go start

build:
	$(GO) build -o bin/reverb-go ./cmd/reverb-go

test:
	$(GO) vet ./...
	$(GO) test -race ./...
