package retry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// Bounds as large as can be are bounds like any other.
func TestLargestBounds(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	tr.Policy.MaxReply, tr.Policy.MaxBody = math.MaxInt64, math.MaxInt64
	req, _ := http.NewRequest("POST", srv.URL+createQuery, io.MultiReader(strings.NewReader("ScalingGroupName=web"))) // of unknown length
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || len(body) == 0 {
		t.Errorf("reply %q, %v", body, err)
	}
	if e := srv.Effects(); len(e) != 1 || e[0].Params.Get("ScalingGroupName") != "web" {
		t.Errorf("effects %+v", e)
	}
}

// A reply that the caller asked to be compressed can be read and classed all the same.
func TestCompressedReplies(t *testing.T) {
	pack := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.String()
	}
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Raw(403, "application/json", pack(`{"Code":"LastTokenProcessing"}`)).WithHeader("Content-Encoding", "gzip"))
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	req.Header["accept-encoding"] = []string{"gzip"}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if i, _ := retry.InfoOfResponse(resp); len(i.Attempts) != 2 || i.Attempts[0].Class != retry.InProgress {
		t.Errorf("%+v", i)
	}
}

// Some bases write to the headers of what they send, which they should not: each attempt
// has headers of its own, and none of them are the caller's.
func TestBaseThatAddsHeaders(t *testing.T) {
	attempts := 0
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		attempts++
		req.Header.Add("X-Seen", fmt.Sprint(attempts))
		if got := len(req.Header["X-Seen"]); got != 1 {
			t.Errorf("attempt %d has %d of the header", attempts, got)
		}
		// A recorder, for one, answers with a request of its own.
		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: http.NoBody, Request: new(http.Request)}, nil
	})}
	tr.Policy.MaxAttempts = 3
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil || len(req.Header) != 0 {
		t.Fatalf("%v, the caller's headers are %v", err, req.Header)
	}
	if i, ok := retry.InfoOfResponse(resp); !ok || len(i.Attempts) != 3 {
		t.Errorf("%+v, %v", i, ok)
	}
}

// A request is its caller's: nothing in it is changed, and what an Info tells of the call does not
// change when the caller uses the request for another one.
func TestRequestStaysTheCallers(t *testing.T) {
	for name, odd := range map[string]func(*http.Request){
		"as it comes":       func(*http.Request) {},
		"no method":         func(r *http.Request) { r.Method = "" },
		"no headers":        func(r *http.Request) { r.Header = nil },
		"unwanted headers":  func(r *http.Request) { r.Header["Idempotency-Key"] = []string{"x"} },
		"transfer encoding": func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
		"another style": func(r *http.Request) {
			r.URL.RawQuery = ""
			r.Header["x-acs-action"], r.Header["x-acs-version"] = []string{"CreateScalingGroup"}, []string{"2014-08-28"}
		},
	} {
		var sent []*http.Request
		tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			sent = append(sent, req)
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody}, nil
		})}
		tr.Policy.MaxAttempts = 2
		req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
		odd(req)
		before := req.Clone(context.Background())
		resp, err := tr.RoundTrip(req)
		if err != nil || len(sent) != 2 {
			t.Fatalf("%s: %d attempts, %v", name, len(sent), err)
		}
		if *req.URL != *before.URL || req.Method != before.Method || !reflect.DeepEqual(req.Header, before.Header) || !slices.Equal(req.TransferEncoding, before.TransferEncoding) {
			t.Errorf("%s: %+v is now %+v", name, before, req)
		}
		for _, s := range sent {
			if s.TransferEncoding != nil || s.Method == "" || s.Header == nil || s.Header["Idempotency-Key"] != nil {
				t.Errorf("%s: sent %+v", name, s)
			}
		}
		req.Method, req.URL.Scheme, req.URL.Host = "DELETE", "ftp", "example.com"
		if i, _ := retry.InfoOfResponse(resp); i.Method != sent[0].Method || i.Scheme != "http" || i.Host != "ess.aliyuncs.com" {
			t.Errorf("%s: the Info is of %s %s://%s", name, i.Method, i.Scheme, i.Host)
		}
	}
}

