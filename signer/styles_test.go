package signer_test

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// styled returns an unsigned request of a style, with a body that is not set yet.
func styled(style string) *http.Request {
	request := anonymousStyles[style]
	req, err := http.NewRequest("POST", "http://h/?"+request.query, nil)
	if err != nil {
		panic(err)
	}
	for k, v := range request.header {
		req.Header[k] = []string{v}
	}
	return req
}

// stamped are the names under which the styles have the time, and what signedAt is there.
var stamped = map[string][2]string{"RPC": {"Timestamp", "2023-11-14T22:13:20Z"}, "RPC, in the form": {"Timestamp", "2023-11-14T22:13:20Z"},
	"ROA": {"date", "Tue, 14 Nov 2023 22:13:20 GMT"}, "ACS3": {"x-acs-date", "2023-11-14T22:13:20Z"}}

// signedAt is a time with a zone and less than seconds, neither of which is sent.
var signedAt = time.Unix(1700000000, 999).In(time.FixedZone("", 8*3600))

// sent returns what a request carries: its query, its form if it is one, and its headers.
func sent(t *testing.T, style string, req *http.Request) map[string]string {
	t.Helper()
	all := fold(req.Header)
	for k, v := range req.URL.Query() {
		all[k] += strings.Join(v, "|")
	}
	if style == "RPC, in the form" {
		body, err := req.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(body)
		for pair := range strings.SplitSeq(string(text), "&") {
			k, v, _ := strings.Cut(pair, "=")
			all[k] += strings.ReplaceAll(v, "%3A", ":")
		}
	}
	return all
}

func TestSignTime(t *testing.T) {
	for style, want := range stamped {
		req := styled(style)
		if err := signer.Sign(req, []byte(anonymousStyles[style].form), testKey, signer.Stamp{Nonce: "n", Time: signedAt}); err != nil {
			t.Fatal(err)
		}
		if got := sent(t, style, req)[want[0]]; got != want[1] {
			t.Errorf("%s: %s is %q, want %q", style, want[0], got, want[1])
		}
		// Without a stamp, it is now, and the nonce another one each time.
		nonce, start := "", time.Now().Add(-time.Second)
		for range 2 {
			req := styled(style)
			if err := signer.Sign(req, []byte(anonymousStyles[style].form), testKey, signer.Stamp{}); err != nil {
				t.Fatal(err)
			}
			all := sent(t, style, req)
			layout := time.RFC3339
			if style == "ROA" {
				layout = http.TimeFormat
			}
			at, err := time.Parse(layout, all[want[0]])
			got := all["SignatureNonce"] + all["x-acs-signature-nonce"]
			if err != nil || at.Before(start) || time.Now().Before(at) || len(got) < 32 || got == nonce {
				t.Errorf("%s: signed at %q under %q after %q", style, all[want[0]], got, nonce)
			}
			nonce = got
		}
	}
}

// A server that knows a key takes what is signed with it, whoever signed before.
func TestSignAccepted(t *testing.T) {
	srv := retrytest.NewServer(testAccount(testKey), testAccount(before["STS"]), testAccount(before["bearer"]), retrytest.Account{Anonymous: true})
	defer srv.Close()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for style, request := range anonymousStyles {
		for _, by := range []string{"unsigned", "pair", "STS", "bearer", "anonymous"} {
			for _, with := range []string{"pair", "STS", "bearer"} {
				if by == "STS" && with != by && strings.HasPrefix(style, "RPC") {
					continue // a SecurityToken might be the caller's, and stays
				}
				req, body := styled(style), []byte(request.form)
				req.URL.Host, req.Host = srv.Host, srv.Host
				for _, key := range []signer.Credentials{before[by], before[with]} {
					if key == (signer.Credentials{}) {
						continue
					}
					if err := signer.Sign(req, body, key, signer.Stamp{}); err != nil {
						t.Fatal(err)
					}
					body, _ = io.ReadAll(req.Body)
				}
				req.Body, _ = req.GetBody()
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if a := srv.Attempts(); a[len(a)-1].Problem != "" || a[len(a)-1].AccessKeyID != before[with].AccessKeyID {
					t.Errorf("%s, signed by %s and then by %s: %s, key %q", style, by, with, a[len(a)-1].Problem, a[len(a)-1].AccessKeyID)
				}
			}
		}
	}
}

// testAccount is the account of a key.
func testAccount(c signer.Credentials) retrytest.Account {
	return retrytest.Account{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken, BearerToken: c.BearerToken}
}

// net/http sends GET where no method is set.
func TestSignWithoutMethod(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: signedAt}
	for style, request := range anonymousStyles {
		var all []map[string]string
		for _, method := range []string{"GET", "", "POST"} {
			req := styled(style)
			req.Method = method
			if err := signer.Sign(req, []byte(request.form), testKey, at); err != nil {
				t.Fatal(err)
			}
			all = append(all, sent(t, style, req))
		}
		if !reflect.DeepEqual(all[0], all[1]) || reflect.DeepEqual(all[1], all[2]) {
			t.Errorf("%s: GET is signed\n%v\nno method\n%v\nand POST\n%v", style, all[0], all[1], all[2])
		}
	}
}

// A signed request sends the body that it was signed with, whatever it had, any number of
// times.
func TestSignSetsBody(t *testing.T) {
	for style, request := range anonymousStyles {
		for _, body := range []string{"", "some bytes"} {
			if style == "RPC, in the form" {
				body = request.form
			}
			req := styled(style)
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader("other")), -1
			p, err := signer.Prepare(req, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Sign(req, testKey, signer.Stamp{}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := io.ReadAll(req.Body)
				if err != nil || int64(len(got)) != req.ContentLength || style != "RPC, in the form" && string(got) != body || !strings.HasPrefix(string(got), body) {
					t.Errorf("%s: %d bytes are stated, %q are sent (%v); want %q", style, req.ContentLength, got, err, body)
				}
				if empty := req.Body == http.NoBody; empty != (len(got) == 0) {
					t.Errorf("%s: %q is http.NoBody: %v", style, got, empty)
				}
				if req.Body, err = req.GetBody(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The caller may add to one header without another being written over, and a request
// without headers gets those of the signature.
func TestSignHeadersApart(t *testing.T) {
	for _, style := range []string{"ROA", "ACS3"} {
		req := styled(style)
		p, err := signer.Prepare(req, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Sign(req, testKey, signer.Stamp{Nonce: "n", Time: signedAt}); err != nil {
			t.Fatal(err)
		}
		before := fold(req.Header)
		for key := range req.Header {
			req.Header[key] = append(req.Header[key], "added")
		}
		for key, value := range fold(req.Header) {
			if value != before[key]+"|added" {
				t.Errorf("%s: %s is %q, want %q and what was added", style, key, value, before[key])
			}
		}
		bare := &http.Request{Method: req.Method, URL: req.URL}
		if err := p.Sign(bare, testKey, signer.Stamp{Nonce: "n", Time: signedAt}); err != nil {
			t.Fatal(err)
		}
		if got := fold(bare.Header); got["authorization"] != before["authorization"] || got["x-acs-signature-nonce"] != "n" {
			t.Errorf("%s: without headers: %v", style, got)
		}
	}
}
