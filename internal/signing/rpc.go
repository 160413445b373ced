package signing

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
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
	signatureMethod
	signatureVersion
	constant // every other parameter, of which the two before must be there
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
	case "SignatureMethod":
		return signatureMethod
	case "SignatureVersion":
		return signatureVersion
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
	end  int32 // in canon, where the next one begins; 0 after the last one
}

// newRPC takes a request apart. What it makes may lie in room.
func newRPC(method string, r *openapi.Request, room []byte) (p rpc, err error) {
	p.method, p.system = cmp.Or(method, http.MethodGet), r.System
	p.names = [slots]string{"AccessKeyId", "BearerToken", "SecurityToken", "SignatureNonce", "SignatureType", "Timestamp"} // sorted
	var few [len(openapi.Room{}) + len(required)]pair
	pairs, err := p.takeOut(few[:0], r)
	if err != nil {
		return p, err
	}
	size, sorted, last := 0, true, ""
	for i := range pairs {
		size += len(pairs[i].Raw) + 1
		name := pairs[i].Name()
		sorted = sorted && less(last, name)
		last = name
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
			if pairs[i].Name() == pairs[i-1].Name() && pairs[i].place == pairs[i-1].place {
				return p, fmt.Errorf("%w: parameter %q stands twice in one place", ErrMalformed, pairs[i].Name())
			}
		}
	}
	p.canon = canonicalise(text, pairs, &p.names, &p.pieces)
	return p, nil
}

// fill gives the slots their values for one attempt; a slot that is not used is left
// out of the request.
func (p *rpc) fill(k Key, once, now string) (values [slots]string, used [slots]bool) {
	set := func(s slot, value string, use bool) { values[s], used[s] = value, use }
	bearer := k.BearerToken != ""
	set(accessKeyID, k.AccessKeyID, k.AccessKeyID != "" || p.given[accessKeyID] && !k.Anonymous)
	set(bearerToken, k.BearerToken, bearer)
	set(securityToken, p.kept, p.given[securityToken] && !k.Anonymous)
	if k.SecurityToken != "" {
		set(securityToken, k.SecurityToken, true)
	}
	set(nonce, once, true)
	set(signatureType, "", p.given[signatureType] && !k.Anonymous)
	if bearer {
		set(signatureType, "BEARERTOKEN", true)
	}
	set(timestamp, now, true)
	return values, used
}

// appendStringToSign follows the text "RPC-style API signature": METHOD & %2F & the
// encoded canonical query.
func (p *rpc) appendStringToSign(out []byte, values *[slots]string, used *[slots]bool) []byte {
	out = append(out, p.method...)
	out = append(out, "&%2F&"...)
	head, start := len(out), int32(0)
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
	var now [len(time.RFC3339)]byte
	values, used := p.fill(k, at.Nonce, string(at.Time.UTC().AppendFormat(now[:0], time.RFC3339)))
	var room [512]byte
	slotted := room[:0] // what follows the constant part
	for s := range slots {
		if used[s] {
			slotted = appendAnd(slotted)
			slotted = append(slotted, p.names[s]...)
			slotted = append(slotted, '=')
			slotted = openapi.AppendEscape(slotted, values[s])
		}
	}
	if !k.Anonymous {
		slotted = append(slotted, "&Signature="...)
		signature := p.signature(k, &values, &used)
		slotted = openapi.AppendEscape(slotted, string(signature[:]))
	}

	url := *req.URL
	if p.system == openapi.Form {
		url.RawQuery = string(p.query)
		setBody(req, slices.Concat(p.form, []byte{'&'}, slotted))
	} else {
		url.RawQuery = string(p.query) + "&" + string(slotted) // copies each but once
		setBody(req, body)
	}
	req.URL = &url
	return nil
}

func (p *rpc) signature(k Key, values *[slots]string, used *[slots]bool) (out [(sha1.Size + 2) / 3 * 4]byte) {
	secret := k.AccessKeySecret
	if k.BearerToken != "" {
		secret = "" // the bearer token alone authenticates, and the key is "&"
	}
	var room [1536]byte
	var sum [sha1.Size]byte
	text := p.appendStringToSign(room[:blockSize], values, used)
	base64.StdEncoding.Encode(out[:], hashSHA1.appendHMAC(sum[:0], text, secret+"&"))
	return out
}
