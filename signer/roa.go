package signer

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
)

// roaFields are the headers that each signing of the ROA style fills in. The ID of the key
// and the signature's type are not the SDK's; other clients send them.
var roaFields = [fields]string{dateField: "Date", nonceField: "X-Acs-Signature-Nonce", keyIDField: "X-Acs-Accesskey-Id",
	typeField: "X-Acs-Signature-Type", securityTokenField: "X-Acs-Security-Token", bearerTokenField: "X-Acs-Bearer-Token"}

// roa is a request of the ROA style, version 1.0, made ready for signing: a method, four
// lines of standard headers, those that begin with x-acs-, and the resource.
type roa struct {
	headers
	head     string // the string to sign up to the date
	resource string // path and decoded query
}

func (p *roa) prepare(req *http.Request, r *openapi.Request, body []byte) error {
	standard, err := p.gather(req.Header, &roaFields, "accept", "content-md5", "content-type")
	if err != nil {
		return err
	}
	if err := cmp.Or(p.complete(acsPrefix+"signature-method", "HMAC-SHA1"), p.complete(acsPrefix+"signature-version", "1.0")); err != nil {
		return err
	}
	p.headers.prepare()
	// A header that is not there leaves its line empty.
	p.head = cmp.Or(req.Method, http.MethodGet) + "\n" + standard["accept"] + "\n" + standard["content-md5"] + "\n" + standard["content-type"] + "\n"
	p.resource, err = canonicalResource(req.URL.EscapedPath(), r.Query)
	return err
}

// canonicalResource is the path as it is sent and the query decoded, sorted by name. An
// empty value leaves its name alone.
func canonicalResource(path string, query []openapi.Param) (string, error) {
	sorted, err := sortQuery(query)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(cmp.Or(path, "/"))
	separator := byte('?')
	for _, p := range sorted {
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(p.Name)
		if value := p.Value(); value != "" {
			b.WriteByte('=')
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// sortQuery sorts parameters by name, each of which may stand there once.
func sortQuery(query []openapi.Param) ([]openapi.Param, error) {
	sorted := slices.Clone(query)
	slices.SortFunc(sorted, func(a, b openapi.Param) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i-1].Name == sorted[i].Name {
			return nil, fmt.Errorf("%w: parameter %q stands twice in the query", ErrMalformed, sorted[i].Name)
		}
	}
	return sorted, nil
}

// stringToSign follows the text "ROA-style API signature".
func (p *roa) stringToSign(v *fieldValues) []byte {
	out := make([]byte, 0, 512+len(p.head)+len(p.resource))
	out = append(out, p.head...)
	out = append(out, v[dateField]...)
	out = append(out, '\n')
	out = p.appendTo(out, v)
	return append(out, p.resource...)
}

func (p *roa) sign(req *http.Request, body []byte, c Credentials, at Stamp) error {
	v := p.fill(c, at.Nonce)
	v[dateField] = at.Time.UTC().Format(http.TimeFormat)
	if err := p.check(c, &v); err != nil {
		return err
	}
	secret := c.AccessKeySecret
	if c.BearerToken != "" {
		secret = "" // the bearer token alone authenticates
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(p.stringToSign(&v))
	p.write(req, &v, "acs "+c.AccessKeyID+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	setBody(req, body)
	return nil
}
