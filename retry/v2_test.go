package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/retry"
)

func newCreate(ctx context.Context, url string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, "POST", url+createQuery, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// call makes a call with the transport handed, and closes its answer.
func call(t testing.TB, tr *retry.Transport, url string, handed *http.Transport) (retry.Info, error) {
	t.Helper()
	resp, err := tr.Call(newCreate(t.Context(), url), handed)
	if err != nil {
		i, _ := retry.InfoOf(err)
		return i, err
	}
	i, _ := retry.InfoOfResponse(resp)
	return i, resp.Body.Close()
}

// Where the Transport has a Base, what is handed is not used, but for its timeout. An
// attempt timeout of the Policy outranks that.
func TestCallTimeout(t *testing.T) {
	hung := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	unused := &http.Transport{
		Proxy:       func(*http.Request) (*url.URL, error) { t.Error("the proxy was asked for"); return nil, nil },
		DialContext: func(context.Context, string, string) (net.Conn, error) { t.Error("it dialled"); return nil, io.EOF },
	}
	for name, tt := range map[string]struct {
		policy, handed, want time.Duration
		none                 bool
	}{
		"handed":               {handed: 3 * time.Second, want: 3 * time.Second},
		"longer than usual":    {handed: time.Minute, want: time.Minute},
		"the policy's":         {policy: time.Second, handed: 3 * time.Second, want: time.Second},
		"the policy's, longer": {policy: 5 * time.Second, handed: 3 * time.Second, want: 5 * time.Second},
		"none":                 {want: 10 * time.Second},
		"nothing handed":       {want: 10 * time.Second, none: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &retry.Transport{Base: hung, Credentials: static, Policy: retry.Policy{AttemptTimeout: tt.policy, MaxAttempts: 2}}
				handed := unused.Clone()
				handed.ResponseHeaderTimeout = tt.handed
				if tt.none {
					handed = nil
				}
				i, err := call(t, tr, "http://ess.aliyuncs.com", handed)
				if err == nil || len(i.Attempts) != 2 || i.Attempts[0].Duration != tt.want || i.Attempts[1].Duration != tt.want {
					t.Errorf("%v; attempts %+v; want two of %v", err, i.Attempts, tt.want)
				}
			})
		})
	}
}

