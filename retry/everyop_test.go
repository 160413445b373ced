package retry_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/internal/openapi/catalogue/fulllist"
	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// listed is an operation of the list that the catalogue was compiled from.
type listed struct{ fulllist.Operation }

// find returns the line of an operation: product and action name it well enough.
func find(t testing.TB, product, action string) listed {
	t.Helper()
	for _, o := range fulllist.All() {
		if o.Product == product && o.Action == action {
			return listed{o}
		}
	}
	t.Fatalf("the list has no %s of %s", action, product)
	return listed{}
}

var pathParameter = regexp.MustCompile(`\[\w+\]`)

// request returns a request to the operation as the SDK builds and signs it.
func (o listed) request(t testing.TB) *http.Request {
	t.Helper()
	host := strings.ToLower(o.Product) + ".aliyuncs.com"
	var request requests.AcsRequest
	if o.Style == "RPC" {
		rpc := new(requests.RpcRequest)
		rpc.InitWithApiInfo(o.Product, o.Version, o.Action, "", "")
		rpc.Method, rpc.QueryParams["RegionId"], rpc.QueryParams["Name"] = o.Method, "cn-qingdao", "组 *~"
		if o.Method == "POST" && len(o.Action)%2 == 0 { // a form with something in it, or an empty one
			rpc.FormParams["Description"] = "a b"
		}
		request = rpc
	} else {
		roa := new(requests.RoaRequest)
		roa.InitWithApiInfo(o.Product, o.Version, o.Action, pathParameter.ReplaceAllString(o.Path, "x-%2F1"), "", "")
		roa.Method, roa.QueryParams["name"], roa.QueryParams["flag"] = o.Method, "组 *~", ""
		if o.Method == "POST" || o.Method == "PUT" {
			roa.SetContent([]byte(`{"name":"组"}`))
			roa.Headers["Content-Type"] = "application/json"
		}
		request = roa
	}
	provider, err := auth.ToCredentialsProvider(sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(request.BuildUrl(), "://"), "/")
	req, err := http.NewRequest(o.Method, "http://"+host+"/"+rest, request.GetBodyReader())
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range request.GetHeaders() {
		req.Header[key] = []string{value}
	}
	return req
}

