package signer

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"

	"github.com/aliretry/aliretry/internal/openapi"
)

// slot is a parameter that each signing fills in.
type slot uint8

const (
	accessKeyID slot = iota
	bearerToken
	securityToken // stays the caller's where the credentials have none: 806 operations have a field of that name
	nonce
	signatureType
	timestamp
	slots     // how many there are
	signature // recomputed, and not part of what is signed
	constant  // every other parameter
)

func slotOf(name string) slot {
	switch name {
	case "AccessKeyId":
		return accessKeyID
	case "BearerToken":
		return bearerToken
	case "SecurityToken":
		return securityToken
	case "SignatureNonce":
		return nonce
	case "SignatureType":
		return signatureType
	case "Timestamp", "TimeStamp": // the second is the spelling of old code, signed as it stands
		return timestamp
	case "Signature":
		return signature
	}
	return constant
}

// rpc is a request of the RPC style, version 1.0, made ready in the two forms that an
// attempt needs: what goes on the wire, and the canonical query that is signed. Their
// constant parts are fixed here; each signing fills in the slots.
type rpc struct {
	method string
	system openapi.Place // where the slots stand on the wire
	query  []byte        // of the wire, less the slots
	form   []byte        // likewise; any other body as it is
	canon  []piece
	names  [slots]string // as the request spells them
	given  [slots]bool   // the caller's request had it
	kept   string        // the caller's SecurityToken
}

// piece is a part of the canonical query, encoded as it stands in the string to sign:
// a run of constant pairs, or a slot's name.
type piece struct {
	slot slot
	text []byte
}

// pair is a parameter on its way into the canonical query.
type pair struct {
	openapi.Param
	place openapi.Place
	slot  slot
}

// The separators of the canonical query, encoded once more.
const (
	and    = "%26"
	equals = "%3D"
)

func (p *rpc) prepare(method string, r *openapi.Request, body []byte) error {
	p.method, p.system, p.form = method, r.System, body
	p.names = [slots]string{"AccessKeyId", "BearerToken", "SecurityToken", "SignatureNonce", "SignatureType", "Timestamp"}
	pairs := make([]pair, 0, len(r.Query)+len(r.Form)+int(slots)+2)
	pairs = p.takeOut(pairs, r.Query, openapi.Query)
	if p.system == openapi.Form {
		pairs = p.takeOut(pairs, r.Form, openapi.Form)
	} else {
		// In the body a business parameter may have a system parameter's name. Two of
		// them together are a signature, though, and would stay as they are.
		signed := 0
		for _, param := range r.Form {
			if s := slotOf(param.Name); s == signature || s == nonce {
				signed++
			}
			pairs = append(pairs, pair{param, openapi.Form, constant})
		}
		if signed > 1 {
			return fmt.Errorf("%w: the signature stands in the form, Action in the query", ErrMalformed)
		}
	}
	pairs, err := complete(pairs, p.system)
	if err != nil {
		return err
	}
	p.query = wire(pairs, openapi.Query)
	if p.system == openapi.Form {
		p.form = wire(pairs, openapi.Form)
	}
	for s := range slots {
		pairs = append(pairs, pair{openapi.Param{Name: p.names[s]}, p.system, s})
	}
	return p.canonicalise(pairs)
}

// takeOut appends the constant parameters to pairs and notes the slots among them.
func (p *rpc) takeOut(pairs []pair, params []openapi.Param, place openapi.Place) []pair {
	for _, param := range params {
		switch s := slotOf(param.Name); s {
		case constant:
			pairs = append(pairs, pair{param, place, constant})
		case signature:
		default:
			p.names[s], p.given[s] = param.Name, true
			if s == securityToken {
				p.kept = param.Value
			}
		}
	}
	return pairs
}

// complete adds the constant parameters that an unsigned request lacks, and refuses
// methods that this style does not know.
func complete(pairs []pair, system openapi.Place) ([]pair, error) {
	required := [...]openapi.Param{
		{Name: "SignatureMethod", Value: "HMAC-SHA1", Raw: "SignatureMethod=HMAC-SHA1"},
		{Name: "SignatureVersion", Value: "1.0", Raw: "SignatureVersion=1.0"},
	}
	for _, want := range required {
		i := slices.IndexFunc(pairs, func(p pair) bool { return p.Name == want.Name })
		if i < 0 {
			pairs = append(pairs, pair{want, system, constant})
		} else if pairs[i].Value != want.Value {
			return nil, fmt.Errorf("%w: %s is not %s", ErrUnsupported, want.Name, want.Value)
		}
	}
	return pairs, nil
}

