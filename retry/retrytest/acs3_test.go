package retrytest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// published is the example with fixed values of Alibaba's documentation of the signature,
// version 3: a whole request with its signature.
func published() *http.Request {
	req, _ := http.NewRequest("POST", "http://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
	req.Header = http.Header{
		"x-acs-action": {"RunInstances"}, "x-acs-version": {"2014-05-26"}, "x-acs-date": {"2023-10-26T10:22:32Z"},
		"x-acs-signature-nonce": {"3156853299f313e23d1673dc12e1703d"},
		"x-acs-content-sha256":  {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		"Authorization": {"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
			"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"},
	}
	return req
}

// servePublished sends a request to a server of the time and the key of the example.
func servePublished(t *testing.T, req *http.Request) (int, retrytest.Attempt, *retrytest.Server) {
	t.Helper()
	srv := newServer(t, retrytest.Account{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"}, retrytest.Account{BearerToken: "b"})
	srv.SetClock(func() time.Time { return time.Date(2023, 10, 26, 10, 25, 0, 0, time.UTC) })
	host := req.URL.Host
	req.URL.Host, req.Host = srv.Host, host
	resp, err := newClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode, last(t, srv), srv
}

func TestACS3PublishedExample(t *testing.T) {
	status, a, srv := servePublished(t, published())
	if status != 200 || a.Problem != "" || a.Style != "ACS3" || a.Action != "RunInstances" || a.Version != "2014-05-26" || a.AccessKeyID != "YourAccessKeyId" ||
		a.Nonce != "3156853299f313e23d1673dc12e1703d" || !a.Timestamp.Equal(time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)) ||
		a.Signature != "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0" {
		t.Errorf("status %d, %+v", status, a)
	}
	if e := srv.Effects(); len(e) != 1 || e[0].Params.Get("RegionId") != "cn-shanghai" {
		t.Errorf("effects %+v", e)
	}
}

func TestACS3Refusals(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			delete(r.Header, name)
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
	}
	authorization := published().Header.Get("Authorization")
	replace := func(old, by string) func(*http.Request) {
		return set("Authorization", strings.Replace(authorization, old, by, 1))
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header["x-acs-bearer-token"] = []string{token}
			delete(r.Header, "Authorization")
		}
	}
	tests := map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"good":                     {func(*http.Request) {}, 200, ""},
		"another header":           {set("X-Other", "1"), 200, ""},
		"a header not signed":      {set("x-acs-extra", "1"), 400, "IncompleteSignature"},
		"a type not signed":        {set("Content-Type", "text/plain"), 400, "IncompleteSignature"},
		"a header less is signed":  {replace("host;", ""), 400, "IncompleteSignature"},
		"the query changed":        {func(r *http.Request) { r.URL.RawQuery += "&a=" }, 400, "SignatureDoesNotMatch"},
		"the method changed":       {func(r *http.Request) { r.Method = "PUT" }, 400, "SignatureDoesNotMatch"},
		"the path changed":         {func(r *http.Request) { r.URL.Path = "/x" }, 400, "SignatureDoesNotMatch"},
		"the host changed":         {func(r *http.Request) { r.URL.Host = "ecs.aliyuncs.com" }, 400, "SignatureDoesNotMatch"},
		"the action changed":       {set("x-acs-action", "CreateInstance"), 400, "SignatureDoesNotMatch"},
		"the body changed":         {func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1 }, 400, "ContentSha256NotMatched"},
		"no hash":                  {set("x-acs-content-sha256", ""), 400, "MissingParameter"},
		"no action":                {set("x-acs-action", ""), 400, "MissingParameter"},
		"no version":               {set("x-acs-version", ""), 400, "MissingParameter"},
		"no date":                  {set("x-acs-date", ""), 400, "MissingParameter"},
		"no nonce":                 {set("x-acs-signature-nonce", ""), 400, "MissingParameter"},
		"no authorization":         {set("Authorization", ""), 400, "MissingParameter"},
		"no signature":             {replace(",Signature=", ",X="), 400, "MissingParameter"},
		"no key":                   {replace("Credential=", "X="), 400, "MissingParameter"},
		"key unknown":              {replace("Credential=Y", "Credential=y"), 404, "InvalidAccessKeyId.NotFound"},
		"algorithm unknown":        {replace("HMAC-SHA256", "HMAC-MD5"), 400, "InvalidSignatureMethod"},
		"algorithm in lower case":  {replace("HMAC-SHA256", "hmac-sha256"), 400, "InvalidSignatureMethod"},
		"action is no name":        {set("x-acs-action", "Run Instances"), 404, "InvalidAction.NotFound"},
		"a header twice":           {func(r *http.Request) { r.Header["x-acs-action"] = []string{"RunInstances", "RunInstances"} }, 400, "InvalidParameter"},
		"a date of another format": {set("x-acs-date", "2023-10-26T10:22:32+00:00"), 400, "SignatureDoesNotMatch"},
		"bearer token":             {bearer("b"), 200, ""},
		"bearer token of nobody":   {bearer("c"), 400, "InvalidBearerToken"},
		"security token of nobody": {set("x-acs-security-token", "st"), 400, "IncompleteSignature"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := published()
			tt.change(req)
			if status, a, _ := servePublished(t, req); status != tt.status || a.Problem != tt.code || a.Style != "ACS3" {
				t.Errorf("status %d, style %s, %q; want %d, %q", status, a.Style, a.Problem, tt.status, tt.code)
			}
		})
	}
}

// A bearer token authenticates without a signature, which makes the token's places and the
// path easy to try.
func TestACS3Tokens(t *testing.T) {
	send := func(srv *retrytest.Server, target, contentType, body string) retrytest.Attempt {
		req, _ := http.NewRequest("POST", srv.URL+target, bytes.NewReader([]byte(body)))
		sum := sha256.Sum256([]byte(body))
		req.Header = http.Header{"x-acs-action": {"CreateCluster"}, "x-acs-version": {"2015-12-15"}, "x-acs-date": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
			"x-acs-signature-nonce": {time.Now().String()}, "x-acs-content-sha256": {hex.EncodeToString(sum[:])}, "x-acs-bearer-token": {"b"}, "Content-Type": {contentType}}
		resp, err := newClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return last(t, srv)
	}
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for name, call := range map[string][3]string{
		"query":             {"/?ClientToken=t&a=b", json, "{}"},
		"query, lower case": {"/clusters?clientToken=t", json, "{}"},
		"form":              {"/", form, "ClientToken=t&a=b"},
		"JSON":              {"/clusters", json, `{"ClientToken":"t"}`},
	} {
		srv := newServer(t, retrytest.Account{BearerToken: "b"})
		first, again := send(srv, call[0], call[1], call[2]), send(srv, call[0], call[1], call[2])
		if first.Problem != "" || !first.Effect || again.Problem != "" || !again.Replayed || again.ClientToken != "t" || len(srv.Effects()) != 1 {
			t.Errorf("%s: %+v, %+v", name, first, again)
		}
		path, query, _ := strings.Cut(call[0], "?")
		if other := send(srv, path+"x?"+query, call[1], call[2]); other.Problem != "IdempotentParameterMismatch" {
			t.Errorf("%s: at another path %q", name, other.Problem)
		}
	}
}
