package signer

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// field is a header that each signing fills in.
type field uint8

const (
	dateField field = iota
	nonceField
	keyIDField
	typeField
	securityTokenField
	bearerTokenField
	hashField  // ACS3: of the body
	fields     // how many there are
	constField // every other header
)

// header is a header on its way into the text that is signed.
type header struct {
	field field
	key   string // in lower case, as it is signed
	value string // of a constant header
}

// headers are those of a request that ROA and ACS3 sign: the constant ones, and places for
// the fields.
type headers struct {
	names    *[fields]string // of the style; "" for a field that it does not have
	list     []header        // sorted by key once prepare is done
	keys     [fields][]string
	authKeys []string // as the request spells Authorization, if it has it
	added    []header // what an unsigned request lacked
}

const acsPrefix = "x-acs-"

// gather reads the headers that begin with x-acs-, and returns the others of the names
// asked for, which are in lower case.
func (p *headers) gather(h http.Header, names *[fields]string, others ...string) (map[string]string, error) {
	p.names = names
	found := make(map[string]string, len(others))
	seen := make(map[string]bool)
	for key, values := range h {
		lower := strings.ToLower(key)
		isOther := slices.Contains(others, lower)
		switch f := p.fieldOf(lower); {
		case lower == "authorization":
			p.authKeys = append(p.authKeys, key)
			continue
		case f != constField:
			p.keys[f] = append(p.keys[f], key)
			continue
		case !isOther && !strings.HasPrefix(lower, acsPrefix), len(values) == 0:
			continue
		case len(values) > 1, seen[lower]:
			return nil, fmt.Errorf("%w: header %s stands there twice", ErrMalformed, key)
		}
		seen[lower] = true
		value := strings.Trim(values[0], " \t") // as net/http sends it
		if isOther {
			found[lower] = value
		} else {
			p.list = append(p.list, header{constField, lower, value})
		}
	}
	return found, nil
}

func (p *headers) fieldOf(lower string) field {
	for f, name := range p.names {
		if name != "" && strings.EqualFold(name, lower) {
			return field(f)
		}
	}
	return constField
}

// complete adds a constant header that an unsigned request lacks, and refuses another
// value.
func (p *headers) complete(key, value string) error {
	i := slices.IndexFunc(p.list, func(h header) bool { return h.key == key })
	switch {
	case i < 0:
		p.list = append(p.list, header{constField, key, value})
		p.added = append(p.added, header{constField, key, value})
	case p.list[i].value != value:
		return fmt.Errorf("%w: %s is not %s", ErrUnsupported, key, value)
	}
	return nil
}

// prepare makes room for the fields that are signed among the x-acs- headers, and sorts:
// a map has no order, and of several spellings the first is to stay.
func (p *headers) prepare() {
	for f, name := range p.names {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, acsPrefix) {
			p.list = append(p.list, header{field(f), lower, ""})
		}
	}
	slices.SortFunc(p.list, func(a, b header) int { return cmp.Compare(a.key, b.key) })
	slices.Sort(p.authKeys)
	for _, keys := range p.keys {
		slices.Sort(keys)
	}
}

// fieldValues are the fields' values for one attempt; "" leaves a header out.
type fieldValues [fields]string

// fill gives the fields that both styles have their values.
func (p *headers) fill(c Credentials, nonce string) (v fieldValues) {
	v[nonceField], v[securityTokenField], v[bearerTokenField] = nonce, c.SecurityToken, c.BearerToken
	if p.keys[keyIDField] != nil {
		v[keyIDField] = c.AccessKeyID
	}
	if p.keys[typeField] != nil && c.BearerToken != "" {
		v[typeField] = "BEARERTOKEN"
	}
	return v
}

// check refuses what net/http would not send as it is signed. A token that was read from a
// file with its line's end is the usual case.
func (p *headers) check(c Credentials, v *fieldValues) error {
	bad := func(s string) bool {
		return s != strings.Trim(s, " \t") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	}
	for f, s := range v {
		if bad(s) {
			return fmt.Errorf("%w: what is to be header %s has a control character, or a space around it", ErrMalformed, p.names[f])
		}
	}
	if bad(c.AccessKeyID) {
		return fmt.Errorf("%w: the AccessKey ID has a control character, or a space around it", ErrMalformed)
	}
	return nil
}

// appendTo appends the lines that are signed.
func (p *headers) appendTo(out []byte, v *fieldValues) []byte {
	for i := range p.list {
		h := &p.list[i]
		value := h.value
		if h.field < fields {
			if value = v[h.field]; value == "" {
				continue
			}
		}
		out = append(out, h.key...)
		out = append(out, ':')
		out = append(out, value...)
		out = append(out, '\n')
	}
	return out
}

// write sets the headers of an attempt; authorization "" leaves none.
func (p *headers) write(req *http.Request, v *fieldValues, authorization string) {
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	for f := range fields {
		if p.names[f] != "" {
			replace(req.Header, p.keys[f], p.names[f], v[f])
		}
	}
	for _, h := range p.added {
		req.Header.Set(h.key, h.value)
	}
	replace(req.Header, p.authKeys, "Authorization", authorization)
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
