# Thin names for the commands that README and .ci/run use.

.PHONY: test race lint fuzz bench example catalogue integration otelretry compare faults storm claims ci

test:
	go test ./...

race:
	go test -race ./...

lint:
	gofmt -l .
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

fuzz:
	.ci/fuzz 10s

bench:
	go test -run '^$$' -bench . -benchmem ./...

example:
	go run ./examples/createscalinggroup

catalogue:
	go generate ./internal/openapi/catalogue

integration:
	cd integration && go test -race ./...
	cd integration/darabonba && go test -race ./...
	cd integration/darabonba224 && go test -race ./...

otelretry:
	cd retry/otelretry && go test -race ./...

compare:
	cd benchmarks && go run ./compare

faults:
	cd benchmarks && go run ./faults

storm:
	cd tools/storm && go run . -out ../../docs

claims:
	go test -timeout 60m -run Claim ./internal/storm -scale 1

ci:
	.ci/run
