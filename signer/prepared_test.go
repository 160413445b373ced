package signer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/signer"
)

// One prepared request signs attempts with different keys at the same time, each as if it
// were alone.
func TestPreparedConcurrently(t *testing.T) {
	for style, request := range anonymousStyles {
		req, body := styled(style), []byte(request.form)
		p, err := signer.Prepare(req, body)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for by, key := range before {
			if by == "unsigned" {
				continue
			}
			for i := range 4 {
				at := signer.Stamp{Nonce: fmt.Sprint(by, i), Time: signedAt}
				alone := styled(style)
				if err := signer.Sign(alone, body, key, at); err != nil {
					t.Fatal(err)
				}
				want := sent(t, style, alone)
				wg.Go(func() {
					for range 20 {
						attempt := req.Clone(context.Background())
						if err := p.Sign(attempt, key, at); err != nil {
							t.Error(err)
						}
						if got := sent(t, style, attempt); !reflect.DeepEqual(got, want) {
							t.Errorf("%s, %s: %v, want %v", style, by, got, want)
						}
					}
				})
			}
		}
		wg.Wait()
	}
}

// What becomes of the request after it was prepared does not matter, and preparing it
// changes nothing.
func TestPrepareKeepsNothing(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: signedAt}
	for style, request := range anonymousStyles {
		req, body := styled(style), []byte(request.form)
		url, header := req.URL.String(), req.Header.Clone()
		p, err := signer.Prepare(req, body)
		if err != nil || req.URL.String() != url || !reflect.DeepEqual(req.Header, header) || req.Body != nil {
			t.Fatalf("%s: %v, %s %v", style, err, req.URL, req.Header)
		}
		attempt := req.Clone(context.Background())
		req.URL.RawQuery, req.URL.Path, req.Method, req.Host = "Other=1", "/other", "PUT", "other"
		for key := range maps.Keys(req.Header) {
			req.Header[key][0] = "other"
		}
		if err := p.Sign(attempt, testKey, at); err != nil {
			t.Fatal(err)
		}
		alone := styled(style)
		if err := signer.Sign(alone, body, testKey, at); err != nil {
			t.Fatal(err)
		}
		if got, want := sent(t, style, attempt), sent(t, style, alone); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", style, got, want)
		}
	}
}

// A request stays as it was where the key cannot sign it.
func TestPreparedRefuses(t *testing.T) {
	for style, request := range anonymousStyles {
		req := styled(style)
		p, err := signer.Prepare(req, []byte(request.form))
		if err != nil {
			t.Fatal(err)
		}
		want := whole(req)
		for _, c := range []signer.Credentials{{}, {AccessKeyID: "id"}, {AccessKeySecret: "secret"}, {SecurityToken: "st"}, {Anonymous: true, BearerToken: "b"}} {
			if err := p.Sign(req, c, signer.Stamp{}); !errors.Is(err, signer.ErrNoCredentials) || whole(req) != want {
				t.Errorf("%s, %v: %v, %s", style, c, err, whole(req))
			}
		}
	}
}

// whole is all that a request has, as text.
func whole(req *http.Request) string {
	return fmt.Sprint(req.URL, req.Header, req.Body, req.ContentLength)
}
