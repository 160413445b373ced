package openapi

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
)

// Param is one name=value pair of a query or a form.
type Param struct {
	Raw   string // name and value as they stand on the wire
	name  int32  // where the name ends in Raw
	plain plain
	Role  Role
}

// plain tells which parts of a pair are the same in every encoding.
type plain uint8

const (
	plainName plain = 1 << iota
	plainValue
)

// Role tells which of the parameters that mean something here has the name of a pair: the RPC
// style's own, and those by which a call is repeated or tried.
type Role uint8

const (
	Business Role = iota // none of them
	AccessKeyID
	BearerToken
	SecurityToken
	SignatureNonce
	SignatureType
	Timestamp // or TimeStamp, as old code spells it, signed as it stands
	Signature
	SignatureMethod
	SignatureVersion
	Format
	Action
	Version
	ClientToken
	LowerClientToken // clientToken
	DryRun
	LowerDryRun // dryRun
)

func roleOf(name string) Role {
	switch name {
	case "AccessKeyId":
		return AccessKeyID
	case "BearerToken":
		return BearerToken
	case "SecurityToken":
		return SecurityToken
	case "SignatureNonce":
		return SignatureNonce
	case "SignatureType":
		return SignatureType
	case "Timestamp", "TimeStamp":
		return Timestamp
	case "Signature":
		return Signature
	case "SignatureMethod":
		return SignatureMethod
	case "SignatureVersion":
		return SignatureVersion
	case "Format":
		return Format
	case "Action":
		return Action
	case "Version":
		return Version
	case "ClientToken":
		return ClientToken
	case "clientToken":
		return LowerClientToken
	case "DryRun":
		return DryRun
	case "dryRun":
		return LowerDryRun
	}
	return Business
}

// Room is how many parameters most queries have at most: memory for them is set aside where a
// call is too frequent to ask for it.
type Room [32]Param

// NewParam returns the pair of a name and a value, decoded both.
func NewParam(name, value string) Param {
	encodedName, encodedValue := url.QueryEscape(name), url.QueryEscape(value)
	p := Param{Raw: encodedName + "=" + encodedValue, name: int32(len(encodedName)), Role: roleOf(name)}
	if encodedName == name {
		p.plain |= plainName
	}
	if encodedValue == value {
		p.plain |= plainValue
	}
	return p
}

// PlainName reports whether the name is the same in every encoding.
func (p *Param) PlainName() bool { return p.plain&plainName != 0 }

// Name returns the decoded name.
func (p *Param) Name() string {
	if p.plain&plainName != 0 {
		return p.Raw[:p.name]
	}
	return decoded(p.Raw[:p.name])
}

// Value returns the decoded value.
func (p *Param) Value() string {
	if p.plain&plainValue != 0 {
		return p.value()
	}
	return decoded(p.value())
}

// value is the value as it stands on the wire.
func (p *Param) value() string { return p.Raw[min(int(p.name)+1, len(p.Raw)):] }

// decoded is apart from its callers, which are inlined for want of it.
//
//go:noinline
func decoded(text string) string {
	text, _ = url.QueryUnescape(text) // ParseParams lets none through that cannot be decoded
	return text
}

// Is reports whether the decoded value is the one given.
func (p *Param) Is(value string) bool { return p.Value() == value }

