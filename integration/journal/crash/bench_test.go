package crash_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/token"
)

// BenchmarkCall tells what a journal adds to a call, whose endpoint answers in no time: with each
// database, two transactions, each of which waits for the disk.
func BenchmarkCall(b *testing.B) {
	call := func(b *testing.B, journal token.Journal) {
		client, err := newClient(journal, answering{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			key, ctx := fmt.Sprintf("key %d", n), context.Background()
			if journal != nil {
				ctx = retry.WithKey(ctx, key)
			}
			if id, err := create(ctx, client, "127.0.0.1", key); err != nil || id != "asg-1" {
				b.Fatal(id, err)
			}
		}
	}
	b.Run("none", func(b *testing.B) { call(b, nil) })
	for _, database := range []struct {
		name string
		make func(testing.TB) world
	}{
		{"sqlite", func(t testing.TB) world { return newSQLite(t, "wal") }},
		{"postgres", newPostgres},
		{"mysql", newMariaDB},
	} {
		b.Run(database.name, func(b *testing.B) {
			journal, db, err := database.make(b).open(b.Context(), "bench")
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			call(b, journal)
		})
	}
}

// answering answers every attempt well.
type answering struct{}

func (answering) RoundTrip(req *http.Request) (*http.Response, error) {
	const body = `{"ScalingGroupId":"asg-1","RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}`
	return &http.Response{Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
}
