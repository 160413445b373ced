package openapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	form := http.Header{"content-type": {"Application/x-www-form-urlencoded; charset=utf-8"}}
	tests := []struct {
		name, query, body       string
		header                  http.Header
		style                   Style
		version, action, format string
		system                  Place
	}{
		{name: "RPC in the query", query: "Action=A&Version=1&Format=json", style: RPC, version: "1", action: "A", format: "JSON"},
		{name: "RPC without Format", query: "Action=A&Version=1", style: RPC, version: "1", action: "A"},
		{name: "RPC as the SDK sends it, with headers in lower case", query: "Action=A&Version=1&Format=JSON",
			header: http.Header{"x-acs-action": {"A"}, "x-acs-version": {"1"}, "x-sdk-client": {"golang"}}, style: RPC, version: "1", action: "A", format: "JSON"},
		{name: "RPC, signed", query: "Action=A&Version=1&Format=XML&Signature=x", header: http.Header{"x-acs-action": {"B"}, "x-acs-version": {"2"}, "Accept": {"application/json"}},
			style: RPC, version: "1", action: "A", format: "XML"},
		{name: "RPC, signed, with another kind of authorization", query: "Action=A&Version=1&Signature=x", header: http.Header{"Authorization": {"Bearer x"}}, style: RPC, version: "1", action: "A"},
		{name: "RPC, signed, with a form", query: "Action=A&Version=1&Signature=x", body: "Format=json", header: form, style: RPC, version: "1", action: "A", format: "JSON"},
		{name: "RPC, signed, and ACS3 over it", query: "Action=A&Version=1&Signature=x", header: http.Header{"Authorization": {"ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"3"}, "x-acs-action": {"B"}},
			style: ACS3, version: "3", action: "B", format: "JSON"},
		{name: "the same in lower case", query: "Action=A&Version=1&Signature=x", header: http.Header{"authorization": {"ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"3"}, "x-acs-action": {"B"}},
			style: ACS3, version: "3", action: "B", format: "JSON"},
		{name: "a business parameter Signature", query: "Signature=x&Action=A", header: http.Header{"x-acs-version": {"3"}, "x-acs-action": {"B"}}, style: ACS3, version: "3", action: "B", format: "JSON"},
		{name: "Format in the form alone", query: "Action=A&Version=1", body: "Format=json", header: form, style: RPC, version: "1", action: "A", format: "JSON"},
		{name: "RPC in the form", body: "Action=A&Version=1&Format=JSON", header: form, style: RPC, version: "1", action: "A", format: "JSON", system: Form},
		{name: "RPC, version in the query", query: "Version=1", body: "Action=A", header: form, style: RPC, version: "1", action: "A", system: Form},
		{name: "a business Format in the body", query: "Action=A&Version=1&Format=JSON", body: "Format=mp4", header: form, style: RPC, version: "1", action: "A", format: "JSON"},
		{name: "a business Format in the body alone", query: "Action=A&Version=1", body: "Format=mp4", header: form, style: RPC, version: "1", action: "A"},
		{name: "a form that is not declared as one is no parameter", query: "Action=A&Version=1", body: "Format=JSON", style: RPC, version: "1", action: "A"},
		{name: "ROA by its signature", header: http.Header{"authorization": {"acs id:sig"}, "X-Acs-Version": {"2"}}, style: ROA, version: "2", format: "JSON"},
		{name: "ROA with spaces around", header: http.Header{"Authorization": {"\tacs id:sig"}, "x-acs-version": {" 2 "}, "x-acs-action": {"A "}}, style: ROA, version: "2", action: "A", format: "JSON"},
		{name: "ROA with a form that cannot be read", body: "{\"a\":\"1;2%\"}", header: http.Header{"Authorization": {"acs id:sig"}, "x-acs-version": {"2"}, "Content-Type": {"application/x-www-form-urlencoded"}},
			style: ROA, version: "2", format: "JSON"},
		{name: "ROA with parameters of RPC", query: "Action=A&Version=1", header: http.Header{"Authorization": {"acs id:sig"}, "x-acs-version": {"2"}}, style: ROA, version: "2", format: "JSON"},
		{name: "one header twice, alike", header: http.Header{"Authorization": {"acs id:sig"}, "x-acs-version": {"2"}, "X-Acs-Version": {"2"}}, style: ROA, version: "2", format: "JSON"},
		{name: "ROA unsigned", header: http.Header{"x-acs-signature-version": {"1.0"}, "x-acs-version": {"2"}, "Accept": {"application/xml"}}, style: ROA, version: "2", format: "XML"},
		{name: "ACS3 by its signature", header: http.Header{"AUTHORIZATION": {"ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"3"}, "X-ACS-ACTION": {"A"}},
			style: ACS3, version: "3", action: "A", format: "JSON"},
		{name: "ACS3 unsigned", header: http.Header{"x-acs-version": {"3"}, "x-acs-action": {"A"}}, style: ACS3, version: "3", action: "A", format: "JSON"},
		{name: "ACS3 with a business parameter Action", query: "Action=x&Version=y", header: http.Header{"Authorization": {"ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"3"}, "x-acs-action": {"A"}},
			style: ACS3, version: "3", action: "A", format: "JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &http.Request{URL: &url.URL{RawQuery: tt.query}, Header: tt.header}
			r, err := Identify(req, []byte(tt.body), nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Style != tt.style || r.Version != tt.version || r.Action != tt.action || r.Format != tt.format || r.System != tt.system {
				t.Errorf("Identify = %+v", r)
			}
		})
	}
}

func TestIdentifyKeyID(t *testing.T) {
	for want, req := range map[string]*http.Request{
		"rpc":  {URL: &url.URL{RawQuery: "Action=A&Version=1&AccessKeyId=rpc"}},
		"roa":  {URL: &url.URL{}, Header: http.Header{"authorization": {"acs roa:x:y"}}},
		"none": {URL: &url.URL{}, Header: http.Header{"authorization": {"acs none"}}},
		"acs3": {URL: &url.URL{}, Header: http.Header{"authorization": {"ACS3-HMAC-SHA256 Credential=acs3,SignedHeaders=host,Signature=x"}, "x-acs-action": {"A"}, "x-acs-version": {"1"}}},
		"":     {URL: &url.URL{}, Header: http.Header{"x-acs-version": {"1"}, "x-acs-signature-version": {"1.0"}}},
	} {
		if r, err := Identify(req, nil, nil); err != nil || r.KeyID != want {
			t.Errorf("%q, want %q: %v", r.KeyID, want, err)
		}
	}
}

// Of two values under one name nobody could say which the server goes by. The RPC style
// goes by none of these headers, and an empty value is no other.
func TestIdentifyTwoHeaders(t *testing.T) {
	for _, h := range []http.Header{
		{"x-acs-version": {"1", "2"}, "x-acs-action": {"A"}},
		{"x-acs-version": {"1"}, "X-Acs-Version": {"2"}, "x-acs-action": {"A"}},
		{"x-acs-version": {"1"}, "x-acs-action": {"A"}, "X-ACS-ACTION": {"B"}},
		{"Authorization": {"acs a:b"}, "authorization": {"acs c:d"}, "x-acs-version": {"1"}},
		{"Authorization": {"acs a:b", "ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"1"}, "x-acs-action": {"A"}},
		{"x-acs-version": {"1"}, "x-acs-action": {"A"}, "Accept": {"application/json"}, "accept": {"application/xml"}},
	} {
		for range 10 { // in any order of the map
			if _, err := Identify(&http.Request{URL: new(url.URL), Header: h}, nil, nil); !errors.Is(err, ErrParams) {
				t.Errorf("%v: %v", h, err)
			}
		}
	}
	for _, h := range []http.Header{
		{"x-acs-version": {"1"}, "x-acs-action": {"A", "A"}},
		{"x-acs-version": {""}, "X-Acs-Version": {"1"}, "x-acs-action": {"A"}},
		{"Authorization": {"acs a:b"}, "authorization": {""}, "x-acs-version": {"1"}},
		{"Authorization": {"acs a:b"}, "authorization": {"Basic x"}, "x-acs-version": {"1"}},
		{"Authorization": {"Basic x", "ACS3-HMAC-SHA256 Credential=x"}, "x-acs-version": {"1"}, "x-acs-action": {"A"}},
	} {
		for range 10 {
			if r, err := Identify(&http.Request{URL: new(url.URL), Header: h}, nil, nil); err != nil || r.Version != "1" {
				t.Errorf("%v: %+v, %v", h, r, err)
			}
		}
	}
	for _, h := range []http.Header{
		{"x-acs-action": {"A"}, "X-Acs-Action": {"x"}},
		{"Authorization": {"Basic x"}, "authorization": {"Basic y"}},
		{"Content-Type": {"application/x-www-form-urlencoded"}, "content-type": {"application/json"}},
		{"Content-Type": {"", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded"}},
	} {
		for range 10 {
			r, err := Identify(&http.Request{URL: &url.URL{RawQuery: "Action=A&Version=1"}, Header: h}, []byte("a=b"), nil)
			if _, typed := h["Content-Type"]; err != nil || r.Style != RPC || typed != (r.Form != nil) {
				t.Errorf("%v: %+v, %v", h, r, err)
			}
		}
	}
}

// A form that cannot be read is refused where its parameters are signed.
func TestIdentifyMalformedForm(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	unsigned := http.Header{"Content-Type": form["Content-Type"], "x-acs-version": {"1"}, "x-acs-signature-version": {"1.0"}}
	for _, tt := range []struct {
		query string
		h     http.Header
		fine  bool
	}{{"Action=A&Version=1", form, false}, {"", form, false}, {"", unsigned, true}} {
		if r, err := Identify(&http.Request{URL: &url.URL{RawQuery: tt.query}, Header: tt.h}, []byte("rate=100%"), nil); (err == nil) != tt.fine || !tt.fine && !errors.Is(err, ErrParams) {
			t.Errorf("%s %v: %+v, %v", tt.query, tt.h, r, err)
		}
	}
	// What is JSON or XML is no form, whatever it is called.
	for _, body := range []string{` {"a":"b=c"}`, "\ufeff[1]", `"a"`, "\n<a/>"} {
		if r, err := Identify(&http.Request{URL: new(url.URL), Header: unsigned}, []byte(body), nil); err != nil || r.Form != nil {
			t.Errorf("%s: %+v, %v", body, r, err)
		}
	}
	// A token in what cannot be read must not be passed over.
	if _, err := Identify(&http.Request{URL: new(url.URL), Header: unsigned}, []byte("clientToken=mine&note=a;b"), nil); !errors.Is(err, ErrParams) {
		t.Error(err)
	}
}

func TestIdentifyRefuses(t *testing.T) {
	for query, want := range map[string]error{
		"":                       ErrStyle,
		"Action=A":               ErrStyle,
		"Version=1":              ErrStyle,
		"Action=&Version=1":      ErrStyle,
		"Action=A&Version=1&a=%": ErrParams,
		"Action=A&Version=1;b=c": ErrParams,
	} {
		_, err := Identify(&http.Request{URL: &url.URL{RawQuery: query}}, nil, nil)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", query, err, want)
		}
		if err != nil && query != "" && strings.Contains(err.Error(), query) {
			t.Errorf("the error quotes the query, which may hold secrets: %v", err)
		}
	}
}

// A request that names two operations, or two versions, would be judged as one of them
// and carried out as the other.
func TestIdentifyRefusesTwoOperations(t *testing.T) {
	for body, want := range map[string]error{"Action=B": ErrParams, "Version=2": ErrParams, "Action=A&Version=1": nil} {
		req := &http.Request{URL: &url.URL{RawQuery: "Action=A&Version=1"}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
		if _, err := Identify(req, []byte(body), nil); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

// The digest tells calls apart by what they do, and not by how they are signed.
func TestFingerprint(t *testing.T) {
	digest := func(req *http.Request, body string) [32]byte {
		r, err := Identify(req, []byte(body), nil)
		if err != nil {
			t.Fatal(err)
		}
		return Fingerprint(Parts(&r, req, []byte(body)))
	}
	of := func(query, host string) [32]byte {
		return digest(&http.Request{URL: &url.URL{Host: host, RawQuery: query}}, "")
	}
	const base = "Action=A&Version=1&Name=x&Size=1"
	want := of(base, "h")
	for _, same := range []string{"Size=1&Name=x&Version=1&Action=A", base + "&SignatureNonce=1&Signature=2&Timestamp=3&AccessKeyId=4&ClientToken=5&clientToken=5&Format=JSON"} {
		if of(same, "h") != want {
			t.Errorf("%s is told apart", same)
		}
	}
	for _, other := range []string{"Action=B&Version=1&Name=x&Size=1", "Action=A&Version=2&Name=x&Size=1", base + "1", base + "&Max=1", "Action=A&Version=1&Name=xSize=1"} {
		if of(other, "h") == want {
			t.Errorf("%s is not told apart", other)
		}
	}
	req := &http.Request{URL: &url.URL{RawQuery: base}}
	if digest(req, `{"a":1}`) == digest(req, `{"a":2}`) {
		t.Error("another body is not told apart")
	}
	for _, same := range []string{`{"a":{"c":1.50,"b":"x"},"n":9007199254740993}`, ` { "n" : 9007199254740993, "clientToken":"t", "a":{ "b":"\u0078","c":1.50} } `} {
		if digest(req, same) != digest(req, `{"n":9007199254740993,"a":{"b":"x","c":1.50}}`) {
			t.Errorf("%s is told apart", same)
		}
	}
	for _, other := range []string{`{"n":9007199254740992,"a":{"b":"x","c":1.50}}`, `{"n":9007199254740993,"a":{"b":"x","c":1.50}} {}`, `[{"n":9007199254740993}]`, `{"n":9007199254740993,"a":{"b":"x","c":1.50},"d":null}`} {
		if digest(req, other) == digest(req, `{"n":9007199254740993,"a":{"b":"x","c":1.50}}`) {
			t.Errorf("%s is not told apart", other)
		}
	}
	form := func(body string) [32]byte {
		return digest(&http.Request{URL: &url.URL{RawQuery: base}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, body)
	}
	if form("a=1&ClientToken=x&b=2") != form("b=2&a=1") || form("a=1") == form("a=2") || form("") != form("clientToken=x") {
		t.Error("forms are not told apart by their parameters, or by the token")
	}
	roa := func(method, target string) [32]byte {
		u, err := url.Parse("http://h" + target)
		if err != nil {
			t.Fatal(err)
		}
		return digest(&http.Request{Method: method, URL: u, Header: http.Header{"x-acs-version": {"1"}, "Authorization": {"acs id:signature"}}}, "")
	}
	first := roa("PUT", "/clusters/a%2Fb?Timestamp=1")
	if of := func(query, body string) [32]byte {
		return digest(&http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{"x-acs-version": {"1"}, "Authorization": {"acs id:s"},
			"Content-Type": {"application/x-www-form-urlencoded"}}}, body)
	}; of("a=1", "b=2") == of("b=2", "a=1") {
		t.Error("query and form are taken for one")
	}
	if roa("PUT", "/clusters/a%2Fb?clientToken=x&Timestamp=1&ClientToken=x") != first {
		t.Error("ROA requests are told apart by the token")
	}
	for _, other := range [][2]string{{"PUT", "/clusters/2?Timestamp=1"}, {"DELETE", "/clusters/a%2Fb?Timestamp=1"}, {"PUT", "/clusters/a/b?Timestamp=1"}, {"PUT", "/clusters/a%2Fb?Timestamp=2"}} {
		if roa(other[0], other[1]) == first {
			t.Errorf("ROA requests are not told apart by %v", other)
		}
	}
	hosted := func(rawURL, host string) [32]byte {
		u, err := url.Parse(rawURL + "?" + base)
		if err != nil {
			t.Fatal(err)
		}
		return digest(&http.Request{URL: u, Host: host}, "")
	}
	first = hosted("https://ess.aliyuncs.com/", "")
	for _, same := range [][2]string{{"https://ESS.aliyuncs.com/", ""}, {"https://ess.aliyuncs.com:443/", ""}, {"https://10.0.0.1/", "ess.aliyuncs.com"}} {
		if hosted(same[0], same[1]) != first {
			t.Errorf("%v is told apart", same)
		}
	}
	for _, other := range [][2]string{{"https://ess.aliyuncs.com:80/", ""}, {"https://ess.aliyuncs.com/", "ess-vpc.aliyuncs.com"}} {
		if hosted(other[0], other[1]) == first {
			t.Errorf("%v is not told apart", other)
		}
	}
	split := func(query string) [32]byte { // Action in the form, the signature in the query
		return digest(&http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, "Action=A&Version=1&Timestamp=9")
	}
	if split("SignatureNonce=1&Timestamp=1") != split("SignatureNonce=2&Timestamp=2") {
		t.Error("what the signature adds tells calls apart")
	}
	if form("Format=CSV") == form("Format=XLSX") {
		t.Error("a business parameter that has a common one's name is left out")
	}
	if of(base, "g") == want {
		t.Error("another host is not told apart")
	}
}
