package retrytest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// roa is a request of the ROA style, which the SDK's own signer signs.
type roa struct {
	method, action, path string
	query, header        map[string]string
	body, format         string
	credential           auth.Credential
	tamper               func(*http.Request) // after signing
}

// createROA returns a good request of the default account that creates a collector, a
// thing of elasticsearch, under a client token.
func createROA(token string) *roa {
	c := &roa{method: "POST", action: "CreateCollector", path: "/openapi/collectors", query: map[string]string{"name": special, "flag": ""},
		header: map[string]string{"Content-Type": "application/json"}, body: `{"name":"组"}`,
		credential: credentials.NewAccessKeyCredential("testid", "testsecret")}
	if token != "" {
		c.query["clientToken"] = token
	}
	return c
}

func (c *roa) send(t *testing.T, srv *retrytest.Server) answer {
	t.Helper()
	request := new(requests.RoaRequest)
	request.InitWithApiInfo("elasticsearch", "2017-06-13", c.action, c.path, "", "")
	request.Method, request.Scheme = c.method, "http"
	request.SetDomain(srv.Host)
	for k, v := range c.query {
		request.QueryParams[k] = v
	}
	for k, v := range c.header {
		request.Headers[k] = v
	}
	request.SetContent([]byte(c.body))
	if c.format != "" {
		request.AcceptFormat = c.format
	}
	provider, err := auth.ToCredentialsProvider(c.credential)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Sign(request, nil, "cn-hangzhou", provider); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(request.BuildUrl(), "http://"), "/")
	req, err := http.NewRequest(c.method, srv.URL+"/"+rest, request.GetBodyReader())
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range request.GetHeaders() {
		req.Header[k] = []string{v}
	}
	if c.tamper != nil {
		c.tamper(req)
	}
	resp, err := newClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

