package signer_test

import (
	"encoding/hex"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

// rpcCase is an RPC request as a program describes it to the SDK.
type rpcCase struct {
	method      string
	query, form map[string]string // decoded
	identity    identity
}

// official returns the request that the SDK's own signer makes of it.
func (c *rpcCase) official(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	request := new(requests.RpcRequest)
	request.InitWithApiInfo("Ess", "2014-08-28", "CreateScalingGroup", "ess", "openAPI")
	request.Method, request.Scheme, request.Domain = c.method, "http", "ess.aliyuncs.com"
	maps.Copy(request.QueryParams, c.query)
	maps.Copy(request.FormParams, c.form)
	provider, err := auth.ToCredentialsProvider(c.identity.official)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(request.GetBodyReader())
	req, err := http.NewRequest(c.method, request.BuildUrl(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range request.GetHeaders() {
		req.Header[k] = []string{v}
	}
	return req, body
}

// stampOf reads the stamp that a request was signed with.
func stampOf(t testing.TB, q url.Values) signer.Stamp {
	t.Helper()
	at, err := time.Parse(time.RFC3339, q.Get("Timestamp"))
	if err != nil {
		t.Fatal(err)
	}
	return signer.Stamp{Nonce: q.Get("SignatureNonce"), Time: at}
}

// rpcWays are those in which one request comes to be signed.
var rpcWays = []string{"unsigned", "signed by another key", "in the form"}

// check signs the request with the SDK and with us at the same stamp. However the request
// came in, it must come out with the SDK's signature and otherwise the same parameters.
func (c *rpcCase) check(t testing.TB, r *rand.Rand, way string) {
	t.Helper()
	req, body := c.official(t)
	want := req.URL.Query()
	at := stampOf(t, want)
	query := strings.Split(req.URL.RawQuery, "&")
	switch way {
	case rpcWays[0]:
		// But for the parameter that the SDK sends empty, and a bearer's AccessKeyId likewise.
		query = slices.DeleteFunc(query, func(segment string) bool {
			name, value, _ := strings.Cut(segment, "=")
			return name == "AccessKeyId" && value != "" || slices.Contains([]string{"Signature", "SignatureNonce", "Timestamp",
				"SignatureMethod", "SignatureVersion", "SecurityToken", "BearerToken"}, name)
		})
		c.resign(t, way, req, body, replaced(query, map[string]string{"SignatureType": ""}), at, want)
	case rpcWays[1]: // in another order, and otherwise encoded
		stale := map[string]string{"SignatureNonce": "stale+%2A", "Timestamp": "", "Signature": "%2B=", "AccessKeyId": "other", "BearerToken": "other", "SignatureType": "other"}
		if !want.Has("BearerToken") {
			query = append(query, "BearerToken=")
		}
		if want.Has("SecurityToken") { // else it would be the caller's, who may have a parameter of that name
			stale["SecurityToken"] = "other"
		}
		query = respell(r, replaced(query, stale))
		r.Shuffle(len(query), func(i, j int) { query[i], query[j] = query[j], query[i] })
		c.resign(t, way, req, body, query, at, want)
	default:
		c.checkForm(t, r, req, query, string(body), at, want)
	}
}

// checkForm has the common parameters in the form, where Action is, and the business
// parameters where they were. Query and form are signed as one.
func (c *rpcCase) checkForm(t testing.TB, r *rand.Rand, req *http.Request, query []string, body string, at signer.Stamp, want url.Values) {
	t.Helper()
	var left, moved []string
	wantForm, wantQuery := url.Values{}, url.Values{}
	for name, value := range c.form {
		wantForm.Set(name, value)
	}
	for _, segment := range replaced(query, map[string]string{"SignatureNonce": "", "Signature": "stale"}) {
		name, _, _ := strings.Cut(segment, "=")
		name, _ = url.QueryUnescape(name)
		if _, business := c.query[name]; business {
			left = append(left, segment)
			wantQuery[name] = want[name]
		} else if wantForm.Has(name) {
			return // no place for a business parameter of a common one's name
		} else {
			moved = append(moved, segment)
			wantForm[name] = want[name]
		}
	}
	left, moved = respell(r, left), respell(r, moved)
	r.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	form := body
	for _, segment := range moved { // on either side of what is there
		if r.IntN(2) == 0 {
			form = segment + "&" + form
		} else {
			form += "&" + segment
		}
	}
	req.URL.RawQuery = strings.Join(left, "&")
	before := *req.URL
	if err := signer.Sign(req, []byte(form), c.identity.ours, at); err != nil {
		t.Fatalf("in the form: %v\n%s\n%s", err, req.URL, form)
	}
	sent, _ := io.ReadAll(req.Body)
	got, err := url.ParseQuery(string(sent))
	if err != nil || got.Encode() != wantForm.Encode() || int64(len(sent)) != req.ContentLength {
		t.Errorf("in the form (%v, length %d):\n%s\nwant:\n%s", err, req.ContentLength, got.Encode(), wantForm.Encode())
	}
	if *req.URL != before || req.URL.Query().Encode() != wantQuery.Encode() {
		t.Errorf("in the form, the query is %s", req.URL.RawQuery)
	}
}

// resign signs a request that came in with a query.
func (c *rpcCase) resign(t testing.TB, name string, req *http.Request, body []byte, query []string, at signer.Stamp, want url.Values) {
	t.Helper()
	req.URL.RawQuery = strings.Join(query, "&")
	before := req.URL.RawQuery
	if err := signer.Sign(req, body, c.identity.ours, at); err != nil {
		t.Fatalf("%s: %v\nquery %s", name, err, before)
	}
	got, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil || got.Encode() != want.Encode() {
		t.Errorf("%s (%v):\n%s\nwant:\n%s", name, err, got.Encode(), want.Encode())
	}
	sent, _ := io.ReadAll(req.Body)
	if string(sent) != string(body) || req.ContentLength != int64(len(body)) {
		t.Errorf("%s: the body is %q, want %q", name, sent, body)
	}
}

// replaced returns the segments of a query with other values under some names.
func replaced(query []string, values map[string]string) []string {
	query = slices.Clone(query)
	for i, segment := range query {
		name, _, _ := strings.Cut(segment, "=")
		if value, found := values[name]; found {
			query[i] = name + "=" + value
		}
	}
	return query
}

// respell encodes segments as some client might.
func respell(r *rand.Rand, query []string) []string {
	query = slices.Clone(query)
	for i, segment := range query {
		name, value, _ := strings.Cut(segment, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		query[i] = respellText(r, name) + "=" + respellText(r, value)
		if value == "" && name != "" && r.IntN(2) == 0 {
			query[i] = strings.TrimSuffix(query[i], "=")
		}
	}
	return query
}

// respellText leaves some bytes bare that may be, and encodes others that need not be.
func respellText(r *rand.Rand, s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch bare := c > ' ' && c < 0x7f && !strings.ContainsRune("+%&=#;", rune(c)); {
		case c == ' ' && r.IntN(2) == 0:
			b.WriteByte('+')
		case bare && r.IntN(8) > 0:
			b.WriteByte(c)
		case r.IntN(2) == 0:
			b.WriteString("%" + hex.EncodeToString([]byte{c}))
		default:
			b.WriteString(strings.ToUpper("%" + hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}
