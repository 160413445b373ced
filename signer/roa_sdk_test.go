package signer_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

// roaCase is a ROA request as a program describes it to the SDK.
type roaCase struct {
	method, path string            // the path as it is sent
	query        map[string]string // decoded
	header       map[string]string
	body         string            // of any type, or:
	form         map[string]string // a form
	nonce        string
	identity     identity
}

// official returns the request that the SDK's own signer makes of it.
func (c *roaCase) official(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	request := new(requests.RoaRequest)
	request.InitWithApiInfo("CS", "2015-12-15", "ModifyCluster", c.path, "cs", "openAPI")
	request.Method, request.Scheme, request.Domain = c.method, "http", "cs.aliyuncs.com"
	maps.Copy(request.QueryParams, c.query)
	maps.Copy(request.FormParams, c.form)
	maps.Copy(request.Headers, c.header)
	request.Headers["x-acs-signature-nonce"] = c.nonce
	request.SetContent([]byte(c.body))
	provider, err := auth.ToCredentialsProvider(c.identity.official)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
		t.Fatal(err)
	}
	reader := request.GetBodyReader()
	var body []byte
	if reader != nil {
		body, _ = io.ReadAll(reader)
	}
	req, err := http.NewRequest(c.method, strings.Replace(request.BuildUrl(), "com:/", "com/", 1), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range request.GetHeaders() {
		req.Header[k] = []string{v}
	}
	return req, body
}

// check signs the request with the SDK and with us at the same stamp: as another key
// signed it, with the query in another order and otherwise encoded, the keys of its headers
// in another case and spaces around their values, it must come out the same. It reports
// whether the request could be compared: the SDK signs a path as it is given, and we as
// it is sent.
func (c *roaCase) check(t testing.TB, r *rand.Rand) bool {
	t.Helper()
	req, body := c.official(t)
	if req.URL.EscapedPath() != c.path {
		return false
	}
	date, err := http.ParseTime(req.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	want := fold(req.Header)

	ours := make(http.Header)
	for _, key := range slices.Sorted(maps.Keys(req.Header)) {
		values, lower := req.Header[key], strings.ToLower(key)
		switch r.IntN(3) {
		case 0:
			key = strings.ToUpper(key)
		case 1:
			key = http.CanonicalHeaderKey(key)
		}
		switch lower {
		case "authorization":
			values = []string{[]string{"acs other:stale", "Bearer stale", "", "acs stale"}[r.IntN(4)]}
		case "date", "x-acs-signature-nonce", "x-acs-security-token", "x-acs-bearer-token", "x-acs-accesskey-id":
			values = []string{"stale"}
		default: // net/http sends them without
			values = []string{[]string{"", " ", "\t "}[r.IntN(3)] + values[0] + []string{"", " ", "\t"}[r.IntN(3)]}
			want[lower] = values[0]
		}
		ours[key] = values
	}
	for _, key := range []string{"x-acs-bearer-token", "X-Acs-Security-Token"} {
		if lower := strings.ToLower(key); want[lower] == "" { // for the key has none
			ours[key] = []string{"stale"}
		}
	}
	req.Header = ours
	query := strings.FieldsFunc(req.URL.RawQuery, func(r rune) bool { return r == '&' })
	query = respell(r, query)
	r.Shuffle(len(query), func(i, j int) { query[i], query[j] = query[j], query[i] })
	req.URL.RawQuery = strings.Join(query, "&")
	before := *req.URL
	if err := signer.Sign(req, body, c.identity.ours, signer.Stamp{Nonce: c.nonce, Time: date}); err != nil {
		t.Fatalf("%v\nof %q", err, c)
	}
	if got := fold(req.Header); !reflect.DeepEqual(got, want) {
		t.Errorf("signed anew:\n%v\nwant:\n%v\nof %q", got, want, c)
	}
	sent, _ := io.ReadAll(req.Body)
	if string(sent) != string(body) || req.ContentLength != int64(len(body)) || *req.URL != before {
		t.Errorf("more than the headers was changed: %s, %q", req.URL, sent)
	}
	return true
}

// fold returns headers with their keys in lower case; no two may come together.
func fold(h http.Header) map[string]string {
	folded := make(map[string]string)
	for k, v := range h {
		folded[strings.ToLower(k)] += strings.Join(v, "|")
	}
	return folded
}

var withoutControls = strings.NewReplacer("\n", "", "\x00", "", "\x7f", "")

// headerValue has spaces within, and none around it that net/http takes for one.
func headerValue(r *rand.Rand) string {
	return []string{"", "\u3000", "\u00a0"}[r.IntN(3)] + strings.Trim(withoutControls.Replace(randomText(r, 8)), " \t")
}

func TestSignROADiffersNowhereFromSDK(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 10_000 {
		c := roaCase{
			method: []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}[r.IntN(6)],
			path:   "/clusters/" + url.PathEscape(randomText(r, 6)) + []string{"", "/", "/a-b", "/a//b"}[r.IntN(4)],
			query:  randomParams(r, "q"), nonce: fmt.Sprint("nonce ", i), identity: randomIdentity(r, i%3),
			header: map[string]string{"x-acs-region-id": headerValue(r), "x-acs-a": "1", "x-acs-a-b": "2  2", "x-acs-": headerValue(r), "x-acs-b": "", "X-Other": headerValue(r)},
		}
		if r.IntN(3) == 0 { // which other clients send
			c.header["x-acs-accesskey-id"] = c.identity.ours.AccessKeyID
		}
		if c.header["x-acs-accesskey-id"] == "" {
			delete(c.header, "x-acs-accesskey-id")
		}
		switch r.IntN(5) {
		case 0:
			c.form = randomParams(r, "f")
		case 1:
			c.body, c.header["Content-Type"] = `{"name":"`+randomText(r, 8)+`"}`, "application/json;charset=utf-8"
		case 2:
			c.body = randomText(r, 20)
		case 3:
			c.body, c.header["Content-Type"] = randomBytes(r, 300), "application/octet-stream"
		}
		switch r.IntN(30) {
		case 0:
			for j := range 100 { // longer than what is set aside for it
				c.header[fmt.Sprintf("x-acs-meta-%d", j)] = headerValue(r)
			}
		case 1:
			c.path = "/"
		}
		if !c.check(t, r) || t.Failed() {
			t.Fatalf("at request %d, %q", i, c)
		}
	}
}

func FuzzSignROA(f *testing.F) {
	f.Add("/clusters/c1", "name", "a b*~+%2B", "value", "{}", uint8(0), uint64(1))
	f.Add("/a%2Fb/%E4%B8%AD", "", "", "in  ner", "中文", uint8(5), uint64(2))
	f.Add("/", "a.b", "=&", "x:y", "\xff\x00", uint8(8), uint64(3))
	f.Fuzz(func(t *testing.T, path, name, value, header, body string, choice uint8, seed uint64) {
		u, err := url.Parse("http://cs.aliyuncs.com:" + path)
		if err != nil || u.Host != "cs.aliyuncs.com:" || u.RawQuery != "" || u.ForceQuery || strings.Contains(path, "#") || !strings.HasPrefix(path, "/") {
			return // no path of a request
		}
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r == 0x7f }) || header != strings.Trim(header, " ") {
			return // no value that a header can have on the wire
		}
		c := roaCase{method: []string{"GET", "PUT", "DELETE"}[choice/3%3], path: path, query: map[string]string{name: value},
			header: map[string]string{"x-acs-fuzz": header}, body: body, nonce: "n", identity: identities[choice%3]}
		c.check(t, rand.New(rand.NewPCG(seed, 0)))
	})
}
