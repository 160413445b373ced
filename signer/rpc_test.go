package signer_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

var testKey = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// The example that Alibaba publishes with the RPC signature: an unsigned request.
func TestSignPublishedExample(t *testing.T) {
	req, _ := http.NewRequest("GET", "http://ecs.aliyuncs.com/?Format=XML&Action=DescribeRegions&Version=2014-05-26", nil)
	at := signer.Stamp{Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC)}
	if err := signer.Sign(req, nil, testKey, at); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"Format": {"XML"}, "Action": {"DescribeRegions"}, "Version": {"2014-05-26"},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"}, "AccessKeyId": {"testid"},
		"SignatureNonce": {at.Nonce}, "Timestamp": {"2016-02-23T12:46:24Z"},
		"Signature": {"OLeaidS1JvxuMvnyHOwuJ+uX5qY="},
	}
	if got := req.URL.Query(); got.Encode() != want.Encode() {
		t.Errorf("signed query:\n%s\nwant:\n%s", got.Encode(), want.Encode())
	}
}

// official returns the request that the SDK's own signer makes of the parameters.
func official(t testing.TB, method string, query, form map[string]string, credential auth.Credential) (*http.Request, []byte) {
	t.Helper()
	request := new(requests.RpcRequest)
	request.InitWithApiInfo("Ess", "2014-08-28", "CreateScalingGroup", "ess", "openAPI")
	request.Method, request.Scheme, request.Domain = method, "http", "ess.aliyuncs.com"
	for k, v := range query {
		request.QueryParams[k] = v
	}
	for k, v := range form {
		request.FormParams[k] = v
	}
	provider, err := auth.ToCredentialsProvider(credential)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(request.GetBodyReader())
	req, err := http.NewRequest(method, request.BuildUrl(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range request.GetHeaders() {
		req.Header[k] = []string{v}
	}
	return req, body
}

var identities = []struct {
	ours     signer.Credentials
	official auth.Credential
}{
	{testKey, credentials.NewAccessKeyCredential("testid", "testsecret")},
	{signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "s&=%", SecurityToken: "CAIS+/tok en=="},
		credentials.NewStsTokenCredential("STS.id", "s&=%", "CAIS+/tok en==")},
	{signer.Credentials{BearerToken: "eyJ.bear+er/~="}, credentials.NewBearerTokenCredential("eyJ.bear+er/~=")},
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

// checkAgainstOfficial signs parameters with the SDK and with us at the same stamp.
// Both the SDK's request, signed anew, and one without any signature must come out
// with the SDK's signature and otherwise the same parameters.
func checkAgainstOfficial(t testing.TB, method string, query, form map[string]string, identity int) {
	t.Helper()
	id := identities[identity]
	req, body := official(t, method, query, form, id.official)
	want, before := req.URL.Query(), req.URL.RawQuery
	at := stampOf(t, want)

	// A stale stamp and signature in the request must leave no trace.
	stale := want.Encode()
	for _, name := range []string{"SignatureNonce", "Timestamp", "Signature"} {
		stale = strings.Replace(stale, name+"="+url.QueryEscape(want.Get(name)), name+"=stale", 1)
	}
	req.URL.RawQuery = stale
	if err := signer.Sign(req, body, id.ours, at); err != nil {
		t.Fatalf("%v\nquery %s", err, before)
	}
	if got := req.URL.Query(); got.Encode() != want.Encode() {
		t.Errorf("signed anew:\n%s\nwant:\n%s", got.Encode(), want.Encode())
	}
	// Nor does it matter that there was no signature at all, but for the parameter that
	// the SDK sends empty, and a bearer's AccessKeyId likewise.
	unsigned := make([]string, 0, len(want))
	for segment := range strings.SplitSeq(before, "&") {
		switch name, value, _ := strings.Cut(segment, "="); name {
		case "Signature", "SignatureNonce", "Timestamp", "SignatureMethod", "SignatureVersion", "SecurityToken", "BearerToken":
		case "AccessKeyId", "SignatureType":
			if name == "SignatureType" || value == "" {
				unsigned = append(unsigned, name+"=")
			}
		default:
			unsigned = append(unsigned, segment)
		}
	}
	req.URL.RawQuery = strings.Join(unsigned, "&")
	if err := signer.Sign(req, body, id.ours, at); err != nil {
		t.Fatalf("%v\nquery %s", err, req.URL.RawQuery)
	}
	if got := req.URL.Query(); got.Encode() != want.Encode() {
		t.Errorf("signed for the first time:\n%s\nwant:\n%s", got.Encode(), want.Encode())
	}
	sent, _ := io.ReadAll(req.Body)
	if string(sent) != string(body) || req.ContentLength != int64(len(body)) {
		t.Errorf("body changed: %q, want %q", sent, body)
	}
}

// The characters that encodings disagree about, and some that look encoded.
var alphabet = []string{" ", "*", "~", "+", "%", "%20", "&", "=", "/", "?", "#", ";", ":", "-", "_", ".", "!", "'", "(", ")",
	"\"", "<", "\\", "a", "Z", "0", "中文", "é", "😀", "\n", "\t", "\x00", "\x7f"}

func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func randomParams(r *rand.Rand, prefix string) map[string]string {
	params := make(map[string]string)
	for i := range r.IntN(8) {
		name := prefix + randomText(r, 4)
		switch r.IntN(4) {
		case 0: // repeated lists, whose order differs between names and joined pairs
			name = fmt.Sprintf("%sInstanceId.%d", prefix, i*5)
		case 1:
			name = fmt.Sprintf("%sList.%d.Key-%d", prefix, i, i)
		}
		params[name] = randomText(r, 12)
	}
	return params
}

func TestSignDiffersNowhereFromSDK(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		query, form := randomParams(r, "q"), randomParams(r, "f")
		if i%3 == 0 {
			query["Empty"], form["Format"], form["SecurityToken"] = "", "business", "business"
		}
		method := "POST"
		if i%2 == 0 {
			method = "GET"
		}
		checkAgainstOfficial(t, method, query, form, i%len(identities))
		if t.Failed() {
			t.Fatalf("at request %d", i)
		}
	}
}

func FuzzSign(f *testing.F) {
	f.Add("GroupName", "a b*~+%2B", "Body", "中文", true, uint8(0))
	f.Add("InstanceId.10", "", "a.b", "=&", false, uint8(1))
	f.Add("a", "x", "a", "y", true, uint8(2))
	f.Fuzz(func(t *testing.T, qName, qValue, fName, fValue string, post bool, identity uint8) {
		for _, name := range []string{qName, fName} {
			switch name {
			case "SignatureMethod", "SignatureVersion", "Action", "Version", "Signature", "SignatureNonce",
				"Timestamp", "TimeStamp", "AccessKeyId", "BearerToken", "SecurityToken", "SignatureType", "":
				return // these name the system's own parameters
			}
		}
		method := "GET"
		if post {
			method = "POST"
		}
		checkAgainstOfficial(t, method, map[string]string{qName: qValue}, map[string]string{fName: fValue}, int(identity)%len(identities))
	})
}

// Clients that put everything into the form get the signature there as well.
func TestSignForm(t *testing.T) {
	form := "Action=CreateVpc&Version=2016-04-28&VpcName=a+b%2A&SignatureNonce=old&Signature=old&TimeStamp=old"
	req, _ := http.NewRequest("POST", "http://vpc.aliyuncs.com/?RegionId=cn-qingdao", strings.NewReader(form))
	req.Header["content-type"] = []string{"Application/X-WWW-Form-urlencoded; charset=utf-8"}
	at := signer.Stamp{Nonce: "n1", Time: time.Unix(1700000000, 0)}
	if err := signer.Sign(req, []byte(form), testKey, at); err != nil {
		t.Fatal(err)
	}
	if req.URL.RawQuery != "RegionId=cn-qingdao" {
		t.Errorf("query is %s", req.URL.RawQuery)
	}
	body, _ := io.ReadAll(req.Body)
	if int64(len(body)) != req.ContentLength {
		t.Errorf("ContentLength %d of %d bytes", req.ContentLength, len(body))
	}
	if !strings.HasPrefix(string(body), "Action=CreateVpc&Version=2016-04-28&VpcName=a+b%2A&") {
		t.Errorf("constant part changed: %s", body)
	}
	got, _ := url.ParseQuery(string(body))
	// The union counts: the SDK signs the same when all of it is in the query. It spells
	// the time parameter otherwise, which is why the oracle is our query form here, which
	// is checked against the SDK above.
	inQuery, _ := http.NewRequest("POST", "http://vpc.aliyuncs.com/?RegionId=cn-qingdao&"+form, nil)
	if err := signer.Sign(inQuery, nil, testKey, at); err != nil {
		t.Fatal(err)
	}
	if want := inQuery.URL.Query().Get("Signature"); got.Get("Signature") != want {
		t.Errorf("signature %s, want %s", got.Get("Signature"), want)
	}
	if got.Get("SignatureNonce") != "n1" || got.Get("TimeStamp") != "2023-11-14T22:13:20Z" || got.Has("Timestamp") || len(got["Signature"]) != 1 {
		t.Errorf("form is %v", got)
	}
}

func TestSignKeepsOtherBytes(t *testing.T) {
	const raw = "b=%7e%2a&&a=+%20&Action=X&Version=1"
	req, _ := http.NewRequest("GET", "http://h/?"+raw, nil)
	caller := req.URL
	if err := signer.Sign(req, nil, testKey, signer.Stamp{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(req.URL.RawQuery, "b=%7e%2a&a=+%20&Action=X&Version=1&") {
		t.Errorf("query is %s", req.URL.RawQuery)
	}
	if caller.RawQuery != raw {
		t.Error("the URL that the caller may share was written to")
	}
	q := req.URL.Query()
	if q.Get("SignatureNonce") == "" || q.Get("Timestamp") == "" {
		t.Errorf("zero stamp was not filled: %v", q)
	}
}

// A business SecurityToken stays where the credentials have none, and is replaced
// where they have one.
func TestSignSecurityToken(t *testing.T) {
	tests := []struct{ name, have, want string }{
		{"the caller's stays", "", "mine"},
		{"the credentials' wins", "theirs", "theirs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1&SecurityToken=mine", nil)
			c := testKey
			c.SecurityToken = tt.have
			if err := signer.Sign(req, nil, c, signer.Stamp{}); err != nil {
				t.Fatal(err)
			}
			if got := req.URL.Query()["SecurityToken"]; len(got) != 1 || got[0] != tt.want {
				t.Errorf("SecurityToken = %v, want %s", got, tt.want)
			}
		})
	}
}

// A bearer token authenticates alone: the key of the MAC is "&", whatever else is there.
func TestSignBearerIgnoresSecret(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}
	sign := func(c signer.Credentials) string {
		req, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1", nil)
		if err := signer.Sign(req, nil, c, at); err != nil {
			t.Fatal(err)
		}
		return req.URL.RawQuery
	}
	bare := sign(signer.Credentials{AccessKeyID: "id", BearerToken: "b"})
	if got := sign(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret", BearerToken: "b"}); got != bare {
		t.Errorf("signed %s, want %s", got, bare)
	}
}

