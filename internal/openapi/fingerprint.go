package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
)

// Fingerprint is a digest of what makes two logical calls the same: operation, host,
// business parameters, and the body where it is no form; but for the RPC style, where the
// path may hold parameters or be all that names the operation, method and path as well. What
// the signature adds is left out, and so is the client token.
func Fingerprint(r *Request, req *http.Request, body []byte) [sha256.Size]byte {
	params := slices.Concat(r.Query, r.Form)
	params = slices.DeleteFunc(params, func(p Param) bool {
		return p.Name == "ClientToken" || p.Name == "clientToken" || r.Style == RPC && isOfSigning(p.Name)
	})
	slices.SortFunc(params, func(a, b Param) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	h := sha256.New()
	write := func(s string) { // with its length, so that no two lists run together
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	for _, s := range []string{req.URL.Host, r.Version, r.Action} {
		write(s)
	}
	if r.Style != RPC {
		write(req.Method)
		write(req.URL.EscapedPath())
	}
	for i := range params {
		write(params[i].Name)
		write(params[i].Value)
	}
	if r.Form == nil {
		h.Write(body)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// isOfSigning reports whether a parameter of the RPC style changes between equal calls.
func isOfSigning(name string) bool {
	switch name {
	case "AccessKeyId", "BearerToken", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType",
		"SignatureVersion", "Timestamp", "TimeStamp", "Format":
		return true
	}
	return false
}