// ParseParams splits a query or a form (application/x-www-form-urlencoded) into its pairs, in
// the order of the wire, which it puts into room where they fit. Empty segments ("a=1&&b=2")
// are passed over, as servers do. The error names the pair that cannot be decoded by its
// position, never by its text, which may be a secret.
func ParseParams(raw string, room []Param) ([]Param, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) > math.MaxInt32 {
		return nil, errors.New("they are longer than 2 GiB")
	}
	params := room[:0]
	if n := strings.Count(raw, "&") + 1; n > cap(room) {
		params = make([]Param, 0, n)
	}
	for start := 0; start < len(raw); start++ {
		name := 0                           // where it ends
		part, plain := plainName, plainName // the part that i is in
		i := start
		for {
			for i < len(raw) && unreserved[raw[i]] {
				i++
			}
			if i == len(raw) || raw[i] == '&' {
				break
			}
			switch c := raw[i]; {
			case c == ';':
				return nil, errors.New("a semicolon stands between parameters")
			case c == '=' && part == plainName:
				name = i - start
				part = plainValue
				plain |= plainValue
			case c == '%' && (i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])):
				return nil, fmt.Errorf("parameter %d cannot be decoded", len(params)+1)
			default:
				plain &^= part
			}
			i++
		}
		if i == start {
			continue
		}
		if part == plainName {
			name = i - start
		}
		role := Business
		if decoded := raw[start : start+name]; plain&plainName != 0 {
			role = roleOf(decoded)
		} else if decoded, _ = url.QueryUnescape(decoded); decoded != "" {
			role = roleOf(decoded)
		}
		params = append(params, Param{raw[start:i], int32(name), plain, role})
		start = i
	}
	return params, nil
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// SetParam returns params with exactly one pair of that name, holding value: the first one
// there is gets the value in its place, otherwise the pair goes to the end. It may change
// params.
func SetParam(params []Param, name, value string) []Param {
	i := slices.IndexFunc(params, func(p Param) bool { return p.Name() == name })
	if i < 0 {
		return append(params, NewParam(name, value))
	}
	params[i] = NewParam(name, value)
	others := slices.DeleteFunc(params[i+1:], func(p Param) bool { return p.Name() == name })
	return params[:i+1+len(others)]
}

// JoinParams is what params look like on the wire.
func JoinParams(params []Param) string {
	var b strings.Builder
	for i := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(params[i].Raw)
	}
	return b.String()
}

const upperHex = "0123456789ABCDEF"

// unreserved holds what stands for itself (RFC 3986, section 2.3).
var unreserved = func() (t [256]bool) {
	for c := range 256 {
		b := byte(c)
		t[c] = 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' || b == '.' || b == '~'
	}
	return t
}()

// AppendEscape appends s to dst in the percent-encoding that the signature texts ask
// for: RFC 3986, so a space is %20, an asterisk %2A, and a tilde stays.
func AppendEscape(dst []byte, s string) []byte { return appendEscape(dst, s, "%") }

// AppendEscapeTwice appends what AppendEscape of AppendEscape would: names and values
// stand so in the RPC string to sign, whose canonical query is encoded as a whole.
func AppendEscapeTwice(dst []byte, s string) []byte { return appendEscape(dst, s, "%25") }

func appendEscape(dst []byte, s, percent string) []byte {
	for i := 0; ; i++ {
		start := i
		for i < len(s) && unreserved[s[i]] {
			i++
		}
		dst = append(dst, s[start:i]...)
		if i == len(s) {
			return dst
		}
		dst = append(dst, percent...)
		dst = append(dst, upperHex[s[i]>>4], upperHex[s[i]&15])
	}
}

// AppendValue is AppendEscape of the value.
func (p *Param) AppendValue(dst []byte) []byte {
	if p.plain&plainValue != 0 {
		return append(dst, p.value()...)
	}
	return appendAgain(dst, p.value(), "%")
}

// AppendTwice appends name and value, each as AppendEscapeTwice does, with an equals sign
// between that is encoded once.
func (p *Param) AppendTwice(dst []byte) []byte {
	if p.plain&plainName != 0 {
		dst = append(dst, p.Raw[:p.name]...)
	} else {
		dst = appendAgain(dst, p.Raw[:p.name], "%25")
	}
	dst = append(dst, '%', '3', 'D')
	if p.plain&plainValue != 0 {
		return append(dst, p.value()...)
	}
	return appendAgain(dst, p.value(), "%25")
}

// appendAgain is appendEscape of what a client has encoded in its own way, decoded. Where
// that is the same way, the bytes are copied as they stand.
func appendAgain(dst []byte, encoded, percent string) []byte {
	start := 0
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		if unreserved[c] {
			continue
		}
		next := i + 1
		switch c {
		case '+':
			c = ' '
		case '%':
			high, low := encoded[i+1], encoded[i+2]
			c, next = unhex(high)<<4|unhex(low), i+3
			if high <= 'F' && low <= 'F' && !unreserved[c] {
				if len(percent) > 1 {
					dst = append(dst, encoded[start:i]...)
					dst = append(dst, percent...)
					start = i + 1
				}
				i = next - 1
				continue
			}
		}
		dst = append(dst, encoded[start:i]...)
		if unreserved[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, percent...)
			dst = append(dst, upperHex[c>>4], upperHex[c&15])
		}
		start = next
		i = next - 1
	}
	return append(dst, encoded[start:]...)
}
