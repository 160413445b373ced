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

// IsToken reports whether the pair is a client token, in either spelling.
func (p *Param) IsToken() bool { return p.Role == ClientToken || p.Role == LowerClientToken }

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
	if cap(room) == 0 {
		params = make([]Param, 0, strings.Count(raw, "&")+1)
	}
	for start := 0; start < len(raw); start++ {
		name, plain := skipUnreserved(raw, start), plainName|plainValue
		end := name
		if end < len(raw) && raw[end] == '=' {
			end = skipUnreserved(raw, end+1)
		}
		if end < len(raw) && raw[end] != '&' {
			var err error
			if name, end, plain, err = skipPair(raw, start); err != nil {
				return nil, fmt.Errorf("parameter %d %w", len(params)+1, err)
			}
		}
		if end == start {
			continue
		}
		param := Param{Raw: raw[start:end], name: int32(name - start), plain: plain}
		if plain&plainName != 0 {
			param.Role = roleOf(raw[start:name])
		} else {
			param.Role = roleOf(decoded(raw[start:name]))
		}
		params = append(params, param)
		start = end
	}
	return params, nil
}

// skipPair returns where the name ends of the pair that begins at start, where the pair ends, and
// what of it is plain.
func skipPair(raw string, start int) (name, end int, is plain, err error) {
	part := plainName // that i is in
	is = plainName | plainValue
	for i := start; ; i++ {
		i = skipUnreserved(raw, i)
		if i == len(raw) || raw[i] == '&' {
			if part == plainName {
				name = i
			}
			return name, i, is, nil
		}
		switch c := raw[i]; {
		case c == '=' && part == plainName:
			name, part = i, plainValue
		case c == ';':
			return 0, 0, 0, errors.New("holds a semicolon that is not encoded")
		case c == '%' && (i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])):
			return 0, 0, 0, errors.New("cannot be decoded")
		default:
			is &^= part
		}
	}
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
