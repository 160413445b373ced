package retrytest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// The example of Alibaba's signature documentation.
func TestPublishedVector(t *testing.T) {
	at := time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC)
	srv := newServer(t)
	srv.SetClock(func() time.Time { return at })
	c := &rpc{method: http.MethodGet, unsigned: true, query: url.Values{
		"AccessKeyId": {"testid"}, "Action": {"DescribeRegions"}, "Format": {"XML"},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"},
		"SignatureVersion": {"1.0"}, "Timestamp": {"2016-02-23T12:46:24Z"}, "Version": {"2014-05-26"},
		"Signature": {"OLeaidS1JvxuMvnyHOwuJ+uX5qY="},
	}}
	got := c.send(t, srv)
	a := last(t, srv)
	if got.status != 200 || a.Problem != "" || !strings.Contains(got.body, "<DescribeRegionsResponse><RequestId>") {
		t.Fatalf("status %d, problem %q: %s", got.status, a.Problem, got.body)
	}
	if date := got.header.Get("Date"); date != "Tue, 23 Feb 2016 12:46:24 GMT" {
		t.Errorf("Date %s; want the server's clock", date)
	}
	if !a.Timestamp.Equal(at) || a.AccessKeyID != "testid" || a.Nonce != "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf" || a.Signature != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Errorf("attempt %+v", a)
	}
	if a.Effect || len(srv.Effects()) != 0 {
		t.Error("DescribeRegions made an effect")
	}
}