// A proxy setting that does not work ends the call before anything is sent, and shows no
// password.
func TestCallProxyFails(t *testing.T) {
	address := fmt.Sprintf("http://user:hush@proxy:%s", "x")
	_, parse := url.Parse(address)
	for name, tt := range map[string]error{
		"in words":      fmt.Errorf("invalid proxy address %q: %w", address, parse),
		"a parse error": parse,
	} {
		tr := &retry.Transport{Credentials: static, Policy: quick}
		handed := &http.Transport{
			Proxy:       func(*http.Request) (*url.URL, error) { return nil, tt },
			DialContext: func(context.Context, string, string) (net.Conn, error) { t.Error("it dialled"); return nil, io.EOF },
		}
		body := &trackedBody{Reader: strings.NewReader("a=b")}
		req := newCreate(t.Context(), "http://127.0.0.1:1")
		req.Body = body
		_, err := tr.Call(req, handed)
		var own *retry.Error
		if !errors.As(err, &own) || own.Outcome != retry.NotDone || len(own.Attempts) != 0 || body.closed.Load() != 1 {
			t.Errorf("%s: %v", name, err)
		}
		var u *url.Error
		errors.As(err, &u)
		if text := fmt.Sprint(err, u); strings.Contains(text, "hush") || !strings.Contains(text, "proxy") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// What the SDK takes for what it is comes back as it came; all else is an *Error.
func TestCallMisreadAnswers(t *testing.T) {
	const answer, long = `{"Code":"Forbidden.RAM","Message":"x"}`, `{"Code":"Forbidden.RAM","Message":"0123456789012345678901234567890123456789"}`
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		read       bool
	}{
		"JSON":              {403, "application/json", answer, true},
		"JSON as text":      {403, "text/plain", answer, true},
		"JSON, unclear":     {599, "application/json", answer, false},
		"JSON, 499":         {499, "application/json", answer, true},
		"JSON, 600":         {600, "application/json", answer, false},
		"JSON, redirecting": {307, "application/json", answer, false},
		"XML":               {403, "text/xml;charset=utf-8", "<Error><Code>Forbidden.RAM</Code></Error>", true},
		"XML, another":      {403, "application/xml", "<Error><Code>Forbidden.RAM</Code></Error>", false},
		"a page":            {403, "text/html", "<html>", false},
		"a list":            {403, "application/json", "[]", false},
		"null":              {403, "application/json", "null", false},
		"nothing":           {403, "", "", false},
		"longer than kept":  {403, "application/json", long, true},
		"long, redirecting": {307, "application/json", long, false},
		"success":           {200, "application/json", `{"RequestId":"R"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			sent := &trackedBody{Reader: strings.NewReader(tt.body)}
			tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {tt.kind}}, Body: sent}, nil
			})}
			tr.Policy.MaxReply, tr.Policy.MaxAttempts = 60, 1
			ended := 0
			tr.Trace = &retry.Trace{CallEnd: func(retry.Info) { ended++ }}
			resp, err := tr.Call(newCreate(t.Context(), "http://ess.aliyuncs.com"), nil)
			if ended != 1 {
				t.Errorf("CallEnd ran %d times", ended)
			}
			if tt.read {
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(resp.Body); string(body) != tt.body || err != nil || resp.StatusCode != tt.status {
					t.Errorf("%d %s, %v", resp.StatusCode, body, err)
				}
				if err := resp.Body.Close(); err != nil || sent.closed.Load() != 1 {
					t.Errorf("%v, closed %d times", err, sent.closed.Load())
				}
				return
			}
			if sent.closed.Load() != 1 {
				t.Errorf("the body was closed %d times", sent.closed.Load())
			}
			var own *retry.Error
			if !errors.As(err, &own) || len(own.Attempts) != 1 || own.Attempts[0].Status != tt.status || !strings.Contains(err.Error(), fmt.Sprint(tt.status)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Where time was the reason, the error in place of an answer says so too.
func TestCallMisreadForWantOfTime(t *testing.T) {
	tr := &retry.Transport{Credentials: static, Policy: retry.Policy{Transient: retry.Delay{Base: time.Hour, Max: time.Hour}, CallTimeout: time.Millisecond}}
	tr.Base = roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 502, Body: io.NopCloser(strings.NewReader("<html>"))}, nil
	})
	i, err := call(t, tr, "http://ess.aliyuncs.com", nil)
	if !errors.Is(err, context.DeadlineExceeded) || len(i.Attempts) != 1 || i.Outcome != retry.Unknown {
		t.Errorf("%v: %+v", err, i)
	}
}

// What the SDK adds for a proxy is not for the endpoint behind its tunnel. The caller's
// request stays as it was.
func TestCallHidesProxyPassword(t *testing.T) {
	for scheme, want := range map[string]string{"http": "Basic x", "https": ""} {
		var got http.Header
		tr := &retry.Transport{Credentials: static, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			got = req.Header
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"RequestId":"R"}`))}, nil
		})}
		req := newCreate(t.Context(), scheme+"://ess.aliyuncs.com")
		req.Header = http.Header{"Proxy-Authorization": {"Basic x"}, "X-Acs-Region-Id": {"cn-qingdao"}}
		if _, err := tr.Call(req, nil); err != nil {
			t.Fatal(err)
		}
		if got.Get("Proxy-Authorization") != want || got.Get("x-acs-region-id") == "" || len(req.Header) != 2 {
			t.Errorf("over %s %v is sent; the caller's are %v", scheme, got, req.Header)
		}
	}
}
