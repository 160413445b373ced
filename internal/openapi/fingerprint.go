package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// Fingerprint is a digest of what makes two logical calls the same: operation, host,
// business parameters, and the body where it is no form; but for the RPC style, where the
// path may hold parameters or be all that names the operation, method and path as well. What
// the signature adds is left out, and so is the client token in query and form.
func Fingerprint(r *Request, req *http.Request, body []byte) [sha256.Size]byte {
	h := sha256.New()
	write := func(s string) { // with its length, so that no two lists run together
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	host := strings.ToLower(cmp.Or(req.Host, req.URL.Host))
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[req.URL.Scheme])
	for _, s := range []string{host, r.Version, r.Action} {
		write(s)
	}
	if r.Style != RPC {
		write(req.Method)
		write(req.URL.EscapedPath())
	}
	for place, params := range [...][]Param{Query: r.Query, Form: r.Form} {
		params = slices.DeleteFunc(slices.Clone(params), func(p Param) bool {
			// In a form beside them, business parameters may have a common one's name.
			isCommon := r.Style == RPC && (Place(place) == Query || r.System == Form) && p.Role != Business && p.Role <= Format
			return isCommon || p.Name() == "ClientToken" || p.Name() == "clientToken"
		})
		slices.SortFunc(params, func(a, b Param) int {
			return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Value(), b.Value()))
		})
		write("")
		for i := range params {
			write(params[i].Name())
			write(params[i].Value())
		}
	}
	if r.Form == nil {
		h.Write(body)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