// wire joins the pairs of one place as the caller wrote them.
func wire(pairs []pair, place openapi.Place) []byte {
	n := 0
	for i := range pairs {
		n += len(pairs[i].Raw) + 1
	}
	out := make([]byte, 0, n)
	for i := range pairs {
		if pairs[i].place == place {
			out = appendAnd(out)
			out = append(out, pairs[i].Raw...)
		}
	}
	return out
}

func appendAnd(dst []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	return dst
}

// canonicalise sorts the pairs by name, in byte order, and encodes them. Of a name in
// both places the form's value counts, as in the SDK.
func (p *rpc) canonicalise(pairs []pair) error {
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.place, b.place))
	})
	size := 0
	for i := range pairs {
		size += len(pairs[i].Raw) + len(pairs[i].Name) + len(and) + len(equals)
	}
	text := make([]byte, 0, size+size/2)
	p.canon = make([]piece, 0, 2*slots+1)
	start := 0
	flush := func(s slot) {
		if start < len(text) {
			p.canon = append(p.canon, piece{s, text[start:len(text):len(text)]})
			start = len(text)
		}
	}
	for i := range pairs {
		this := &pairs[i]
		if i+1 < len(pairs) && pairs[i+1].Name == this.Name {
			if pairs[i+1].place == this.place {
				return fmt.Errorf("%w: parameter %q stands twice in one place", ErrMalformed, this.Name)
			}
			continue
		}
		if this.slot != constant {
			flush(constant)
		}
		text = append(text, and...)
		text = openapi.AppendEscapeTwice(text, this.Name)
		text = append(text, equals...)
		if this.slot == constant {
			text = openapi.AppendEscapeTwice(text, this.Value)
		} else {
			flush(this.slot)
		}
	}
	flush(constant)
	return nil
}

// fill gives the slots their values for one attempt; a slot that is not used is left
// out of the request.
func (p *rpc) fill(c Credentials, at Stamp) (values [slots]string, used [slots]bool) {
	set := func(s slot, value string, use bool) { values[s], used[s] = value, use }
	bearer := c.BearerToken != ""
	set(accessKeyID, c.AccessKeyID, c.AccessKeyID != "" || p.given[accessKeyID])
	set(bearerToken, c.BearerToken, bearer)
	set(securityToken, p.kept, p.given[securityToken])
	if c.SecurityToken != "" {
		set(securityToken, c.SecurityToken, true)
	}
	set(nonce, at.Nonce, true)
	set(signatureType, "", p.given[signatureType])
	if bearer {
		set(signatureType, "BEARERTOKEN", true)
	}
	set(timestamp, at.Time.UTC().Format("2006-01-02T15:04:05Z"), true)
	return values, used
}

// stringToSign follows the text "RPC-style API signature": METHOD & %2F & the encoded
// canonical query.
func (p *rpc) stringToSign(values *[slots]string, used *[slots]bool) []byte {
	size := len(p.method) + len("&%2F&")
	for _, piece := range p.canon {
		size += len(piece.text)
		if piece.slot < slots {
			size += 2 * len(values[piece.slot])
		}
	}
	out := make([]byte, 0, size)
	out = append(out, p.method...)
	out = append(out, "&%2F&"...)
	head := len(out)
	for _, piece := range p.canon {
		if piece.slot < slots && !used[piece.slot] {
			continue
		}
		text := piece.text
		if len(out) == head {
			text = text[len(and):]
		}
		out = append(out, text...)
		if piece.slot < slots {
			out = openapi.AppendEscapeTwice(out, values[piece.slot])
		}
	}
	return out
}

func (p *rpc) sign(req *http.Request, c Credentials, at Stamp) {
	values, used := p.fill(c, at)
	secret := c.AccessKeySecret
	if c.BearerToken != "" {
		secret = "" // the bearer token alone authenticates, and the key is "&"
	}
	mac := hmac.New(sha1.New, append(append(make([]byte, 0, 64), secret...), '&'))
	mac.Write(p.stringToSign(&values, &used))
	var sum [sha1.Size]byte
	mac.Sum(sum[:0])

	out := p.query
	if p.system == openapi.Form {
		out = p.form
	}
	out = append(make([]byte, 0, len(out)+320), out...)
	for s := range slots {
		if used[s] {
			out = appendAnd(out)
			out = append(out, p.names[s]...)
			out = append(out, '=')
			out = openapi.AppendEscape(out, values[s])
		}
	}
	out = append(out, "&Signature="...)
	out = openapi.AppendEscape(out, base64.StdEncoding.EncodeToString(sum[:]))

	url := *req.URL
	if p.system == openapi.Form {
		url.RawQuery = string(p.query)
		setBody(req, out)
	} else {
		url.RawQuery = string(out)
		setBody(req, p.form)
	}
	req.URL = &url
}
