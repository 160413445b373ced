package retry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// front stands before an endpoint and spoils the first of the attempts that pass: the
// endpoint may have done the work, and what the client gets is what spoil writes of its
// reply, byte for byte, before the connection is closed.
func front(t *testing.T, srv *retrytest.Server, done bool, spoil func(body string) string) (host string) {
	t.Helper()
	var attempts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) > 1 {
			srv.ServeHTTP(w, r)
			return
		}
		var body string
		if done {
			first := httptest.NewRecorder()
			srv.ServeHTTP(first, r)
			body = first.Body.String()
		}
		_, _ = io.Copy(io.Discard, r.Body) // what is unread would reset the connection
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, spoil(body))
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// roads are the ways to make a call that creates something, in each signature style. They
// return what the caller has of the answer.
var roads = map[string]func(t *testing.T, host string, opt retry.Option) (string, error){
	"RPC": func(t *testing.T, host string, opt retry.Option) (string, error) {
		client := newEss(t)
		mustWrap(t, client, opt)
		request := createRequest(&retrytest.Server{Host: host})
		response, err := client.CreateScalingGroup(request)
		if err != nil {
			return "", err
		}
		return response.ScalingGroupId, nil
	},
	"ROA": func(t *testing.T, host string, opt retry.Option) (string, error) {
		client := newEss(t)
		mustWrap(t, client, opt)
		request := requests.NewCommonRequest()
		request.Method, request.Domain, request.Version, request.PathPattern = "POST", host, "2017-06-13", "/openapi/instances"
		request.SetContent([]byte(`{"description":"检索"}`))
		request.Headers["Content-Type"] = "application/json"
		response, err := client.ProcessCommonRequest(request)
		if err != nil {
			return "", err
		}
		return response.GetHttpContentString(), nil
	},
	"ACS3": func(t *testing.T, host string, opt retry.Option) (string, error) {
		tr := &retry.Transport{Credentials: static, Policy: quick}
		opt(tr)
		t.Cleanup(tr.CloseIdleConnections)
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+host+"/?ScalingGroupName=web", nil)
		req.Header = http.Header{"x-acs-action": {"CreateScalingGroup"}, "x-acs-version": {"2014-08-28"}, "accept": {"application/json"},
			"Accept-Encoding": {"identity"}} // as the SDK asks for the others
		resp, err := tr.Call(req, &http.Transport{})
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(resp.Body)
		return string(body), errors.Join(err, resp.Body.Close())
	},
}

const (
	ok200     = "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\n"
	loginPage = "<!DOCTYPE html><html><body><form action='/login'>Sign in</form></body></html>"
)

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// sized returns a whole reply. It says that the connection ends with it, or the next attempt
// could still find it open.
func sized(head, body string) string {
	return fmt.Sprintf("%sConnection: close\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// A reply that breaks off, or is something else than the API's answer, is never taken for
// success. Where its class allows it, the call is repeated and gets the first result.
func TestStrangeReplies(t *testing.T) {
	half := func(body string) string { return body[:len(body)/2] }
	is := func(reply string) func(string) string { return func(string) string { return reply } }
	tests := map[string]struct {
		done  bool // the work, before the reply
		spoil func(body string) string
		class retry.Class
		roa   retry.Class // 0: the same
		alone retry.Outcome
	}{
		"body shorter than Content-Length": {done: true, class: retry.NoResponse,
			spoil: func(b string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok200, len(b), half(b)) }},
		"one byte shorter, which parses": {done: true, class: retry.NoResponse,
			spoil: func(b string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok200, len(b)+1, b) }},
		"chunk cut off": {done: true, class: retry.NoResponse,
			spoil: func(b string) string {
				return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", ok200, len(b), half(b))
			}},
		"chunk of a broken size": {done: true, class: retry.NoResponse,
			spoil: func(b string) string {
				return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\nzz\r\n\r\n", ok200, len(b), b)
			}},
		"chunks without the last": {done: true, class: retry.NoResponse,
			spoil: func(b string) string {
				return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", ok200, len(b), b)
			}},
		"closed in mid-JSON, with neither": {done: true, class: retry.NoResponse, spoil: func(b string) string { return ok200 + "\r\n" + half(b) }},
		"closed in the head":               {done: true, class: retry.NoResponse, spoil: is(ok200[:30])},
		"no HTTP at all":                   {done: true, class: retry.NoResponse, spoil: is("SSH-2.0-OpenSSH_9.6\r\n")},
		"error reply cut off": {class: retry.NoResponse,
			spoil: is("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n" + `{"Code":"Forbidden.RAM","Message":"x"}`)},
		"login page":                      {done: true, class: retry.NoResponse, spoil: is(sized("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", loginPage))},
		"login page that says it is JSON": {done: true, class: retry.NoResponse, spoil: is(sized(ok200, loginPage))},
		"empty":                           {done: true, class: retry.NoResponse, roa: retry.Success, spoil: is(sized(ok200, ""))},
		"gzip that was not asked for": {done: true, class: retry.Success,
			spoil: func(b string) string { return sized(ok200+"Content-Encoding: gzip\r\n", packed(b)) }},
		"gzip cut off": {done: true, class: retry.NoResponse,
			spoil: func(b string) string { return ok200 + "Content-Encoding: GZIP\r\n\r\n" + half(packed(b)) }},
		"gzip that is none": {done: true, class: retry.NoResponse,
			spoil: func(b string) string { return sized(ok200+"Content-Encoding: gzip\r\n", b) }},
		"gzip without a byte": {done: true, class: retry.NoResponse, spoil: is(ok200 + "Content-Encoding: gzip\r\n\r\n")},
		"refused in gzip": {class: retry.InProgress,
			spoil: is(sized("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n", packed(`{"Code":"LastTokenProcessing","Message":"x"}`)))},
		"refused in an encoding of its own": {class: retry.NoResponse,
			spoil: is(sized("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Encoding: br\r\n", "\x0b\x02\x80{}\x03"))},
		"gzip that does not say so": {done: true, class: retry.NoResponse,
			spoil: func(b string) string { return sized(ok200, packed(b)) }},
		"200 with Throttling.User": {class: retry.Throttled, alone: retry.NotDone,
			spoil: is(sized(ok200, `{"Code":"Throttling.User","Message":"Request was denied.","RequestId":"R"}`))},
		"200 with ServiceUnavailable": {done: true, class: retry.Unavailable,
			spoil: is(sized(ok200, `{"Code":"ServiceUnavailable","Message":"x","RequestId":"R"}`))},
		"200 with InternalError": {done: true, class: retry.ServerError,
			spoil: is(sized(ok200, `{"Code":"InternalError","Message":"x","RequestId":"R"}`))},
		"200 with LastTokenProcessing": {done: true, class: retry.InProgress,
			spoil: is(sized(ok200, `{"Code":"LastTokenProcessing","Message":"x","RequestId":"R"}`))},
	}
	for style, send := range roads {
		for name, tt := range tests {
			t.Run(style+"/"+name, func(t *testing.T) {
				class := tt.class
				if style == "ROA" && tt.roa != 0 {
					class = tt.roa
				}
				for attempts := 1; attempts <= 2; attempts++ {
					srv := retrytest.NewServer()
					t.Cleanup(srv.Close)
					var end retry.Info
					got, err := send(t, front(t, srv, tt.done, tt.spoil), func(tr *retry.Transport) {
						tr.Policy.MaxAttempts = attempts
						tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { end = i }}
					})
					want, outcome := []retry.Class{class}, tt.alone
					switch {
					case class == retry.Success:
						outcome = retry.Done
					case attempts == 2:
						want, outcome = append(want, retry.Success), retry.Done
					}
					if !slices.Equal(classesOf(end), want) || end.Outcome != outcome || (err == nil) != (outcome == retry.Done) {
						t.Fatalf("of %d: %v, outcome %v, error %v; want %v, %v", attempts, classesOf(end), end.Outcome, err, want, outcome)
					}
					if _, told := retry.InfoOf(err); err != nil && !told {
						t.Errorf("of %d: error %T, which does not tell the outcome", attempts, err)
					}
					if e := srv.Effects(); attempts == 2 && (len(e) != 1 || (class != retry.Success || tt.class == class) && !strings.Contains(got, e[0].ResourceID)) {
						t.Errorf("answered with %q; effects %+v", got, e)
					}
				}
			})
		}
	}
}

