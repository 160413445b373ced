package signing

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// slots bounds the roles of the parameters that each signing fills in, AccessKeyID to
// Timestamp. A SecurityToken stays the caller's where the credentials have none: 806
// operations have a field of that name.
const slots = openapi.Timestamp + 1

// slotsRoom is how many bytes slots and signature take, but for a long token.
const slotsRoom = 512

// slotNames are the slots' names where the request has none of them, sorted.
var slotNames = [slots]string{openapi.AccessKeyID: "AccessKeyId", openapi.BearerToken: "BearerToken", openapi.SecurityToken: "SecurityToken",
	openapi.SignatureNonce: "SignatureNonce", openapi.SignatureType: "SignatureType", openapi.Timestamp: "Timestamp"}

// slotted is what the slots hold in one attempt.
type slotted struct {
	value [slots]string
	used  [slots]bool // the others are left out of the request
}

// rpc is a request of the RPC style, version 1.0, taken apart for signing in the memory of a
// Scratch.
type rpc struct {
	*Scratch
	method   string
	system   openapi.Place         // where the slots stand on the wire
	names    [slots]string         // as the request spells them
	given    [slots]bool           // the caller's request had it
	kept     string                // the caller's SecurityToken
	constant order                 // the other parameters
	has      [len(required)]bool   // the request had it
	sizes    [openapi.Form + 1]int // of the constant ones on the wire, at most
	template template              // of the string to sign; empty before the first signature
}

// takeApart reads a request's parameters into m, which holds nothing of another request.
func (m *Scratch) takeApart(method string, r *openapi.Request) (*rpc, error) {
	p := &m.rpc
	p.Scratch, p.method, p.system, p.names = m, cmp.Or(method, http.MethodGet), r.System, slotNames
	p.constant.lists, p.constant.refs = [...][]openapi.Param{r.Query, r.Form, required[:]}, m.refs[:0]
	return p, p.takeOut()
}

func (p *rpc) sign(req *http.Request, body []byte, k Key, at Stamp) error {
	var now [len(time.RFC3339)]byte
	v := p.fill(&k, at.Nonce, string(at.Time.UTC().AppendFormat(now[:0], time.RFC3339)))
	if p.template.text == nil {
		p.canonicalise(&v)
		text := p.template.text
		p.writeHead(text)
		p.write(req, body, &k, &v, text, p.Scratch)
		copy(text[p.roomForHead():], and) // the head stood over it
		return nil
	}
	m := NewScratch() // the request's own must not change
	m.text = p.appendText(m.text[:0], &v)
	p.write(req, body, &k, &v, m.text, m)
	m.Release()
	return nil
}

// fill gives the slots their values for one attempt.
func (p *rpc) fill(k *Key, once, now string) (v slotted) {
	set := func(s openapi.Role, value string, use bool) { v.value[s], v.used[s] = value, use }
	bearer := k.BearerToken != ""
	set(openapi.AccessKeyID, k.AccessKeyID, k.AccessKeyID != "" || p.given[openapi.AccessKeyID] && !k.Anonymous)
	set(openapi.BearerToken, k.BearerToken, bearer)
	set(openapi.SecurityToken, p.kept, p.given[openapi.SecurityToken] && !k.Anonymous)
	if k.SecurityToken != "" {
		set(openapi.SecurityToken, k.SecurityToken, true)
	}
	set(openapi.SignatureNonce, once, true)
	set(openapi.SignatureType, "", p.given[openapi.SignatureType] && !k.Anonymous)
	if bearer {
		set(openapi.SignatureType, "BEARERTOKEN", true)
	}
	set(openapi.Timestamp, now, true)
	return v
}

// write signs text, the first block of which is room for the key, and writes the request. It uses
// the memory of m.
func (p *rpc) write(req *http.Request, body []byte, k *Key, v *slotted, text []byte, m *Scratch) {
	url := *req.URL
	if p.system == openapi.Form {
		url.RawQuery = afterAnd(p.appendConstant(m.wire[:0], openapi.Query))
	}
	wire := p.appendConstant(m.wire[:0], p.system)
	for s := openapi.AccessKeyID; s < slots; s++ {
		if v.used[s] {
			wire = append(wire, '&')
			wire = append(wire, p.names[s]...)
			wire = append(wire, '=')
			wire = openapi.AppendEscape(wire, v.value[s])
		}
	}
	if !k.Anonymous {
		secret := k.AccessKeySecret
		if k.BearerToken != "" {
			secret = "" // the bearer token alone authenticates, and the key is "&"
		}
		var sum [sha1.Size]byte
		var signature [(sha1.Size + 2) / 3 * 4]byte
		base64.StdEncoding.Encode(signature[:], hashSHA1.appendHMAC(sum[:0], text, secret+"&"))
		wire = append(wire, "&Signature="...)
		wire = openapi.AppendEscape(wire, string(signature[:]))
	}
	m.wire = wire
	if p.system == openapi.Form {
		form := afterAnd(wire)
		setReader(req, len(form), func() io.Reader { return strings.NewReader(form) })
	} else {
		url.RawQuery = afterAnd(wire)
		setBody(req, body)
	}
	req.URL = &url
}

// afterAnd is the text behind the separator that it begins with.
func afterAnd(wire []byte) string { return string(wire[min(1, len(wire)):]) }

// appendConstant appends the constant parameters of a place as they are sent, each with a
// separator before it.
func (p *rpc) appendConstant(out []byte, place openapi.Place) []byte {
	out = slices.Grow(out, p.sizes[place]+slotsRoom)
	list := p.constant.lists[place]
	for i := range list {
		if param := &list[i]; p.isConstant(param.Role, place) {
			out = append(out, '&')
			out = append(out, param.Raw...)
		}
	}
	for i := range required {
		if place == p.system && !p.has[i] {
			out = append(out, '&')
			out = append(out, required[i].Raw...)
		}
	}
	return out
}