func TestROARefusals(t *testing.T) {
	header := func(name, value string) func(*roa) { return func(c *roa) { c.header[name] = value } }
	tamper := func(name, value string) func(*roa) {
		return func(c *roa) {
			c.tamper = func(r *http.Request) {
				for key := range r.Header {
					if strings.EqualFold(key, name) {
						delete(r.Header, key)
					}
				}
				if value != "" {
					r.Header.Set(name, value)
				}
			}
		}
	}
	target := func(change func(*http.Request)) func(*roa) { return func(c *roa) { c.tamper = change } }
	stamp := func(offset time.Duration) string { return time.Now().Add(offset).UTC().Format(http.TimeFormat) }
	sts := credentials.NewStsTokenCredential("testid", "testsecret", "st")
	tests := map[string]struct {
		change func(*roa)
		status int
		code   string // empty: accepted
	}{
		"good":                      {func(*roa) {}, 200, ""},
		"PUT":                       {func(c *roa) { c.method = "PUT" }, 200, ""},
		"DELETE":                    {func(c *roa) { c.method, c.body = "DELETE", "" }, 200, ""},
		"a path with an escape":     {func(c *roa) { c.path = "/a%2Fb/c%20d" }, 200, ""},
		"a nonce":                   {header("x-acs-signature-nonce", "n"), 200, ""},
		"a path of two slashes":     {func(c *roa) { c.path = "//a/b" }, 200, ""},
		"a value of wide spaces":    {header("x-acs-a", "\u3000组\u00a0"), 200, ""},
		"a header twice":            {target(func(r *http.Request) { r.Header["X-Acs-A"] = []string{"1", "1"} }), 400, "InvalidParameter"},
		"two dates":                 {target(func(r *http.Request) { r.Header["date"] = r.Header["Date"] }), 400, "InvalidParameter"},
		"no authorization":          {tamper("Authorization", ""), 400, "MissingParameter"},
		"no SignatureMethod":        {tamper("x-acs-signature-method", ""), 400, "SignatureDoesNotMatch"},
		"no SignatureVersion":       {tamper("x-acs-signature-version", ""), 400, "SignatureDoesNotMatch"},
		"a token in capitals":       {func(c *roa) { c.body = `{"CLIENTTOKEN":"` + strings.Repeat("x", 65) + `"}` }, 200, ""},
		"two tokens in JSON":        {func(c *roa) { c.body = `{"clientToken":"a","ClientToken":"b"}` }, 400, "InvalidParameter"},
		"a value with spaces":       {header("x-acs-a", "组  b"), 200, ""},
		"method unknown":            {func(c *roa) { c.method = "TRACE"; c.body = "" }, 405, "UnsupportedHTTPMethod"},
		"method changed":            {target(func(r *http.Request) { r.Method = "PUT" }), 400, "SignatureDoesNotMatch"},
		"path changed":              {target(func(r *http.Request) { r.URL.Path += "x" }), 400, "SignatureDoesNotMatch"},
		"query changed":             {target(func(r *http.Request) { r.URL.RawQuery += "&a" }), 400, "SignatureDoesNotMatch"},
		"name twice":                {target(func(r *http.Request) { r.URL.RawQuery += "&flag" }), 400, "InvalidParameter"},
		"body changed":              {tamper("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="), 400, "ContentMD5NotMatched"},
		"type changed":              {tamper("Content-Type", "text/plain"), 400, "SignatureDoesNotMatch"},
		"x-acs- header added":       {tamper("X-Acs-Extra", "1"), 400, "SignatureDoesNotMatch"},
		"other header added":        {tamper("X-Other", "1"), 200, ""},
		"no version":                {tamper("x-acs-version", ""), 400, "MissingParameter"},
		"no date":                   {tamper("Date", ""), 400, "MissingParameter"},
		"no key":                    {tamper("Authorization", "acs :signature"), 400, "MissingParameter"},
		"no signature":              {tamper("Authorization", "acs testid"), 400, "MissingParameter"},
		"key unknown":               {func(c *roa) { c.credential = credentials.NewAccessKeyCredential("other", "testsecret") }, 404, "InvalidAccessKeyId.NotFound"},
		"secret wrong":              {func(c *roa) { c.credential = credentials.NewAccessKeyCredential("testid", "x") }, 400, "SignatureDoesNotMatch"},
		"security token of nobody":  {func(c *roa) { c.credential = sts }, 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		"bearer token of nobody":    {func(c *roa) { c.credential = credentials.NewBearerTokenCredential("b") }, 400, "InvalidBearerToken"},
		"action is no name":         {func(c *roa) { c.action = "Create Group" }, 404, "InvalidAction.NotFound"},
		"SignatureMethod unknown":   {tamper("x-acs-signature-method", "HMAC-SHA256"), 400, "InvalidSignatureMethod"},
		"SignatureVersion unknown":  {tamper("x-acs-signature-version", "2.0"), 400, "InvalidSignatureMethod"},
		"date unreadable":           {tamper("Date", "today"), 400, "SignatureDoesNotMatch"},
		"date too old":              {tamper("Date", stamp(-time.Hour)), 400, "SignatureDoesNotMatch"},
		"client token of 65":        {func(c *roa) { c.query["clientToken"] = strings.Repeat("x", 65) }, 400, "InvalidClientToken.ValueNotSupported"},
		"two client tokens":         {func(c *roa) { c.query["clientToken"], c.query["ClientToken"] = "a", "b" }, 400, "InvalidParameter"},
		"one in query, one in JSON": {func(c *roa) { c.query["clientToken"], c.body = "a", `{"clientToken":"b"}` }, 400, "InvalidParameter"},
		"the same in both":          {func(c *roa) { c.query["clientToken"], c.body = "a", `{"clientToken":"a"}` }, 200, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			c := createROA("")
			tt.change(c)
			got := c.send(t, srv)
			a := last(t, srv)
			if got.status != tt.status || a.Problem != tt.code || a.Style != "ROA" {
				t.Fatalf("status %d, problem %q; want %d, %q: %s", got.status, a.Problem, tt.status, tt.code, got.body)
			}
			if made := len(srv.Effects()); made != 0 != (tt.code == "") {
				t.Errorf("%d effects", made)
			}
		})
	}
}

// The signature covers the date, so a stale one is made by the server's clock.
func TestROADateIsJudged(t *testing.T) {
	for offset, code := range map[time.Duration]string{-16 * time.Minute: "InvalidTimeStamp.Expired", 16 * time.Minute: "InvalidTimeStamp.Expired", 14 * time.Minute: ""} {
		srv := newServer(t)
		srv.SetClock(func() time.Time { return time.Now().Add(offset) })
		if createROA("").send(t, srv); last(t, srv).Problem != code {
			t.Errorf("%v off: %q, want %q", offset, last(t, srv).Problem, code)
		}
	}
}

