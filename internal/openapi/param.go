package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Param is one name=value pair of a query or a form.
type Param struct {
	Name, Value string // decoded
	Raw         string // as it stands on the wire
}

// ParseParams splits a query or a form (application/x-www-form-urlencoded) into its
// pairs, in the order of the wire. Empty segments ("a=1&&b=2") are passed over, as
// servers do. The error names the pair that cannot be decoded by its position, never
// by its text, which may be a secret.
func ParseParams(raw string) ([]Param, error) {
	if raw == "" {
		return nil, nil
	}
	if strings.Contains(raw, ";") {
		return nil, errors.New("a semicolon stands between parameters")
	}
	params := make([]Param, 0, strings.Count(raw, "&")+1)
	for len(raw) > 0 {
		segment := raw
		if end := strings.IndexByte(raw, '&'); end >= 0 {
			segment, raw = raw[:end], raw[end+1:]
		} else {
			raw = ""
		}
		if segment == "" {
			continue
		}
		name, value, _ := strings.Cut(segment, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, fmt.Errorf("parameter %d cannot be decoded", len(params)+1)
		}
		params = append(params, Param{Name: name, Value: value, Raw: segment})
	}
	return params, nil
}

// SetParam returns raw with exactly one pair of that name, holding value: the first
// one there is gets the value in its place, otherwise the pair goes to the end. All
// other bytes stay. Raw must be one that ParseParams accepts.
func SetParam(raw, name, value string) string {
	pair := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	var b strings.Builder
	b.Grow(len(raw) + 1 + len(pair))
	done := false
	write := func(segment string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(segment)
	}
	for segment := range strings.SplitSeq(raw, "&") {
		if segment == "" {
			continue
		}
		n, _, _ := strings.Cut(segment, "=")
		if n, err := url.QueryUnescape(n); err != nil || n != name {
			write(segment)
		} else if !done {
			write(pair)
			done = true
		}
	}
	if !done {
		write(pair)
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// unreserved reports whether c stands for itself (RFC 3986, section 2.3).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

// AppendEscape appends s to dst in the percent-encoding that the signature texts ask
// for: RFC 3986, so a space is %20, an asterisk %2A, and a tilde stays.
func AppendEscape(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// AppendEscapeTwice appends what AppendEscape of AppendEscape would: names and values
// stand so in the RPC string to sign, whose canonical query is encoded as a whole.
func AppendEscapeTwice(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', '2', '5', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
