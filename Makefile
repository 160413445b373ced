# Thin names for the commands that README and .ci/run use.

.PHONY: test race lint fuzz bench example catalogue integration journal crash otelretry compare faults storm claims ci

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

journal:
	integration/journal/databases.sh
	cd integration/journal && go test -race ./...

crash:
	cd integration/journal && go test -timeout 20m ./crash -kills-sqlite=500 -kills-postgres=200 -kills-mysql=200 -restarts=10 -herd=32

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