func TestROAAttempt(t *testing.T) {
	bearer := retrytest.Account{BearerToken: "b"}
	sts := retrytest.Account{AccessKeyID: "STS.id", AccessKeySecret: "s", SecurityToken: "st"}
	srv := newServer(t, retrytest.DefaultAccount(), bearer, sts)
	for i, credential := range []auth.Credential{
		credentials.NewAccessKeyCredential("testid", "testsecret"), credentials.NewBearerTokenCredential("b"),
		credentials.NewStsTokenCredential("STS.id", "s", "st"),
	} {
		c := createROA(fmt.Sprint("token ", i))
		c.credential, c.header["x-acs-signature-nonce"] = credential, fmt.Sprint("nonce ", i)
		got := c.send(t, srv)
		a := last(t, srv)
		if got.status != 200 || a.Problem != "" || a.Action != "CreateCollector" || a.Version != "2017-06-13" || a.Path != "/openapi/collectors" ||
			a.ClientToken != fmt.Sprint("token ", i) || a.Nonce != fmt.Sprint("nonce ", i) || a.AccessKeyID != []string{"testid", "", "STS.id"}[i] ||
			time.Since(a.Timestamp).Abs() > time.Minute {
			t.Errorf("status %d, attempt %+v", got.status, a)
		}
		if e := srv.Effects()[i]; e.Params.Get("name") != special || e.Params.Has("clientToken") || !strings.Contains(got.body, e.ResourceID) {
			t.Errorf("effect %+v, reply %s", e, got.body)
		}
	}
	// Used up by the account's first attempt.
	c := createROA("")
	c.header["x-acs-signature-nonce"] = "nonce 0"
	if c.send(t, srv); last(t, srv).Problem != "SignatureNonceUsed" {
		t.Errorf("a nonce twice: %q", last(t, srv).Problem)
	}
}

// A token is kept to in every place that it may stand in, and belongs to one method, path
// and body.
func TestROATokens(t *testing.T) {
	place := map[string]func(*roa){
		"query":              func(c *roa) { c.query["clientToken"] = "t" },
		"query, ClientToken": func(c *roa) { c.query["ClientToken"] = "t" },
		"JSON":               func(c *roa) { c.body = `{"clientToken":"t"}` },
		"form":               func(c *roa) { c.body, c.header["Content-Type"] = "ClientToken=t", "application/x-www-form-urlencoded" },
	}
	for name, put := range place {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			send := func(change func(*roa)) string {
				c := createROA("")
				put(c)
				if change != nil {
					change(c)
				}
				c.send(t, srv)
				return last(t, srv).Problem
			}
			if first, again := send(nil), send(nil); first != "" || again != "" || len(srv.Effects()) != 1 || !last(t, srv).Replayed {
				t.Errorf("%q, %q, %d effects", first, again, len(srv.Effects()))
			}
			for _, change := range []func(*roa){
				func(c *roa) { c.method = "PUT" }, func(c *roa) { c.path += "/x" }, func(c *roa) { c.query["name"] = "other" },
				func(c *roa) { c.body += map[bool]string{true: "&a=b", false: " "}[name == "form"] },
			} {
				if problem := send(change); problem == "" || len(srv.Effects()) > 2 {
					t.Errorf("another call under the token: %q, %d effects", problem, len(srv.Effects()))
				}
			}
		})
	}
}

// A parameter keeps its place: the same name and value in the form is another call.
func TestROAQueryAndFormAreTwoPlaces(t *testing.T) {
	srv := newServer(t)
	send := func(query, form string) string {
		c := createROA("t")
		c.query["size"], c.body, c.header["Content-Type"] = query, form, "application/x-www-form-urlencoded"
		if query == "" {
			delete(c.query, "size")
		}
		c.send(t, srv)
		return last(t, srv).Problem
	}
	if problem := send("1", "size=9"); problem != "" {
		t.Fatal(problem)
	}
	if got := srv.Effects()[0].Params["size"]; len(got) != 2 || got[0] != "1" || got[1] != "9" {
		t.Errorf("size is %v", got)
	}
	for _, other := range [][2]string{{"2", "size=9"}, {"1", "size=8"}, {"", "size=1&more=9"}, {"9", "size=1"}} {
		if problem := send(other[0], other[1]); problem != "IdempotentParameterMismatch" {
			t.Errorf("%v: %q", other, problem)
		}
	}
	if problem := send("1", "size=9"); problem != "" || !last(t, srv).Replayed {
		t.Errorf("the same: %q", problem)
	}
}

// Who asks for XML gets it.
func TestROAReplyInXML(t *testing.T) {
	srv := newServer(t)
	c := createROA("")
	c.format = "XML"
	if got := c.send(t, srv); got.status != 200 || !strings.Contains(got.body, "<CreateCollectorResponse><RequestId>") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// An operation that a request does not name goes by its method.
func TestROAWithoutAction(t *testing.T) {
	srv := newServer(t)
	for i, method := range []string{"GET", "HEAD", "POST", "PATCH", "DELETE"} {
		c := createROA("")
		c.method, c.action = method, ""
		if got := c.send(t, srv); got.status != 200 || len(srv.Effects()) != max(i-1, 0) {
			t.Errorf("%s: status %d, %d effects", method, got.status, len(srv.Effects()))
		}
	}
}
