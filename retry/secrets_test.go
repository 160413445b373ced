package retry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// printed is everything that can be printed in a run: each value by every verb and as JSON.
type printed struct{ bytes.Buffer }

func (p *printed) add(values ...any) {
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(p, verb+"\n", v)
		}
		if text, err := json.Marshal(v); err == nil {
			p.Write(append(text, '\n'))
		}
		if err, ok := v.(error); ok {
			for _, cause := range causes(err) {
				fmt.Fprintf(p, "%v\n%+v\n%#v\n", cause, cause, cause)
			}
		}
	}
}

// causes are all the errors that err wraps.
func causes(err error) (all []error) {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			all = append(append(all, cause), causes(cause)...)
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			all = append(append(all, cause), causes(cause)...)
		}
	}
	return all
}

// trace prints what every hook is given, and what the log says.
func (p *printed) trace() *retry.Trace {
	attempt, call := func(a retry.Attempt) { p.add(a, &a) }, func(i retry.Info) { p.add(i, &i) }
	log := slog.New(slog.NewJSONHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return retry.JoinTraces(retry.LogTrace(log),
		&retry.Trace{CallStart: call, AttemptStart: attempt, AttemptEnd: attempt, Wait: attempt, CallEnd: call})
}

// quoting is a provider whose errors quote what it knows, as those of real ones do.
type quoting struct {
	signer.Credentials
	fails int
}

func (q *quoting) get(context.Context) (signer.Credentials, error) {
	if q.fails--; q.fails == 0 {
		return signer.Credentials{}, fmt.Errorf(`cannot read {"AccessKeySecret":%q,"SecurityToken":%q}`, q.AccessKeySecret, q.SecurityToken)
	}
	return q.Credentials, nil
}

// TestNothingPrintsSecrets makes calls of all kinds go wrong in all ways, prints all that
// they leave, and looks for the keys and for every signature that the server has seen.
func TestNothingPrintsSecrets(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8)
	keys := map[string]signer.Credentials{
		"AccessKey": {AccessKeyID: "id", AccessKeySecret: "s3cret+of/key=" + long},
		"STS":       {AccessKeyID: "STS.id", AccessKeySecret: "s3cret/of+sts=", SecurityToken: "CAIS+t0ken/of=sts" + long},
		"bearer":    {BearerToken: "eyJ.b3arer+token/of="},
	}
	faults := map[string][]retrytest.Fault{
		"none":       nil,
		"503":        {retrytest.Reply(503, "ServiceUnavailable", "busy"), retrytest.Reply(503, "ServiceUnavailable", "busy")},
		"reset":      {retrytest.Reset().AfterEffect(), retrytest.Reset(), retrytest.Reset()},
		"cut off":    {retrytest.CutOff(), retrytest.CutOffChunked(), retrytest.CutOffClose()},
		"page":       {retrytest.Raw(200, "text/html", "<html>log in</html>"), retrytest.Raw(502, "text/html", "<html>")},
		"redirected": {retrytest.Raw(302, "text/html", "moved").WithHeader("Location", "http://127.0.0.1:1/")},
		"quoted":     nil, // the server's message has what it was sent
		"expired":    {retrytest.Reply(403, "InvalidSecurityToken.Expired", "the security token has expired")},
		"hangs":      {retrytest.Hang(), retrytest.Hang(), retrytest.Hang()},
	}
	styles := map[string]func(req *http.Request){
		"RPC": func(req *http.Request) { req.URL.RawQuery = strings.TrimPrefix(createQuery, "/?") },
		"ACS3": func(req *http.Request) {
			req.Header = http.Header{"x-acs-action": {"CreateScalingGroup"}, "x-acs-version": {"2014-08-28"}}
		},
		"ROA": func(req *http.Request) {
			req.URL.Path = "/clusters"
			req.Header = http.Header{"X-Acs-Version": {"2015-12-15"}, "X-Acs-Signature-Version": {"1.0"}, "Accept": {"application/json"}}
		},
	}
	for kind, key := range keys {
		for name, script := range faults {
			for style, make := range styles {
				t.Run(kind+", "+name+", "+style, func(t *testing.T) {
					var out printed
					srv := retrytest.NewServer(retrytest.Account{AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret,
						SecurityToken: key.SecurityToken, BearerToken: key.BearerToken})
					defer srv.Close()
					srv.Script(script...)
					if name == "quoted" {
						srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
							return retrytest.Reply(400, "SignatureDoesNotMatch", "not good: "+key.SecurityToken+key.BearerToken+"; string to sign is "+a.Signature)
						})
					}
					tr := &retry.Transport{Credentials: providerFunc((&quoting{key, 3}).get), Policy: quick, Trace: out.trace()}
					tr.Policy.MaxAttempts, tr.Policy.AttemptTimeout = 3, 20*time.Millisecond
					defer tr.CloseIdleConnections()
					// Through http.Client, whose own error has the signed URL, and then alone.
					for _, above := range []http.RoundTripper{clientAbove{tr}, tr} {
						req, _ := http.NewRequest("POST", srv.URL, nil)
						make(req)
						resp, err := above.RoundTrip(req)
						if resp != nil {
							out.add(resp.Header)
							i, _ := retry.InfoOfResponse(resp)
							out.add(i)
							resp.Body.Close()
						}
						if err != nil {
							i, _ := retry.InfoOf(err)
							out.add(retry.Redact(err), i)
						}
					}
					out.add(tr, signer.Static(key), key, &key)
					checkPrinted(t, &out, key, srv.Attempts())
				})
			}
		}
	}
}