// acs3Request returns an unsigned request to the operation, as a program without an SDK
// would make it in the ACS3 style.
func (o listed) acs3Request() *http.Request {
	path, body := "/", ""
	if o.Style == "ROA" {
		path = pathParameter.ReplaceAllString(o.Path, "x-%2F1")
	}
	if o.Method != "GET" && o.Token != "form ClientToken" {
		body = `{"name":"组"}`
	}
	req, err := http.NewRequest(o.Method, "http://"+strings.ToLower(o.Product)+".aliyuncs.com"+path+"?RegionId=cn-qingdao&Tag.1.Key=a%20b&Tag%5B0%5D=%E4%B8%AD", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header = http.Header{"x-acs-action": {o.Action}, "x-acs-version": {o.Version}, "accept": {"application/json"}}
	if body != "" {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return req
}

// checkToken returns what is wrong with the token parameters of an attempt: the one that
// the list says must be there, once, and no other.
func (o listed) checkToken(a retrytest.Attempt, token string) string {
	count := func(v url.Values, name string) int { return len(v[name]) }
	got := fmt.Sprintf("query %d %d, form %d %d", count(a.Query, "ClientToken"), count(a.Query, "clientToken"), count(a.Form, "ClientToken"), count(a.Form, "clientToken"))
	want := map[string]string{"-": "query 0 0, form 0 0", "query ClientToken": "query 1 0, form 0 0",
		"query clientToken": "query 0 1, form 0 0", "form ClientToken": "query 0 0, form 1 0"}[o.Token]
	if o.Method == "GET" && o.Token == "form ClientToken" {
		want = "query 1 0, form 0 0"
	}
	switch {
	case got != want:
		return fmt.Sprintf("tokens sent: %s, want %s", got, want)
	case a.ClientToken != token || (token == "") != (o.Token == "-"):
		return fmt.Sprintf("token %q sent, %q told, of an operation that takes: %s", a.ClientToken, token, o.Token)
	}
	return ""
}

// lossy hands each attempt to an endpoint, in process, and loses the first reply: the
// effect is there, and no hook of net/http has fired that could prove anything.
type lossy struct {
	server   *retrytest.Server
	attempts int
}

func (l *lossy) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(req.Method, req.URL.String(), req.Body)
	r.ContentLength = req.ContentLength
	for key, values := range req.Header {
		r.Header[http.CanonicalHeaderKey(key)] = values // as it is read off the wire
	}
	l.server.ServeHTTP(w, r)
	if l.attempts++; l.attempts == 1 {
		return nil, syscall.ECONNRESET
	}
	return w.Result(), nil
}

// Every operation of the list, built and signed by the SDK or unsigned in the ACS3 style,
// goes through a Transport: the endpoint finds every signature right and the token where it
// belongs, once; and after a lost reply the call is repeated exactly where that is safe.
func TestEveryOperation(t *testing.T) {
	const shards = 8
	for shard := range 2 * shards {
		bySDK, shard := shard < shards, shard%shards
		t.Run(fmt.Sprintf("SDK %v, %d of %d", bySDK, shard+1, shards), func(t *testing.T) {
			t.Parallel()
			srv := retrytest.NewServer()
			defer srv.Close()
			var seen []retrytest.Attempt
			srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
				seen = append(seen, a)
				return retrytest.OK()
			})
			brief := retry.Delay{Base: time.Nanosecond, Max: time.Nanosecond}
			for i := shard; i < len(fulllist.All()); i += shards {
				o := listed{fulllist.All()[i]}
				seen = seen[:0]
				tr := &retry.Transport{Base: &lossy{server: srv}, Credentials: static, Policy: retry.Policy{Transient: brief}}
				req := o.acs3Request()
				if bySDK {
					req = o.request(t)
				}
				resp, err := tr.RoundTrip(req)
				var info retry.Info
				if err == nil {
					info, _ = retry.InfoOfResponse(resp)
				} else {
					info, _ = retry.InfoOf(err)
				}
				repeated := o.Token != "-" || o.Safety != "write"
				switch {
				case len(seen) != len(info.Attempts) || len(seen) == 0:
					t.Fatalf("%v: %d attempts arrived, %d are told: %v", o, len(seen), len(info.Attempts), err)
				case repeated && (err != nil || resp.StatusCode != 200 || len(seen) != 2 || info.Outcome != retry.Done):
					t.Errorf("%v: a lost reply ends with %v, %+v", o, err, info)
				case !repeated && (len(seen) != 1 || info.Outcome != retry.Unknown || !errors.Is(err, syscall.ECONNRESET)):
					t.Errorf("%v: a lost reply ends with %v, %+v", o, err, info)
				case info.Operation.Product != o.Product || info.Operation.Action != o.Action || info.Operation.Repeated() != repeated:
					t.Errorf("%v: it is told as %+v", o, info.Operation)
				}
				for _, a := range seen {
					if style := map[bool]string{true: o.Style, false: "ACS3"}[bySDK]; a.Style != style {
						t.Errorf("%v: sent in style %s", o, a.Style)
					}
					if a.Problem != "" || a.Nonce == "" || a.Action != o.Action {
						t.Errorf("%v: refused with %q, nonce %q, action %q", o, a.Problem, a.Nonce, a.Action)
					}
					if wrong := o.checkToken(a, info.ClientToken); wrong != "" {
						t.Errorf("%v: %s", o, wrong)
					}
				}
				if resp != nil {
					io.Copy(io.Discard, resp.Body)
				}
			}
		})
	}
}
