package retrytest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// TestMain keeps the SDK, which asks the environment, from looking for 127.0.0.1
// behind a proxy.
func TestMain(m *testing.M) {
	os.Setenv("NO_PROXY", "127.0.0.1")
	os.Exit(m.Run())
}

func newServer(t *testing.T, accounts ...retrytest.Account) *retrytest.Server {
	t.Helper()
	srv := retrytest.NewServer(accounts...)
	t.Cleanup(srv.Close)
	return srv
}

// newClient returns a client with connections of its own, none of which is left
// behind.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// rpc is a request before it is signed. A change of one of its fields before send
// makes it a request that some client might send; sign is a second opinion on the
// signature, put together as the official SDK does it and not as the server does.
type rpc struct {
	method      string
	query, form url.Values
	secret      string
	tamper      func(*http.Request) // after signing
	unsigned    bool
}

// call returns a good request of the default account for the action, with the
// business parameters given as pairs.
func call(action string, pairs ...string) *rpc {
	c := &rpc{method: http.MethodPost, secret: "testsecret", form: url.Values{}, query: url.Values{
		"Action": {action}, "Version": {"2014-08-28"}, "Format": {"JSON"}, "AccessKeyId": {"testid"},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"}, "SignatureNonce": {uuid.NewString()},
		"Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
	}}
	for i := 0; i < len(pairs); i += 2 {
		c.query.Set(pairs[i], pairs[i+1])
	}
	return c
}

// create is the call that most tests make.
func create(token string, pairs ...string) *rpc {
	c := call("CreateScalingGroup", append([]string{"MinSize", "1", "MaxSize", "2"}, pairs...)...)
	if token != "" {
		c.query.Set("ClientToken", token)
	}
	return c
}

func (c *rpc) sign() {
	all := url.Values{}
	for k, v := range c.query {
		all[k] = v
	}
	for k, v := range c.form {
		all[k] = v
	}
	canonical := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(all.Encode())
	mac := hmac.New(sha1.New, []byte(c.secret+"&"))
	mac.Write([]byte(c.method + "&%2F&" + url.QueryEscape(canonical)))
	c.query.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func (c *rpc) request(t *testing.T, ctx context.Context, base string) *http.Request {
	t.Helper()
	if !c.unsigned {
		c.sign()
	}
	var body io.Reader
	if len(c.form) > 0 {
		body = strings.NewReader(c.form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, c.method, base+"/?"+c.query.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.tamper != nil {
		c.tamper(r)
	}
	return r
}

// answer is a whole reply.
type answer struct {
	status int
	header http.Header
	body   string
	fields map[string]string // of a JSON body
}

// send sends the request over a connection of its own and reads the whole reply.
func (c *rpc) send(t *testing.T, srv *retrytest.Server) answer {
	t.Helper()
	r := c.request(t, t.Context(), srv.URL)
	r.Close = true
	got, err := roundTrip(newClient(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func roundTrip(client *http.Client, r *http.Request) (answer, error) {
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	got := answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
	json.Unmarshal(body, &got.fields) // not every body is one
	return got, err
}

// last returns the latest attempt.
func last(t *testing.T, srv *retrytest.Server) retrytest.Attempt {
	t.Helper()
	all := srv.Attempts()
	if len(all) == 0 {
		t.Fatal("no attempt reached the server")
	}
	return all[len(all)-1]
}

// eventually waits until done, looking again and again; for what the server does in
// its own time after a client has gone.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after 10 s still not: %s", what)
		}
	}
}