// A delivery that the network doubles makes one effect, since its nonce is burnt, and the
// call that is told so gets the first result under a new one, at once. What carries no token
// is not sent again: the refusal does not say what became of the other copy.
func TestDoubledDelivery(t *testing.T) {
	deletes := func(t *testing.T, host string, opt retry.Option) (string, error) {
		tr := &retry.Transport{Credentials: static, Policy: quick}
		opt(tr)
		t.Cleanup(tr.CloseIdleConnections)
		req, _ := http.NewRequestWithContext(context.Background(), "POST", "http://"+host+"/?Action=DeleteScalingGroup&Version=2014-08-28&Format=JSON", nil)
		_, err := tr.RoundTrip(req)
		return "", err
	}
	for name, send := range map[string]func(*testing.T, string, retry.Option) (string, error){
		"RPC": roads["RPC"], "ROA": roads["ROA"], "ACS3": roads["ACS3"], "without a token": deletes,
	} {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			var copies atomic.Int32
			doubling := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if copies.Add(1) == 1 {
					srv.ServeHTTP(httptest.NewRecorder(), r)
					r.Body = io.NopCloser(bytes.NewReader(body))
				}
				srv.ServeHTTP(w, r)
			}))
			defer doubling.Close()
			var end retry.Info
			got, err := send(t, doubling.Listener.Addr().String(), func(tr *retry.Transport) {
				tr.Policy.Busy, tr.Policy.Transient = retry.Delay{}, retry.Delay{} // a wait would show
				tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { end = i }}
			})
			want, outcome := []retry.Class{retry.NonceUsed, retry.Success}, retry.Done
			if name == "without a token" {
				want, outcome = want[:1], retry.Unknown
			} else if e := srv.Effects(); err != nil || len(e) > 0 && !strings.Contains(got, e[0].ResourceID) {
				t.Errorf("answered with %q, %v", got, err)
			}
			if !slices.Equal(classesOf(end), want) || end.Outcome != outcome || end.Attempts[0].Wait != 0 {
				t.Errorf("%v, outcome %v, attempts %+v", classesOf(end), end.Outcome, end.Attempts)
			}
			e, seen := srv.Effects(), srv.Attempts() // the copies, and then what is sent anew
			if len(e) != 1 || len(seen) != 1+len(want) || seen[0].Nonce != seen[1].Nonce || len(want) == 2 && seen[2].Problem != "" {
				t.Errorf("%d effects; attempts %+v", len(e), seen)
			}
		})
	}
}