func TestRefusals(t *testing.T) {
	stamp := func(offset time.Duration) string {
		return time.Now().Add(offset).UTC().Format("2006-01-02T15:04:05Z")
	}
	set := func(name, value string) func(*rpc) { return func(c *rpc) { c.query.Set(name, value) } }
	del := func(name string) func(*rpc) { return func(c *rpc) { c.query.Del(name) } }
	tamper := func(f func(*http.Request)) func(*rpc) { return func(c *rpc) { c.tamper = f } }
	tests := map[string]struct {
		change func(*rpc)
		status int
		code   string // empty: accepted
	}{
		"good":                       {func(*rpc) {}, 200, ""},
		"method":                     {func(c *rpc) { c.method = "PATCH" }, 405, "UnsupportedHTTPMethod"},
		"path":                       {tamper(func(r *http.Request) { r.URL.Path = "/groups" }), 404, "InvalidAction.NotFound"},
		"action is no name":          {set("Action", "Create Group"), 404, "InvalidAction.NotFound"},
		"query cannot be read":       {tamper(func(r *http.Request) { r.URL.RawQuery += "&a=%zz" }), 400, "InvalidParameter"},
		"name twice in the query":    {func(c *rpc) { c.query.Add("MinSize", "1") }, 400, "InvalidParameter"},
		"name twice in the form":     {func(c *rpc) { c.form["A"] = []string{"1", "1"} }, 400, "InvalidParameter"},
		"two client tokens":          {func(c *rpc) { c.query.Set("ClientToken", "a"); c.form.Set("ClientToken", "b") }, 400, "InvalidParameter"},
		"one client token twice":     {func(c *rpc) { c.query.Set("ClientToken", "a"); c.form.Set("ClientToken", "a") }, 200, ""},
		"no Action":                  {del("Action"), 400, "MissingParameter"},
		"no Version":                 {del("Version"), 400, "MissingParameter"},
		"no AccessKeyId":             {del("AccessKeyId"), 400, "MissingParameter"},
		"no Timestamp":               {del("Timestamp"), 400, "MissingParameter"},
		"no SignatureMethod":         {del("SignatureMethod"), 400, "MissingParameter"},
		"no SignatureVersion":        {del("SignatureVersion"), 400, "MissingParameter"},
		"no Signature":               {func(c *rpc) { c.unsigned = true }, 400, "MissingParameter"},
		"Format unknown":             {set("Format", "YAML"), 400, "InvalidParameter.Format"},
		"Format in lower case":       {set("Format", "json"), 200, ""},
		"SignatureMethod unknown":    {set("SignatureMethod", "HMAC-SHA256"), 400, "InvalidSignatureMethod"},
		"SignatureVersion unknown":   {set("SignatureVersion", "2.0"), 400, "InvalidSignatureMethod"},
		"key unknown":                {set("AccessKeyId", "TESTID"), 404, "InvalidAccessKeyId.NotFound"},
		"secret wrong":               {func(c *rpc) { c.secret = "testsecret " }, 400, "SignatureDoesNotMatch"},
		"parameter added":            {tamper(func(r *http.Request) { r.URL.RawQuery += "&Extra=" }), 400, "SignatureDoesNotMatch"},
		"method changed":             {tamper(func(r *http.Request) { r.Method = "GET" }), 400, "SignatureDoesNotMatch"},
		"timestamp with fraction":    {set("Timestamp", strings.Replace(stamp(0), "Z", ".123Z", 1)), 400, "InvalidTimeStamp.Format"},
		"timestamp with zone":        {set("Timestamp", strings.Replace(stamp(0), "Z", "+08:00", 1)), 400, "InvalidTimeStamp.Format"},
		"timestamp too old":          {set("Timestamp", stamp(-16*time.Minute)), 400, "InvalidTimeStamp.Expired"},
		"timestamp of the future":    {set("Timestamp", stamp(16*time.Minute)), 400, "InvalidTimeStamp.Expired"},
		"timestamp rather old":       {set("Timestamp", stamp(-14*time.Minute)), 200, ""},
		"TimeStamp":                  {func(c *rpc) { c.query.Del("Timestamp"); c.query.Set("TimeStamp", stamp(0)) }, 200, ""},
		"no nonce":                   {del("SignatureNonce"), 400, "MissingSignatureNonce"},
		"empty nonce":                {set("SignatureNonce", ""), 400, "MissingSignatureNonce"},
		"security token of nobody":   {set("SecurityToken", "x"), 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		"client token of 64":         {set("ClientToken", strings.Repeat("x", 64)), 200, ""},
		"client token of 65":         {set("ClientToken", strings.Repeat("x", 65)), 400, "InvalidClientToken.ValueNotSupported"},
		"client token printable":     {set("ClientToken", " ~"), 200, ""},
		"client token not ASCII":     {set("ClientToken", "tök"), 400, "InvalidClientToken.ValueNotSupported"},
		"client token not printable": {set("ClientToken", "a\x7f"), 400, "InvalidClientToken.ValueNotSupported"},
		"all in the form":            {func(c *rpc) { c.form, c.query = c.query, url.Values{} }, 200, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			c := create("")
			tt.change(c)
			got := c.send(t, srv)
			a := last(t, srv)
			if got.status != tt.status || a.Status != tt.status || a.Problem != tt.code {
				t.Fatalf("status %d, recorded %d, problem %q; want %d, %q: %s", got.status, a.Status, a.Problem, tt.status, tt.code, got.body)
			}
			if tt.code != "" && !strings.Contains(got.body, tt.code) {
				t.Errorf("the reply does not name the code: %s", got.body)
			}
			if made := len(srv.Effects()); made != 0 != (tt.code == "") {
				t.Errorf("%d effects", made)
			}
			for _, h := range []string{"Date", "Content-Type", "x-acs-request-id"} {
				if got.header.Get(h) == "" {
					t.Errorf("the reply has no %s", h)
				}
			}
		})
	}
}

// Any byte that changes on the way must be noticed, wherever it stands.
func TestChangedByteIsRefused(t *testing.T) {
	srv := newServer(t)
	good := create("token", "ScalingGroupName", special)
	good.form.Set("Policy", special)
	good.sign()
	flip := func(values url.Values, name string, i int) url.Values {
		changed := url.Values{}
		for k, v := range values {
			changed[k] = v
		}
		b := []byte(changed.Get(name))
		b[i] ^= 1
		changed.Set(name, string(b))
		return changed
	}
	sent := 0
	for name := range good.query {
		for _, i := range []int{0, len(good.query.Get(name)) / 2, len(good.query.Get(name)) - 1} {
			c := &rpc{method: "POST", unsigned: true, query: flip(good.query, name, i), form: good.form}
			if got := c.send(t, srv); got.status < 400 {
				t.Errorf("byte %d of %s changed: status %d", i, name, got.status)
			}
			sent++
		}
	}
	for i := range len(good.form.Get("Policy")) {
		c := &rpc{method: "POST", unsigned: true, query: good.query, form: flip(good.form, "Policy", i)}
		if got := c.send(t, srv); got.fields["Code"] != "SignatureDoesNotMatch" {
			t.Errorf("byte %d of the form changed: %s", i, got.body)
		}
		sent++
	}
	if made := len(srv.Effects()); made != 0 || len(srv.Attempts()) != sent {
		t.Errorf("%d effects, %d of %d attempts recorded", made, len(srv.Attempts()), sent)
	}
	good.unsigned = true
	if got := good.send(t, srv); got.status != 200 {
		t.Errorf("unchanged: %s", got.body)
	}
}

