package signing

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// acs3Fields are the headers that each signing of the ACS3 style fills in.
var acs3Fields = named([fields]string{authorizationField: "authorization", dateField: "x-acs-date", nonceField: "x-acs-signature-nonce",
	keyIDField: "x-acs-accesskey-id", typeField: "x-acs-signature-type", securityTokenField: "x-acs-security-token",
	bearerTokenField: "x-acs-bearer-token", hashField: "x-acs-content-sha256"})

// algorithm is one of those of the ACS3 style.
type algorithm struct {
	name string
	hash hash // of the body and of the canonical request
	rsa  bool // and no HMAC
}

// algorithms are the ones there are, the default first.
var algorithms = [...]algorithm{
	{"ACS3-HMAC-SHA256", hashSHA256, false},
	{"ACS3-HMAC-SM3", hashSM3, false},
	{"ACS3-RSA-SHA256", hashSHA256, true},
}

// acs3 is a request of the ACS3 style, made ready for signing.
type acs3 struct {
	headers
	algorithm algorithm
	head      []byte // the canonical request up to the headers: method, path, query
	hash      string // of the body
	typed     bool   // the query has the signature's type, as the SDK for operations of RPC puts it
}

func (p *acs3) prepare(req *http.Request, r *openapi.Request, body []byte) error {
	standard, err := p.gather(req.Header, acs3Fields, "content-type")
	if err != nil {
		return err
	}
	named := false
	if p.algorithm, named, err = p.algorithmOf(req.Header); err != nil {
		return err
	}
	if contentType := &standard[0]; contentType.given {
		err = p.add("content-type", contentType.value)
	}
	host := cmp.Or(req.Host, req.URL.Host)
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' || r == '%' }) {
		return fmt.Errorf("%w: net/http would send another Host than is there to be signed", ErrMalformed)
	}
	if err := cmp.Or(err, p.add("host", host), sortQuery(r.Query)); err != nil {
		return err
	}
	p.head = append(make([]byte, 0, len(req.URL.RawQuery)+len(req.URL.RawQuery)/2+64), cmp.Or(req.Method, http.MethodGet)...)
	p.head = append(p.head, '\n')
	p.head = append(p.head, mendURI(cmp.Or(req.URL.EscapedPath(), "/"))...)
	p.head = append(p.head, '\n')
	for i := range r.Query {
		param := &r.Query[i]
		p.typed = p.typed || param.Role == openapi.SignatureType
		if i > 0 {
			p.head = append(p.head, '&')
		}
		if name := param.Name(); param.PlainName() {
			p.head = append(p.head, name...)
		} else {
			p.head = append(p.head, mendURI(name)...)
		}
		p.head = append(p.head, '=')
		p.head = param.AppendValue(p.head)
	}
	p.head = append(p.head, '\n')
	p.hash = p.algorithm.hash.hexSum(body)
	// Of a client that does not sign, the hash of the body may tell its algorithm.
	if given := req.Header[p.keys[hashField]]; !named && len(given) == 1 && given[0] != p.hash && given[0] == hashSM3.hexSum(body) {
		p.algorithm, p.hash = algorithms[1], given[0]
	}
	return nil
}

// algorithmOf returns the algorithm that a request names, or else the default.
func (p *acs3) algorithmOf(h http.Header) (a algorithm, named bool, err error) {
	if p.keys[authorizationField] == "" {
		return algorithms[0], false, nil
	}
	for _, key := range append(p.drop[:len(p.drop):len(p.drop)], p.keys[authorizationField]) {
		if p.fieldOf(key) != authorizationField {
			continue
		}
		for _, signed := range h[key] {
			name := openapi.TrimSpace(signed)
			if !openapi.IsACS(name) {
				continue // another kind of authorization is replaced
			}
			if end := strings.IndexAny(name, " \t"); end >= 0 {
				name = name[:end]
			}
			i := slices.IndexFunc(algorithms[:], func(a algorithm) bool { return strings.EqualFold(a.name, name) })
			if i < 0 {
				return algorithm{}, false, fmt.Errorf("%w: another one than ACS3-HMAC-SHA256, ACS3-HMAC-SM3 and ACS3-RSA-SHA256", ErrUnsupported)
			}
			return algorithms[i], true, nil
		}
	}
	return algorithms[0], false, nil
}

