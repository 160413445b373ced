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

// field is a header that each signing fills in.
type field uint8

const (
	dateField field = iota
	nonceField
	keyIDField         // where the request had it
	typeField          // likewise, and the credentials are a bearer token
	securityTokenField // where the credentials have it
	bearerTokenField   // likewise
	fields             // how many there are
	constField         // every other header
)

var fieldNames = [fields]string{"Date", "X-Acs-Signature-Nonce", "X-Acs-Accesskey-Id",
	"X-Acs-Signature-Type", "X-Acs-Security-Token", "X-Acs-Bearer-Token"}

// roa is a request of the ROA style, version 1.0, made ready for signing: a method, five
// lines of standard headers, those that begin with x-acs-, and the resource.
type roa struct {
	head     string           // the string to sign up to the date
	headers  []header         // x-acs- headers, sorted
	resource string           // path and decoded query
	keys     [fields][]string // as the request spells them, if it has them
	authKeys []string         // likewise, of Authorization
	added    []header         // what an unsigned request lacked
	body     []byte
}

// header is a header on its way into the string to sign.
type header struct {
	field field
	key   string // in lower case, as it is signed
	value string // of a constant header
}

const acsPrefix = "x-acs-"

func (p *roa) prepare(req *http.Request, method string, r *openapi.Request, body []byte) error {
	p.body = body
	standard := map[string]string{"accept": "", "content-md5": "", "content-type": ""}
	seen := make(map[string]bool)
	for key, values := range req.Header {
		lower := strings.ToLower(key)
		_, isStandard := standard[lower]
		switch f := fieldOf(lower); {
		case lower == "authorization":
			p.authKeys = append(p.authKeys, key)
			continue
		case f != constField:
			p.keys[f] = append(p.keys[f], key)
			continue
		case !isStandard && !strings.HasPrefix(lower, acsPrefix), len(values) == 0:
			continue
		case len(values) > 1, seen[lower]:
			return fmt.Errorf("%w: header %s stands there twice", ErrMalformed, key)
		}
		seen[lower] = true
		value := strings.Trim(values[0], " \t") // as net/http sends it
		if isStandard {
			standard[lower] = value
		} else {
			p.headers = append(p.headers, header{constField, lower, value})
		}
	}
	if err := p.complete(); err != nil {
		return err
	}
	for f := nonceField; f < fields; f++ {
		p.headers = append(p.headers, header{f, strings.ToLower(fieldNames[f]), ""})
	}
	slices.SortFunc(p.headers, func(a, b header) int { return cmp.Compare(a.key, b.key) })
	p.head = method + "\n" + standard["accept"] + "\n" + standard["content-md5"] + "\n" + standard["content-type"] + "\n"
	resource, err := canonicalResource(req.URL.EscapedPath(), r.Query)
	p.resource = resource
	return err
}

func fieldOf(lower string) field {
	for f, name := range fieldNames {
		if strings.EqualFold(name, lower) {
			return field(f)
		}
	}
	return constField
}

// complete adds the constant headers that an unsigned request lacks, and refuses what
// this style does not know.
func (p *roa) complete() error {
	for _, want := range [...]header{
		{constField, acsPrefix + "signature-method", "HMAC-SHA1"},
		{constField, acsPrefix + "signature-version", "1.0"},
	} {
		i := slices.IndexFunc(p.headers, func(h header) bool { return h.key == want.key })
		if i < 0 {
			p.headers = append(p.headers, want)
			p.added = append(p.added, want)
		} else if p.headers[i].value != want.value {
			return fmt.Errorf("%w: %s is not %s", ErrUnsupported, want.key, want.value)
		}
	}
	return nil
}

// canonicalResource is the path as it is sent and the query decoded, sorted by name. An
// empty value leaves its name alone.
func canonicalResource(path string, query []openapi.Param) (string, error) {
	var b strings.Builder
	b.WriteString(cmp.Or(path, "/"))
	sorted := slices.Clone(query)
	slices.SortFunc(sorted, func(a, b openapi.Param) int { return cmp.Compare(a.Name, b.Name) })
	separator := byte('?')
	for i, p := range sorted {
		if i > 0 && sorted[i-1].Name == p.Name {
			return "", fmt.Errorf("%w: parameter %q stands twice in the query", ErrMalformed, p.Name)
		}
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(p.Name)
		if p.Value != "" {
			b.WriteByte('=')
			b.WriteString(p.Value)
		}
	}
	return b.String(), nil
}

// fill gives the fields their values for one attempt; one that is not used is left out of
// the request.
func (p *roa) fill(c Credentials, at Stamp) (values [fields]string, used [fields]bool) {
	bearer := c.BearerToken != ""
	values = [fields]string{at.Time.UTC().Format(http.TimeFormat), at.Nonce, c.AccessKeyID, "BEARERTOKEN", c.SecurityToken, c.BearerToken}
	used = [fields]bool{true, true, p.keys[keyIDField] != nil && c.AccessKeyID != "", p.keys[typeField] != nil && bearer, c.SecurityToken != "", bearer}
	return values, used
}

// check refuses what net/http would not send as it is signed. A token that was read from a
// file with its line's end is the usual case.
func (p *roa) check(values *[fields]string) error {
	for f, v := range values {
		if v != strings.Trim(v, " \t") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("%w: what is to be header %s has a control character, or a space around it", ErrMalformed, fieldNames[f])
		}
	}
	return nil
}

// stringToSign follows the text "ROA-style API signature". A standard header that is not
// there leaves its line empty.
func (p *roa) stringToSign(values *[fields]string, used *[fields]bool) []byte {
	size := len(p.head) + len(values[dateField]) + 1 + len(p.resource)
	for i := range p.headers {
		size += len(p.headers[i].key) + len(p.headers[i].value) + 2
		if f := p.headers[i].field; f < fields {
			size += len(values[f])
		}
	}
	out := make([]byte, 0, size)
	out = append(out, p.head...)
	out = append(out, values[dateField]...)
	out = append(out, '\n')
	for i := range p.headers {
		h := &p.headers[i]
		value := h.value
		if h.field < fields {
			if !used[h.field] {
				continue
			}
			value = values[h.field]
		}
		out = append(out, h.key...)
		out = append(out, ':')
		out = append(out, value...)
		out = append(out, '\n')
	}
	return append(out, p.resource...)
}

func (p *roa) sign(req *http.Request, c Credentials, at Stamp) error {
	values, used := p.fill(c, at)
	if err := p.check(&values); err != nil {
		return err
	}
	secret := c.AccessKeySecret
	if c.BearerToken != "" {
		secret = "" // the bearer token alone authenticates
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(p.stringToSign(&values, &used))

	if req.Header == nil {
		req.Header = make(http.Header)
	}
	for f := range fields {
		value := values[f]
		if !used[f] {
			value = ""
		}
		replace(req.Header, p.keys[f], fieldNames[f], value)
	}
	for _, h := range p.added {
		req.Header.Set(h.key, h.value)
	}
	replace(req.Header, p.authKeys, "Authorization", "acs "+c.AccessKeyID+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	setBody(req, p.body)
	return nil
}

// replace leaves one header of that name, under the first key that the request has for it;
// an empty value leaves none.
func replace(h http.Header, keys []string, name, value string) {
	delete(h, name)
	for _, k := range keys {
		delete(h, k)
	}
	if len(keys) > 0 {
		name = keys[0]
	}
	if value != "" {
		h[name] = []string{value}
	}
}
