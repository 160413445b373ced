package signer

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
)

// acs3Fields are the headers that each signing of the ACS3 style fills in.
var acs3Fields = [fields]string{dateField: "X-Acs-Date", nonceField: "X-Acs-Signature-Nonce", keyIDField: "X-Acs-Accesskey-Id",
	typeField: "X-Acs-Signature-Type", securityTokenField: "X-Acs-Security-Token", bearerTokenField: "X-Acs-Bearer-Token",
	hashField: "X-Acs-Content-Sha256"}

// acs3Algorithm is the one of the style's algorithms that is signed with here.
const acs3Algorithm = "ACS3-HMAC-SHA256"

// acs3 is a request of the ACS3 style, made ready for signing.
type acs3 struct {
	headers
	head  string // the canonical request up to the headers: method, path, query
	hash  string // of the body
	typed bool   // the query has the signature's type, as the SDK for operations of RPC puts it
}

func (p *acs3) prepare(req *http.Request, r *openapi.Request, body []byte) error {
	standard, err := p.gather(req.Header, &acs3Fields, "content-type")
	if err != nil {
		return err
	}
	for _, key := range p.authKeys {
		for _, signed := range req.Header[key] {
			signed = strings.TrimLeft(signed, " \t")
			if strings.HasPrefix(signed, "ACS3-") && !strings.HasPrefix(signed, acs3Algorithm) {
				return fmt.Errorf("%w: ACS3 by another algorithm than %s", ErrUnsupported, acs3Algorithm)
			}
		}
	}
	if contentType, ok := standard["content-type"]; ok {
		p.list = append(p.list, header{constField, "content-type", contentType})
	}
	host := cmp.Or(req.Host, req.URL.Host)
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' || r == '%' }) {
		return fmt.Errorf("%w: net/http would send another Host than is there to be signed", ErrMalformed)
	}
	p.list = append(p.list, header{constField, "host", host})
	p.headers.prepare()

	query, err := sortQuery(r.Query)
	if err != nil {
		return err
	}
	head := append(make([]byte, 0, len(req.URL.RawQuery)+len(req.URL.RawQuery)/2+64), cmp.Or(req.Method, http.MethodGet)...)
	head = append(head, '\n')
	head = append(head, canonicalURI.Replace(cmp.Or(req.URL.EscapedPath(), "/"))...)
	head = append(head, '\n')
	for i, param := range query {
		p.typed = p.typed || param.Name == "SignatureType"
		if i > 0 {
			head = append(head, '&')
		}
		// The official clients for Go and Node.js leave names as they are, but for what
		// they replace in the whole query.
		name := param.Name
		if strings.ContainsAny(name, "+*%") {
			name = canonicalURI.Replace(name)
		}
		head = append(head, name...)
		head = append(head, '=')
		head = param.AppendValue(head)
	}
	p.head = string(append(head, '\n'))
	sum := sha256.Sum256(body)
	p.hash = hex.EncodeToString(sum[:])
	return nil
}

// canonicalURI mends what encoders of URLs and of RFC 3986 disagree about.
var canonicalURI = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")

// signedHeaders lists the keys of the headers that are signed.
func (p *acs3) signedHeaders(v *fieldValues) string {
	keys := make([]string, 0, len(p.list))
	for i := range p.list {
		if h := &p.list[i]; h.field == constField || v[h.field] != "" {
			keys = append(keys, h.key)
		}
	}
	return strings.Join(keys, ";")
}

func (p *acs3) sign(req *http.Request, body []byte, c Credentials, at Stamp) error {
	v := p.fill(c, at.Nonce)
	v[dateField] = at.Time.UTC().Format("2006-01-02T15:04:05Z")
	v[hashField] = p.hash
	switch {
	case c.BearerToken != "" && !p.typed:
		v[typeField] = "BEARERTOKEN"
	case c.BearerToken == "" && c.SecurityToken != "":
		v[keyIDField] = c.AccessKeyID
	}
	if err := p.check(c, &v); err != nil {
		return err
	}
	authorization := "" // a bearer token authenticates without a signature
	if c.BearerToken == "" {
		signedHeaders := p.signedHeaders(&v)
		authorization = acs3Algorithm + " Credential=" + c.AccessKeyID + ",SignedHeaders=" + signedHeaders + ",Signature=" +
			p.signature(c.AccessKeySecret, signedHeaders, &v)
	}
	p.write(req, &v, authorization)
	setBody(req, body)
	return nil
}

// signature follows the text "V3 request structure and signature".
func (p *acs3) signature(secret, signedHeaders string, v *fieldValues) string {
	canonical := make([]byte, 0, 1024+len(p.head))
	canonical = append(canonical, p.head...)
	canonical = p.appendTo(canonical, v)
	canonical = append(canonical, '\n')
	canonical = append(canonical, signedHeaders...)
	canonical = append(canonical, '\n')
	canonical = append(canonical, p.hash...)
	sum := sha256.Sum256(canonical)

	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(hex.AppendEncode(append(make([]byte, 0, 96), acs3Algorithm+"\n"...), sum[:]))
	return hex.EncodeToString(mac.Sum(nil))
}
