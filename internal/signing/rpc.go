package signing

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

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
	form   []byte        // likewise, where the slots stand there
	canon  []byte        // the canonical query, less the slots' values
	pieces [2*slots + 1]piece
	names  [slots]string // as the request spells them
	given  [slots]bool   // the caller's request had it
	kept   string        // the caller's SecurityToken
}

// piece is a part of the canonical query, encoded as it stands in the string to sign: a
// run of constant pairs, or a slot's name.
type piece struct {
	slot slot
	end  int // in canon, where the next one begins; 0 after the last one
}

// newRPC takes a request apart. What it makes may lie in room.
func newRPC(method string, r *openapi.Request, room []byte) (p rpc, err error) {
	p = rpc{method: cmp.Or(method, http.MethodGet), system: r.System,
		names: [slots]string{"AccessKeyId", "BearerToken", "SecurityToken", "SignatureNonce", "SignatureType", "Timestamp"}} // sorted
	var few [len(openapi.Room{}) + len(required)]pair
	pairs := p.takeOut(few[:0], r.Query, openapi.Query)
	if p.system == openapi.Form {
		pairs = p.takeOut(pairs, r.Form, openapi.Form)
	} else {
		// In the body a business parameter may have a system parameter's name. Two of
		// them together are a signature, though, and would stay as they are.
		signed := 0
		for i := range r.Form {
			if s := slotOf(r.Form[i].Name); s == signature || s == nonce {
				signed++
			}
			pairs = append(pairs, pair{r.Form[i], openapi.Form})
		}
		if signed > 1 {
			return p, fmt.Errorf("%w: the signature stands in the form, Action in the query", ErrMalformed)
		}
	}
	if pairs, err = complete(pairs, p.system); err != nil {
		return p, err
	}
	size, sorted := 0, true
	for i := range pairs {
		size += len(pairs[i].Raw) + 1
		sorted = sorted && (i == 0 || pairs[i-1].Name < pairs[i].Name)
	}
	text := room // in one piece: what follows query and form is written behind them
	if need := 9*size/4 + 192; need > cap(room) {
		text = make([]byte, 0, need)
	}
	p.query = appendWire(text, pairs, openapi.Query)
	text = p.query[len(p.query):]
	if p.system == openapi.Form {
		p.form = appendWire(text, pairs, openapi.Form)
		text = p.form[len(p.form):]
	}
	if !sorted {
		sortPairs(pairs)
		for i := 1; i < len(pairs); i++ {
			if pairs[i].Name == pairs[i-1].Name && pairs[i].place == pairs[i-1].place {
				return p, fmt.Errorf("%w: parameter %q stands twice in one place", ErrMalformed, pairs[i].Name)
			}
		}
	}
	p.canon = canonicalise(text, pairs, &p.names, &p.pieces)
	return p, nil
}

// fill gives the slots their values for one attempt; a slot that is not used is left
// out of the request.
func (p *rpc) fill(k Key, at Stamp) (values [slots]string, used [slots]bool) {
	set := func(s slot, value string, use bool) { values[s], used[s] = value, use }
	bearer := k.BearerToken != ""
	set(accessKeyID, k.AccessKeyID, k.AccessKeyID != "" || p.given[accessKeyID] && !k.Anonymous)
	set(bearerToken, k.BearerToken, bearer)
	set(securityToken, p.kept, p.given[securityToken] && !k.Anonymous)
	if k.SecurityToken != "" {
		set(securityToken, k.SecurityToken, true)
	}
	set(nonce, at.Nonce, true)
	set(signatureType, "", p.given[signatureType] && !k.Anonymous)
	if bearer {
		set(signatureType, "BEARERTOKEN", true)
	}
	set(timestamp, at.Time.UTC().Format(time.RFC3339), true)
	return values, used
}

// appendStringToSign follows the text "RPC-style API signature": METHOD & %2F & the
// encoded canonical query.
func (p *rpc) appendStringToSign(out []byte, values *[slots]string, used *[slots]bool) []byte {
	out = append(out, p.method...)
	out = append(out, "&%2F&"...)
	head, start := len(out), 0
	for i := range p.pieces {
		piece := &p.pieces[i]
		if piece.end == 0 {
			break
		}
		text := p.canon[start:piece.end]
		start = piece.end
		if piece.slot < slots && !used[piece.slot] {
			continue
		}
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

func (p *rpc) sign(req *http.Request, body []byte, k Key, at Stamp) error {
	values, used := p.fill(k, at)
	wire := p.query
	if p.system == openapi.Form {
		wire = p.form
	}
	var room [1024]byte
	out := append(room[:0], wire...)
	for s := range slots {
		if used[s] {
			out = appendAnd(out)
			out = append(out, p.names[s]...)
			out = append(out, '=')
			out = openapi.AppendEscape(out, values[s])
		}
	}
	if !k.Anonymous {
		out = append(out, "&Signature="...)
		out = openapi.AppendEscape(out, p.signature(k, &values, &used))
	}

	url := *req.URL
	if p.system == openapi.Form {
		url.RawQuery = string(p.query)
		setBody(req, bytes.Clone(out))
	} else {
		url.RawQuery = string(out)
		setBody(req, body)
	}
	req.URL = &url
	return nil
}

func (p *rpc) signature(k Key, values *[slots]string, used *[slots]bool) string {
	secret := k.AccessKeySecret
	if k.BearerToken != "" {
		secret = "" // the bearer token alone authenticates, and the key is "&"
	}
	var room [2048]byte
	var sum [sha1.Size]byte
	text := p.appendStringToSign(room[:blockSize], values, used)
	return base64.StdEncoding.EncodeToString(hashSHA1.appendHMAC(sum[:0], text, secret+"&"))
}
