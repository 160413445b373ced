package signing

import (
	"cmp"
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
var roaFields = named([fields]string{authorizationField: "authorization", dateField: "date", nonceField: "x-acs-signature-nonce",
	keyIDField: "x-acs-accesskey-id", typeField: "x-acs-signature-type", securityTokenField: "x-acs-security-token",
	bearerTokenField: "x-acs-bearer-token"})

// roa is a request of the ROA style, version 1.0, made ready for signing: a method, four
// lines of standard headers, those that begin with x-acs-, and the resource.
type roa struct {
	headers
	head     string // the string to sign up to the date
	resource string // path and decoded query
}

func (p *roa) prepare(req *http.Request, r *openapi.Request) error {
	standard, err := p.gather(req.Header, roaFields, "accept", "content-md5", "content-type")
	if err != nil {
		return err
	}
	if err := cmp.Or(p.complete(acsPrefix+"signature-method", "HMAC-SHA1"), p.complete(acsPrefix+"signature-version", "1.0")); err != nil {
		return err
	}
	// A header that is not there leaves its line empty.
	p.head = cmp.Or(req.Method, http.MethodGet) + "\n" + standard[0].value + "\n" + standard[1].value + "\n" + standard[2].value + "\n"
	p.resource, err = canonicalResource(req.URL.EscapedPath(), r.Query)
	return err
}

// canonicalResource is the path as it is sent and the query decoded, sorted by name. An
// empty value leaves its name alone.
func canonicalResource(path string, query []openapi.Param) (string, error) {
	if err := sortQuery(query); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(cmp.Or(path, "/"))
	separator := byte('?')
	for i := range query {
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(query[i].Name())
		if value := query[i].Value(); value != "" {
			b.WriteByte('=')
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// sortQuery sorts parameters by name, each of which may stand there once.
func sortQuery(query []openapi.Param) error {
	sorted := true // the SDKs sort
	for i := 1; i < len(query) && sorted; i++ {
		sorted = query[i-1].Name() < query[i].Name()
	}
	if sorted {
		return nil
	}
	slices.SortFunc(query, func(a, b openapi.Param) int { return strings.Compare(a.Name(), b.Name()) })
	for i := 1; i < len(query); i++ {
		if query[i-1].Name() == query[i].Name() {
			return fmt.Errorf("%w: parameter %q stands twice in the query", ErrMalformed, query[i].Name())
		}
	}
	return nil
}

// appendStringToSign follows the text "ROA-style API signature".
func (p *roa) appendStringToSign(out []byte, v *fieldValues) []byte {
	out = append(out, p.head...)
	out = append(out, v[dateField]...)
	out = append(out, '\n')
	out = p.appendTo(out, v)
	return append(out, p.resource...)
}

func (p *roa) sign(req *http.Request, body []byte, k Key, at Stamp) error {
	v := p.fill(&k, at.Nonce)
	v[dateField] = at.Time.UTC().Format(http.TimeFormat)
	if err := p.check(&k, &v); err != nil {
		return err
	}
	if !k.Anonymous {
		v[authorizationField] = "acs " + k.AccessKeyID + ":" + p.signature(&k, &v)
	}
	p.write(req, &v)
	setBody(req, body)
	return nil
}

func (p *roa) signature(k *Key, v *fieldValues) string {
	secret := k.AccessKeySecret
	if k.BearerToken != "" {
		secret = "" // the bearer token alone authenticates
	}
	var room [2048]byte
	var sum [sha1.Size]byte
	text := p.appendStringToSign(room[:blockSize], v)
	return base64.StdEncoding.EncodeToString(hashSHA1.appendHMAC(sum[:0], text, secret))
}
