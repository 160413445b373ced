package openapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Parts returns what makes a logical call this one and no other, in a fixed order: operation,
// host and business parameters; but for the RPC style, where the path may hold parameters or be
// all that names the operation, method, path and region as well; and the body where it is no form. A
// body that is a JSON object gives a part for each member, however it is written. What the
// signature adds is left out, and so is the client token.
func Parts(r *Request, req *http.Request, body []byte) []Param {
	host := strings.ToLower(cmp.Or(req.Host, req.URL.Host))
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[req.URL.Scheme])
	parts := []Param{NewParam("Host", host), NewParam("Version", r.Version)}
	if !r.ByPath { // else method and path name it, and the catalogue may learn what to call it
		parts = append(parts, NewParam("Action", r.Action))
	}
	if r.Style != RPC {
		parts = append(parts, NewParam("Method", req.Method), NewParam("Path", req.URL.EscapedPath()))
		for key, values := range req.Header {
			if strings.EqualFold(key, "x-acs-region-id") && len(values) > 0 {
				parts = append(parts, NewParam("Region", values[0]))
			}
		}
	}
	for place, params := range [...][]Param{Query: r.Query, Form: r.Form} {
		params = slices.DeleteFunc(slices.Clone(params), func(p Param) bool {
			// In a form beside them, business parameters may have a common one's name.
			isCommon := r.Style == RPC && (Place(place) == Query || r.System == Form) && p.Role != Business && p.Role <= Format
			return isCommon || p.IsToken() || r.Style != RPC && p.Name() == "SignatureType"
		})
		slices.SortFunc(params, func(a, b Param) int {
			return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Value(), b.Value()))
		})
		parts = append(parts, params...)
	}
	if r.Form != nil || len(body) == 0 {
		return parts
	}
	if members, ok := jsonParts(body); ok {
		return append(parts, members...)
	}
	return append(parts, NewParam("Body", string(body)))
}

// IsTokenName reports whether a name is that of a client token, in either spelling.
func IsTokenName(name string) bool { return name == "ClientToken" || name == "clientToken" }

// jsonParts returns the members of a body that is a JSON object, each in its canonical form.
func jsonParts(body []byte) ([]Param, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // 64 bits are more than a float64 tells apart
	var members map[string]any
	if d.Decode(&members) != nil || members == nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	parts := make([]Param, 0, len(members))
	for name, value := range members {
		if text, err := json.Marshal(value); err == nil && !IsTokenName(name) { // sorts what is within
			parts = append(parts, NewParam("Body."+name, string(text)))
		}
	}
	slices.SortFunc(parts, func(a, b Param) int { return cmp.Compare(a.Name(), b.Name()) })
	return parts, true
}

// Fingerprint is a digest of a call's [Parts].
func Fingerprint(parts []Param) [sha256.Size]byte {
	h := sha256.New()
	for i := range parts {
		for _, s := range [...]string{parts[i].Name(), parts[i].Value()} {
			var n [8]byte // with its length, so that no two lists run together
			binary.BigEndian.PutUint64(n[:], uint64(len(s)))
			h.Write(n[:])
			h.Write([]byte(s))
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
