package retrytest

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The ROA style, version 1.0: the operation is named by method and path, the signature
// and what belongs to it are headers.

// acs begins the Authorization of a request in the ROA style; "ID:signature" follows.
const acs = "acs "

var roaMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// readROA fills in what the headers say.
func (a *Attempt) readROA() {
	a.Action, a.Version = a.Header.Get("x-acs-action"), a.Header.Get("x-acs-version")
	a.AccessKeyID, a.Signature, _ = strings.Cut(strings.TrimPrefix(a.Header.Get("Authorization"), acs), ":")
	a.Nonce = a.Header.Get("x-acs-signature-nonce")
	if t, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		a.Timestamp = t
	}
}

// anyTokens returns the client tokens that the attempt carries: of query and form in both
// spellings, and of a body that is a JSON object.
func (a *Attempt) anyTokens() []string {
	tokens := slices.Concat(a.Query["ClientToken"], a.Query["clientToken"], a.Form["ClientToken"], a.Form["clientToken"])
	var body map[string]any
	if json.Unmarshal(a.Body, &body) == nil {
		for _, name := range []string{"ClientToken", "clientToken"} {
			if token, ok := body[name].(string); ok && token != "" {
				tokens = append(tokens, token)
			}
		}
	}
	return tokens
}

// checkROA checks that what every request needs is there and has values that the service
// knows.
func (a *Attempt) checkROA(signed bool) *problem {
	if p := a.headersOnce("Accept", "Authorization", "Content-Md5", "Content-Type", "Date"); p != nil {
		return p
	}
	method, version := a.Header.Get("x-acs-signature-method"), a.Header.Get("x-acs-signature-version")
	switch sum := a.Header.Get("Content-MD5"); {
	case a.Version == "":
		return missing("x-acs-version")
	case a.Header.Get("Date") == "":
		return missing("Date")
	case signed && (a.Signature == "" || a.AccessKeyID == "" && a.bearer() == ""):
		return missing("Authorization")
	case a.Action != "" && !isName(a.Action):
		return &actionNotFound
	case method != "" && method != "HMAC-SHA1" || version != "" && version != "1.0":
		return &invalidMethod
	case sum != "" && sum != contentMD5(a.Body):
		return &problem{400, "ContentMD5NotMatched", "The Content-MD5 header does not match the body."}
	}
	return nil
}

// headersOnce refuses headers that are signed and stand there twice: those that begin with
// x-acs- and the others named.
func (a *Attempt) headersOnce(others ...string) *problem {
	for name, values := range a.Header {
		if len(values) > 1 && (strings.HasPrefix(name, "X-Acs-") || slices.Contains(others, name)) {
			return givenTwice(name)
		}
	}
	return nil
}

func contentMD5(body []byte) string {
	sum := md5.Sum(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// roaStringToSign builds the string to sign of ROA 1.0.
func (a *Attempt) roaStringToSign() string {
	var b strings.Builder
	for _, line := range []string{a.Method, a.Header.Get("Accept"), a.Header.Get("Content-MD5"), a.Header.Get("Content-Type"), a.Header.Get("Date")} {
		b.WriteString(line + "\n")
	}
	acsHeaders := make(map[string]string)
	for name, values := range a.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") {
			acsHeaders[name] = values[0]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(acsHeaders)) {
		b.WriteString(name + ":" + acsHeaders[name] + "\n")
	}
	b.WriteString(a.Path)
	for i, name := range slices.Sorted(maps.Keys(a.Query)) {
		b.WriteString(map[bool]string{true: "?", false: "&"}[i == 0] + name)
		if value := a.Query.Get(name); value != "" {
			b.WriteString("=" + value)
		}
	}
	return b.String()
}

// pathOf returns the path as it was sent.
func pathOf(r *http.Request) string {
	path, _, _ := strings.Cut(cmp.Or(r.RequestURI, r.URL.EscapedPath()), "?")
	if strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath() // a request to a proxy
}

// anyParams returns the business parameters, of query and form together.
func (a *Attempt) anyParams() url.Values {
	params := withoutTokens(a.Query)
	for name, values := range withoutTokens(a.Form) {
		params[name] = append(params[name], values...)
	}
	return params
}

func withoutTokens(v url.Values) url.Values {
	v = cloneValues(v)
	delete(v, "ClientToken")
	delete(v, "clientToken")
	return v
}