func TestSignDefaults(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}
	get, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1", nil)
	none, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1", nil)
	none.Method = "" // which net/http sends as GET
	for _, req := range []*http.Request{get, none} {
		if err := signer.Sign(req, nil, testKey, at); err != nil {
			t.Fatal(err)
		}
	}
	if get.URL.RawQuery != none.URL.RawQuery {
		t.Errorf("without a method: %s, want %s", none.URL.RawQuery, get.URL.RawQuery)
	}
	if err := signer.Sign(&http.Request{}, nil, testKey, at); !errors.Is(err, signer.ErrMalformed) {
		t.Errorf("without a URL: %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	tests := []struct {
		name, query string
		header      http.Header
		c           signer.Credentials
		want        error
	}{
		{"no credentials", "Action=X&Version=1", nil, signer.Credentials{}, signer.ErrNoCredentials},
		{"no secret", "Action=X&Version=1", nil, signer.Credentials{AccessKeyID: "id"}, signer.ErrNoCredentials},
		{"no operation", "a=b", nil, testKey, signer.ErrMalformed},
		{"bad escape", "Action=X&Version=1&a=%zz", nil, testKey, signer.ErrMalformed},
		{"one name twice", "Action=X&Version=1&a=1&a=2", nil, testKey, signer.ErrMalformed},
		{"another method", "Action=X&Version=1&SignatureMethod=HMAC-SHA256", nil, testKey, signer.ErrUnsupported},
		{"another version", "Action=X&Version=1&SignatureVersion=2.0", nil, testKey, signer.ErrUnsupported},
		{"signature apart from Action", "Action=X&Version=1", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, testKey, signer.ErrMalformed},
		{"ACS3, another algorithm", "", http.Header{"Authorization": {"ACS3-HMAC-SHA512 Credential=x"}, "x-acs-version": {"1"}}, testKey, signer.ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", "http://h/?"+tt.query, nil)
			if tt.header != nil {
				req.Header = tt.header
			}
			err := signer.Sign(req, []byte("SignatureNonce=1&Signature=2"), tt.c, signer.Stamp{})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if req.URL.RawQuery != tt.query {
				t.Errorf("refused request was changed: %s", req.URL.RawQuery)
			}
		})
	}
}