func TestNonces(t *testing.T) {
	srv := newServer(t, retrytest.DefaultAccount(), retrytest.Account{AccessKeyID: "other", AccessKeySecret: "testsecret"})
	send := func(key, secret string) string {
		c := create("", "SignatureNonce", "n", "AccessKeyId", key)
		c.secret = secret
		return c.send(t, srv).fields["Code"]
	}
	srv.Script(retrytest.OK(), retrytest.Reply(500, "InternalError", ""))
	steps := []struct{ key, secret, want string }{
		{"testid", "wrong", "SignatureDoesNotMatch"},   // not accepted: the nonce is still good
		{"testid", "testsecret", "InternalError"},      // accepted: it is burnt, whatever follows
		{"testid", "testsecret", "SignatureNonceUsed"}, // the same again
		{"other", "testsecret", ""},                    // another key has its own nonces
		{"other", "testsecret", "SignatureNonceUsed"},
	}
	for i, step := range steps {
		if got := send(step.key, step.secret); got != step.want {
			t.Errorf("step %d: code %q; want %q", i, got, step.want)
		}
	}
	if n := len(srv.Effects()); n != 1 {
		t.Errorf("%d effects; want 1", n)
	}
}

// net/http sends a GET again, signature and all, when a reused connection ends
// without a reply. The server must notice.
func TestSilentReplayOfNetHTTP(t *testing.T) {
	srv, client := newServer(t), newClient(t)
	srv.Script(retrytest.OK(), retrytest.Close().AfterEffect())
	for i, want := range []string{"", "SignatureNonceUsed"} {
		c := create("")
		c.method = "GET"
		got, err := roundTrip(client, c.request(t, t.Context(), srv.URL))
		if err != nil || got.fields["Code"] != want {
			t.Fatalf("request %d: error %v, code %q; want %q", i, err, got.fields["Code"], want)
		}
	}
	if n := len(srv.Attempts()); n != 3 {
		t.Errorf("%d attempts; want 3 for two requests", n)
	}
}

func TestBodies(t *testing.T) {
	tests := map[string]struct {
		contentType string
		body        io.Reader
		problem     string
		form        int
	}{
		"no form":      {"application/json", strings.NewReader(`{"a":1}`), "", 0},
		"charset":      {"application/x-www-form-urlencoded; charset=utf-8", strings.NewReader(""), "", 0},
		"unreadable":   {"application/x-www-form-urlencoded", strings.NewReader("a=%zz"), "InvalidParameter", 0},
		"not signed":   {"application/x-www-form-urlencoded", strings.NewReader("a=1"), "SignatureDoesNotMatch", 1},
		"over 32 MiB":  {"application/json", io.LimitReader(zeros{}, 32<<20+1), "RequestEntityTooLarge", 0},
		"under 32 MiB": {"application/json", io.LimitReader(zeros{}, 32<<20), "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			c := create("")
			c.tamper = func(r *http.Request) {
				r.Body = io.NopCloser(tt.body)
				r.ContentLength = -1
				r.Header.Set("Content-Type", tt.contentType)
			}
			c.send(t, srv)
			if a := last(t, srv); a.Problem != tt.problem || len(a.Form) != tt.form {
				t.Errorf("problem %q, form %v; want %q, %d", a.Problem, a.Form, tt.problem, tt.form)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
