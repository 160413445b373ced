package darabonba

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/signer"
)

// recorder is an HttpClient that sends nothing.
type recorder struct {
	req  *http.Request
	body []byte
}

func (c *recorder) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	c.req = req
	if req.Body != nil {
		c.body, _ = io.ReadAll(req.Body)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// call is a call of the SDK's client.
type call struct{ algorithm, style, bodyType, kind string }

// kinds are the credentials that a client can have.
var kinds = map[string]signer.Credentials{
	"pair":      {AccessKeyID: "testid", AccessKeySecret: "testsecret"},
	"STS":       {AccessKeyID: "STS.id", AccessKeySecret: "other", SecurityToken: "CAIS+/tok en=="},
	"bearer":    {BearerToken: "eyJ.bear+er/~="},
	"anonymous": {Anonymous: true},
}

// key returns the credentials, whose secret must fit the algorithm.
func (c call) key() signer.Credentials {
	key := kinds[c.kind]
	if c.algorithm == rsaSHA256 && key.AccessKeySecret != "" {
		key.AccessKeySecret = rsaKey()
	}
	return key
}

// send returns the request that the client sends with a further header, and its body.
func (c call) send(t *testing.T, name, value string) (*http.Request, []byte) {
	t.Helper()
	key, sent := c.key(), new(recorder)
	config := &openapi.Config{Endpoint: dara.String("cs.aliyuncs.com"), SignatureAlgorithm: dara.String(c.algorithm), HttpClient: sent}
	if key.AccessKeyID != "" {
		config.AccessKeyId, config.AccessKeySecret, config.SecurityToken = dara.String(key.AccessKeyID), dara.String(key.AccessKeySecret), dara.String(key.SecurityToken)
	}
	if key.BearerToken != "" {
		config.BearerToken = dara.String(key.BearerToken)
	}
	cl, err := client.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	params := &openapi.Params{Action: dara.String("ModifyCluster"), Version: dara.String("2015-12-15"), Protocol: dara.String("HTTP"), Method: dara.String("PUT"),
		Pathname: dara.String("/clusters/c%2F1"), AuthType: dara.String("AK"), Style: dara.String(c.style), ReqBodyType: dara.String(c.bodyType), BodyType: dara.String("json")}
	if c.style == "RPC" {
		params.Method, params.Pathname = dara.String("POST"), dara.String("/")
	}
	if key.Anonymous {
		params.AuthType = dara.String("Anonymous")
	}
	request := &openapi.OpenApiRequest{
		Query: map[string]*string{"a": dara.String("a b*~+%2B/中文"), "Tag.10.Key": dara.String("x"), "Tag.2.Key": dara.String(""), "a/b": dara.String("1"), "a-b": dara.String("2")},
		// The stamp, which the client would take from the clock.
		Headers: map[string]*string{"x-acs-date": dara.String(date.Format("2006-01-02T15:04:05Z")), "x-acs-signature-nonce": dara.String("n")},
	}
	if value != "" {
		request.Headers[name] = dara.String(value)
	}
	switch c.bodyType {
	case "json", "formData":
		request.Body = map[string]any{"Name": "中 文", "Size": 2}
	case "byte":
		request.Body = "\x00\xff"
	case "binary":
		request.Stream = strings.NewReader("\xff\x00")
	}
	if _, err := cl.DoRequest(params, request, new(dara.RuntimeOptions)); err != nil || sent.req == nil {
		t.Fatalf("%+v: %v, %+v", c, err, sent.req)
	}
	return sent.req, sent.body
}

// What a client with one kind of key sends, signed anew with a key of any kind, is what a
// client with that one sends itself.
func TestSignIsWhatTheClientSends(t *testing.T) {
	compared := 0
	for _, algorithm := range []string{hmacSHA256, hmacSM3, rsaSHA256} {
		for _, style := range []string{"RPC", "ROA"} {
			for _, bodyType := range []string{"", "json", "formData", "byte", "binary"} {
				for from := range kinds {
					for to := range kinds {
						if algorithm == rsaSHA256 && kinds[from].AccessKeyID == "" && kinds[to].AccessKeyID != "" {
							continue // nothing tells that the signature is to be of this kind
						}
						if style == "RPC" && (from == "bearer") != (to == "bearer") {
							continue // the client tells the type of a bearer token in the query, which stays as it is
						}
						resign(t, call{algorithm, style, bodyType, from}, call{algorithm, style, bodyType, to})
						compared++
						if t.Failed() {
							t.FailNow()
						}
					}
				}
			}
		}
	}
	if compared != 3*5*(16+10)-5*(4+2) {
		t.Errorf("%d pairs compared", compared)
	}
}

func resign(t *testing.T, from, to call) {
	t.Helper()
	keyID := ""
	if from.kind == "STS" && to.kind == "pair" {
		keyID = to.key().AccessKeyID // a request that has this header keeps it
	}
	req, body := from.send(t, "", "")
	want, wantBody := to.send(t, "x-acs-accesskey-id", keyID)
	// The client tells which of its parts supplied the key. That is no matter of signing.
	delete(req.Header, "x-acs-credentials-provider")
	if provider := fold(want.Header)["x-acs-credentials-provider"]; provider != "" {
		req.Header["x-acs-credentials-provider"] = []string{provider}
	}
	if err := signer.Sign(req, body, to.key(), signer.Stamp{Nonce: "n", Time: date}); err != nil {
		t.Fatalf("%+v, signed by %s: %v", from, to.kind, err)
	}
	got, wanted := fold(req.Header), fold(want.Header)
	if !reflect.DeepEqual(got, wanted) || req.URL.String() != want.URL.String() || req.Host != want.Host {
		t.Errorf("%+v, signed by %s:\n%s %v\nwant:\n%s %v", from, to.kind, req.URL, got, want.URL, wanted)
	}
	if sent, _ := io.ReadAll(req.Body); string(sent) != string(wantBody) {
		t.Errorf("%+v, signed by %s: the body is %q, want %q", from, to.kind, sent, wantBody)
	}
}
