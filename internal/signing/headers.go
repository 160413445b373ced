package signing

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
)

// field is a header that each signing fills in.
type field uint8

const (
	authorizationField field = iota
	dateField
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
	names *fieldNames    // of the style
	few   [16]header     // sorted by key, where they are so few: they lie in one piece with the rest
	count int            // of those in few
	many  []header       // where they are more
	keys  [fields]string // as the request spells them; "" for what it has not
	drop  []string       // further spellings
	added []header       // what an unsigned request lacked
}

// fieldNames are the names of a style's fields; "" for one that it does not have.
type fieldNames struct {
	lower, canonical [fields]string
	signed           []header // those that begin with x-acs-, sorted
}

func named(lower [fields]string) *fieldNames {
	n := &fieldNames{lower: lower}
	for f, name := range lower {
		n.canonical[f] = http.CanonicalHeaderKey(name)
		if strings.HasPrefix(name, acsPrefix) {
			n.signed = append(n.signed, header{field(f), name, ""})
		}
	}
	slices.SortFunc(n.signed, func(a, b header) int { return strings.Compare(a.key, b.key) })
	return n
}

const acsPrefix = "x-acs-"

// standard are headers that are signed besides, as gather was asked for them.
type standard [3]struct {
	value string
	given bool
}

// gather reads the headers that begin with x-acs-, and returns the values of the others
// asked for, which are in lower case.
func (p *headers) gather(h http.Header, names *fieldNames, others ...string) (found standard, err error) {
	p.names = names
	p.count = copy(p.few[:], names.signed)
	for key, values := range h {
		if f := p.fieldOf(key); f != constField {
			// A map has no order, and of several spellings the first is to stay.
			if other := max(p.keys[f], key); p.keys[f] != "" {
				p.drop = append(p.drop, other)
				key = min(p.keys[f], key)
			}
			p.keys[f] = key
			continue
		}
		other := slices.IndexFunc(others, func(name string) bool { return len(name) == len(key) && strings.EqualFold(name, key) })
		if other < 0 && !openapi.HasPrefixFold(key, acsPrefix) || len(values) == 0 {
			continue
		}
		if len(values) > 1 || other >= 0 && found[other].given {
			return found, twice(key)
		}
		value := openapi.TrimSpace(values[0])
		if other >= 0 {
			found[other].value, found[other].given = value, true
		} else if err := p.add(strings.ToLower(key), value); err != nil {
			return found, err
		}
	}
	return found, nil
}

func twice(key string) error {
	return fmt.Errorf("%w: header %s stands there twice", ErrMalformed, key)
}

func (p *headers) fieldOf(key string) field {
	for f, name := range p.names.lower {
		if len(name) == len(key) && strings.EqualFold(name, key) {
			return field(f)
		}
	}
	return constField
}

// add puts a constant header among those that are signed.
func (p *headers) add(key, value string) error {
	at, found := p.find(key)
	if found {
		return twice(key)
	}
	if p.many == nil && p.count < len(p.few) {
		copy(p.few[at+1:], p.few[at:p.count])
		p.few[at] = header{constField, key, value}
		p.count++
		return nil
	}
	if p.many == nil {
		p.many = slices.Clone(p.few[:])
	}
	p.many = slices.Insert(p.many, at, header{constField, key, value})
	return nil
}

// list returns the headers that are signed.
func (p *headers) list() []header {
	if p.many != nil {
		return p.many
	}
	return p.few[:p.count]
}

func (p *headers) find(key string) (at int, found bool) {
	return slices.BinarySearchFunc(p.list(), key, func(h header, key string) int { return strings.Compare(h.key, key) })
}

// complete adds a constant header that an unsigned request lacks, and refuses another
// value.
func (p *headers) complete(key, value string) error {
	at, found := p.find(key)
	switch {
	case !found:
		p.added = append(p.added, header{constField, key, value})
		return p.add(key, value)
	case p.list()[at].value != value:
		return fmt.Errorf("%w: %s is not %s", ErrUnsupported, key, value)
	}
	return nil
}

// fieldValues are the fields' values for one attempt; "" leaves a header out.
type fieldValues [fields]string

// fill gives the fields that both styles have their values.
func (p *headers) fill(k *Key, nonce string) (v fieldValues) {
	v[nonceField], v[securityTokenField], v[bearerTokenField] = nonce, k.SecurityToken, k.BearerToken
	if p.keys[keyIDField] != "" {
		v[keyIDField] = k.AccessKeyID
	}
	if p.keys[typeField] != "" && k.BearerToken != "" {
		v[typeField] = "BEARERTOKEN"
	}
	return v
}

// check refuses what net/http would not send as it is signed. A token that was read from a
// file with its line's end is the usual case.
func (p *headers) check(k *Key, v *fieldValues) error {
	for _, f := range [...]field{nonceField, securityTokenField, bearerTokenField} { // the others are ours
		if changes(v[f]) {
			return fmt.Errorf("%w: what is to be header %s has a control character, or a space around it", ErrMalformed, p.names.lower[f])
		}
	}
	if changes(k.AccessKeyID) {
		return fmt.Errorf("%w: the AccessKey ID has a control character, or a space around it", ErrMalformed)
	}
	return nil
}

// changes reports whether net/http sends another header than s, or none.
func changes(s string) bool { return s != openapi.TrimSpace(s) || openapi.HasControl(s) }

// appendTo appends the lines that are signed.
func (p *headers) appendTo(out []byte, v *fieldValues) []byte {
	list := p.list()
	for i := range list {
		h := &list[i]
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

// write sets the headers of an attempt, under the keys that the request has for them.
func (p *headers) write(req *http.Request, v *fieldValues) {
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	for _, key := range p.drop {
		delete(req.Header, key)
	}
	values := slices.Clone(v[:]) // of which each header gets one
	for f, value := range values {
		key := cmp.Or(p.keys[f], p.names.canonical[f])
		switch {
		case key == "":
		case value == "":
			delete(req.Header, key)
		default:
			req.Header[key] = values[f : f+1 : f+1]
		}
	}
	for _, h := range p.added {
		req.Header.Set(h.key, h.value)
	}
}