// mendURI makes the path of a URL canonical, about which encoders of URLs and of RFC 3986
// disagree. The official clients for Go and Node.js leave names of the query as they are,
// but for what they mend in the whole query.
func mendURI(s string) string {
	for i := range len(s) {
		if c := s[i]; c == '+' || c == '*' || c == '%' {
			return canonicalURI.Replace(s)
		}
	}
	return s
}

var canonicalURI = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")

func (p *acs3) sign(req *http.Request, body []byte, k Key, at Stamp) error {
	v := p.fill(&k, at.Nonce)
	v[dateField] = at.Time.UTC().Format(time.RFC3339)
	v[hashField] = p.hash
	switch {
	case k.BearerToken != "" && !p.typed:
		v[typeField] = "BEARERTOKEN"
	case k.BearerToken == "" && k.SecurityToken != "":
		v[keyIDField] = k.AccessKeyID
	}
	if err := p.check(&k, &v); err != nil {
		return err
	}
	if k.BearerToken == "" && !k.Anonymous { // a bearer token authenticates without a signature
		var err error
		if v[authorizationField], err = p.authorization(&k, &v); err != nil {
			return err
		}
	}
	p.write(req, &v)
	setBody(req, body)
	return nil
}

// authorization follows the text "V3 request structure and signature".
func (p *acs3) authorization(k *Key, v *fieldValues) (string, error) {
	var room [2048]byte
	canonical, signedHeaders := p.appendCanonical(room[:0], v)
	var textRoom [256]byte
	var sum [maxSum]byte
	text := p.appendStringToSign(textRoom[:blockSize], canonical)
	var signature []byte
	if p.algorithm.rsa {
		var err error
		if signature, err = signRSA(text[blockSize:], k.AccessKeySecret); err != nil {
			return "", err
		}
	} else {
		signature = p.algorithm.hash.appendHMAC(sum[:0], text, k.AccessKeySecret)
	}

	var outRoom [1024]byte
	out := append(outRoom[:0], p.algorithm.name...)
	out = append(out, " Credential="...)
	out = append(out, k.AccessKeyID...)
	out = append(out, ",SignedHeaders="...)
	out = append(out, signedHeaders...)
	out = append(out, ",Signature="...)
	return string(hex.AppendEncode(out, signature)), nil
}

// appendCanonical appends the canonical request, and returns with it the part that lists the
// signed headers.
func (p *acs3) appendCanonical(out []byte, v *fieldValues) (canonical, signedHeaders []byte) {
	out = append(out, p.head...)
	out = p.appendTo(out, v)
	out = append(out, '\n')
	start := len(out)
	out = p.appendSigned(out, v)
	end := len(out)
	out = append(out, '\n')
	out = append(out, p.hash...)
	return out, out[start:end]
}

func (p *acs3) appendStringToSign(out, canonical []byte) []byte {
	out = append(out, p.algorithm.name...)
	out = append(out, '\n')
	var sum [maxSum]byte
	return hex.AppendEncode(out, p.algorithm.hash.appendSum(sum[:0], canonical))
}

// appendSigned appends the keys of the headers that are signed.
func (p *acs3) appendSigned(out []byte, v *fieldValues) []byte {
	start := len(out)
	list := p.list()
	for i := range list {
		h := &list[i]
		if h.field < fields && v[h.field] == "" {
			continue
		}
		if len(out) > start {
			out = append(out, ';')
		}
		out = append(out, h.key...)
	}
	return out
}
