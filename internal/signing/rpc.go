package signing

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// slots bounds the roles of the parameters that each signing fills in, AccessKeyID to
// Timestamp. A SecurityToken stays the caller's where the credentials have none: 806
// operations have a field of that name.
const slots = openapi.Timestamp + 1

// slotted is what the slots hold in one attempt.
type slotted struct {
	value [slots]string
	used  [slots]bool // the others are left out of the request
}

// rpc is a request of the RPC style, version 1.0, made ready in the two forms that an
// attempt needs: what goes on the wire, and the canonical query that is signed. Their
// constant parts are fixed here; each signing fills in the slots.
type rpc struct {
	taken
	pieces pieces
}

// taken is what was taken out of a request.
type taken struct {
	method string
	system openapi.Place // where the slots stand on the wire
	wire   wire
	names  [slots]string // as the request spells them
	given  [slots]bool   // the caller's request had it
	kept   string        // the caller's SecurityToken
}

// wire is the query and, where the slots stand there, the form as they are sent, less the
// slots.
type wire [openapi.Form + 1][]byte

// newRPC makes a request ready, in the memory of m.
func newRPC(method string, r *openapi.Request, m *Scratch) (*rpc, error) {
	p := &m.rpc
	err := p.takeApart(method, r, m)
	if err == nil {
		p.pieces.n = 0
		m.text = p.canonicalise(m.text, &m.order, nil, &p.pieces)
		p.pieces.text = m.text
	}
	return p, err
}

// signOnce does what newRPC and sign do, and is spared what would outlive the signature.
func signOnce(req *http.Request, r *openapi.Request, body []byte, k *Key, at Stamp, m *Scratch) error {
	p := &m.rpc.taken
	if err := p.takeApart(req.Method, r, m); err != nil {
		return err
	}
	var now [len(time.RFC3339)]byte
	v := p.fill(k, at.Nonce, string(at.Time.UTC().AppendFormat(now[:0], time.RFC3339)))
	m.text = p.canonicalise(p.appendHead(m.text[:blockSize]), &m.order, &v, nil)
	p.write(req, body, k, &v, m.text)
	return nil
}

// takeApart reads a request's parameters. The constant ones are then in m.order.
func (p *taken) takeApart(method string, r *openapi.Request, m *Scratch) error {
	m.order = order{lists: [...][]openapi.Param{r.Query, r.Form, required[:]}, refs: m.refs[:0]}
	size := 0
	for _, params := range m.order.lists {
		for i := range params {
			size += len(params[i].Raw) + len("&")
		}
	}
	m.reserve(size)
	*p = taken{method: cmp.Or(method, http.MethodGet), system: r.System, wire: wire{m.wire}, names: slotNames}
	return p.takeOut(&m.order)
}

// slotNames are the slots' names where the request has none of them, sorted.
var slotNames = [slots]string{openapi.AccessKeyID: "AccessKeyId", openapi.BearerToken: "BearerToken", openapi.SecurityToken: "SecurityToken",
	openapi.SignatureNonce: "SignatureNonce", openapi.SignatureType: "SignatureType", openapi.Timestamp: "Timestamp"}

// fill gives the slots their values for one attempt.
func (p *taken) fill(k *Key, once, now string) (v slotted) {
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

func (p *rpc) sign(req *http.Request, body []byte, k Key, at Stamp) error {
	var now [len(time.RFC3339)]byte
	v := p.fill(&k, at.Nonce, string(at.Time.UTC().AppendFormat(now[:0], time.RFC3339)))
	var room [1536]byte
	text := p.pieces.appendTo(p.appendHead(room[:blockSize]), &v)
	p.write(req, body, &k, &v, text)
	return nil
}

// appendHead and the canonical query make up the string to sign, following the text
// "RPC-style API signature": METHOD & %2F & the encoded canonical query.
func (p *taken) appendHead(out []byte) []byte {
	out = append(out, p.method...)
	return append(out, "&%2F&"...)
}

// write signs text, the first block of which is room for the key, and writes the request.
func (p *taken) write(req *http.Request, body []byte, k *Key, v *slotted, text []byte) {
	var room [512]byte
	out := room[:0] // what follows the constant part
	for s := openapi.AccessKeyID; s < slots; s++ {
		if v.used[s] {
			out = appendAnd(out)
			out = append(out, p.names[s]...)
			out = append(out, '=')
			out = openapi.AppendEscape(out, v.value[s])
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
		out = append(out, "&Signature="...)
		out = openapi.AppendEscape(out, string(signature[:]))
	}

	url := *req.URL
	if p.system == openapi.Form {
		url.RawQuery = string(p.wire[openapi.Query])
		setBody(req, slices.Concat(p.wire[openapi.Form], []byte{'&'}, out))
	} else {
		url.RawQuery = string(p.wire[openapi.Query]) + "&" + string(out) // copies each but once
		setBody(req, body)
	}
	req.URL = &url
}