// A base may work on when its attempt has returned, and the caller has another use for the request:
// what is compared with the call is what that was when it began.
func TestRequestReusedDuringInnerCall(t *testing.T) {
	newRequest := func(ctx context.Context) *http.Request {
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://example.aliyuncs.com/some/where", nil)
		req.Header = http.Header{"x-acs-version": {"2099-01-01"}, "x-acs-signature-version": {"1.0"}}
		return req
	}
	req := newRequest(context.Background())
	var inner error
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(attempt *http.Request) (*http.Response, error) {
		req.URL = &url.URL{Path: "/another"}
		below := &retry.Transport{Credentials: static, Base: http.NewFileTransport(http.Dir("."))}
		_, inner = below.RoundTrip(newRequest(attempt.Context()))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
	})}
	if _, err := tr.RoundTrip(req); err != nil || !errors.Is(inner, retry.ErrLayered) {
		t.Errorf("%v; the attempt that came back: %v", err, inner)
	}
}

// Time that is spent on fetching credentials is the call's: what cannot be sent in time
// is not sent, and known not to be.
func TestSlowProvider(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	ctx, cancel := context.WithCancel(context.Background())
	tests := map[string]struct {
		provider func(context.Context) (signer.Credentials, error)
		want     error
	}{
		"canceled meanwhile": {func(context.Context) (signer.Credentials, error) { cancel(); return testKey, nil }, context.Canceled},
		"too late":           {func(ctx context.Context) (signer.Credentials, error) { <-ctx.Done(); return testKey, nil }, context.DeadlineExceeded},
		"gives up": {func(ctx context.Context) (signer.Credentials, error) {
			<-ctx.Done()
			return signer.Credentials{}, ctx.Err()
		}, context.DeadlineExceeded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := &retry.Transport{Credentials: providerFunc(tt.provider), Policy: quick}
			tr.Policy.CallTimeout = 20 * time.Millisecond
			caller := context.Background()
			if tt.want == context.Canceled {
				caller = ctx
			}
			req, _ := http.NewRequestWithContext(caller, "POST", srv.URL+createQuery, nil)
			_, err := tr.RoundTrip(req)
			if i, ok := retry.InfoOf(err); !errors.Is(err, tt.want) || !ok || i.Outcome != retry.NotDone {
				t.Errorf("%v: %+v", err, i)
			}
		})
	}
	if n := len(srv.Attempts()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// An *http.Transport as Base lends its settings, and HTTP/1.1 is spoken whatever it is set
// up for: by itself, or by http2.ConfigureTransport.
func TestHTTPTransportAsBase(t *testing.T) {
	server, protos := newHTTP2Server(t)
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	negotiates := func() *http.Transport {
		return &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}
	}
	configured := negotiates()
	configured.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{"h2": func(string, *tls.Conn) http.RoundTripper { return nil }}
	if got := protoOver(t, negotiates(), server.URL, protos); got != "HTTP/2.0" {
		t.Fatalf("control: net/http speaks %s to this server, want HTTP/2.0", got)
	}
	for name, base := range map[string]*http.Transport{"by itself": negotiates(), "configured": configured} {
		tr := &retry.Transport{Base: base, Credentials: static}
		if got := protoOver(t, tr, server.URL, protos); got != "HTTP/1.1" {
			t.Errorf("%s: spoke %s", name, got)
		}
		tr.CloseIdleConnections()
	}
}

// A 200 that says "Success": false is the API's own word, which the SDK does not hear.
func TestDoActionHearsRefusal(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Raw(200, "application/json", `{"Success":false,"Code":"Biz.Failed","Message":"no","ScalingGroupId":""}`))
	err := mustWrap(t, newEss(t)).DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	if i, ok := retry.InfoOf(err); !ok || i.Outcome != retry.Unknown || !strings.Contains(err.Error(), "Biz.Failed") {
		t.Errorf("%v: %+v", err, i)
	}
}