// clientAbove is an http.Client, as a base.
type clientAbove struct{ http.RoundTripper }

func (c clientAbove) RoundTrip(req *http.Request) (*http.Response, error) {
	return (&http.Client{Transport: c.RoundTripper}).Do(req)
}

func checkPrinted(t *testing.T, out *printed, key signer.Credentials, attempts []retrytest.Attempt) {
	t.Helper()
	secrets := []string{key.AccessKeySecret, key.SecurityToken, key.BearerToken}
	signed := 0
	for _, a := range attempts {
		secrets = append(secrets, a.Signature)
		if a.Signature != "" {
			signed++
		}
	}
	if len(attempts) == 0 || signed == 0 && key.BearerToken == "" {
		t.Fatalf("%d attempts, %d of them signed", len(attempts), signed)
	}
	text := out.String()
	for _, secret := range secrets {
		for range 3 { // plain, and escaped once and twice
			if secret != "" && strings.Contains(text, secret) {
				at := strings.Index(text, secret)
				t.Fatalf("%q is printed: ...%s", secret, text[max(0, at-300):min(len(text), at+100)])
			}
			secret = url.QueryEscape(secret)
		}
	}
}

// The same of a wrapped client, whose SDK has errors of its own.
func TestWrappedClientPrintsNoSecrets(t *testing.T) {
	key := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "s3cret/of+sts=", SecurityToken: "CAIS+t0ken/of=sts"}
	for name, fault := range map[string]retrytest.Fault{
		"reset": retrytest.Reset(), "rejected": retrytest.Reply(400, "SignatureDoesNotMatch", "it does not"), "page": retrytest.Raw(200, "text/html", "<html>"),
		"quoted":     retrytest.Reply(400, "SignatureDoesNotMatch", "token "+key.SecurityToken+" is not good"),
		"no strings": retrytest.Raw(400, "application/json", `{"Code":1,"Message":{}}`), "503": retrytest.Reply(503, "X", "busy"),
	} {
		t.Run(name, func(t *testing.T) {
			var out printed
			srv := retrytest.NewServer(retrytest.Account{AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret, SecurityToken: key.SecurityToken})
			defer srv.Close()
			srv.Script(fault, fault, fault, fault)
			client, err := ess.NewClientWithStsToken("cn-qingdao", key.AccessKeyID, key.AccessKeySecret, key.SecurityToken)
			if err != nil {
				t.Fatal(err)
			}
			c, err := retry.Wrap(client, credentials.NewStsTokenCredential(key.AccessKeyID, key.AccessKeySecret, key.SecurityToken), func(tr *retry.Transport) {
				tr.Policy, tr.Trace = quick, out.trace()
				tr.Policy.MaxAttempts = 2
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Transport.CloseIdleConnections()
			err = c.DoAction(t.Context(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
			var e *retry.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			out.add(e.Info, c, *c)
			if name != "quoted" { // which the SDK's error underneath shows to whoever takes it out
				out.add(err)
			}
			fmt.Fprintf(&out, "%v%+v%#v%s%v%+v%#v%s", e, e, e, e, *e, *e, *e, *e)
			// At the former the SDK panics, and the latter stays in its own error.
			if name != "no strings" && name != "quoted" {
				if _, err = client.CreateScalingGroup(createRequest(srv)); err == nil {
					t.Fatal("no error")
				}
				out.add(retry.Redact(err))
			}
			checkPrinted(t, &out, key, srv.Attempts())
		})
	}
}
