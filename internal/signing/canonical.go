package signing

import (
	"fmt"
	"slices"

	"github.com/aliretry/aliretry/internal/openapi"
)

// required are the constant parameters that an unsigned request may lack, and their only
// values here.
var required = [...]openapi.Param{
	openapi.NewParam("SignatureMethod", "HMAC-SHA1"),
	openapi.NewParam("SignatureVersion", "1.0"),
}

// isConstant reports whether a parameter with that role stays as it is.
func (p *rpc) isConstant(role openapi.Role, place openapi.Place) bool {
	return role == openapi.Business || role > openapi.Signature || place > p.system
}

// takeOut gathers the constant parameters, with those that an unsigned request lacks, and notes
// the slots among the others. It refuses signature methods that this style does not know.
func (p *rpc) takeOut() error {
	signed := 0 // how many of a signature's parameters stand where none belongs
	for place := openapi.Query; place <= openapi.Form; place++ {
		params := p.constant.lists[place]
		for i := range params {
			param := &params[i]
			name := param.Name()
			switch role := param.Role; {
			case role == openapi.Business || role > openapi.SignatureVersion:
			case role > openapi.Signature:
				which := role - openapi.SignatureMethod
				if want := &required[which]; !param.Is(want.Value()) {
					return fmt.Errorf("%w: %s is not %s", ErrUnsupported, want.Name(), want.Value())
				}
				p.has[which] = true
			case place > p.system:
				// In the body a business parameter may have a system parameter's name. Two of
				// them together are a signature, though, and would stay as they are.
				if role == openapi.Signature || role == openapi.SignatureNonce {
					signed++
				}
				if signed > 1 {
					return fmt.Errorf("%w: the signature stands in the form, Action in the query", ErrMalformed)
				}
			case role == openapi.Signature:
				continue
			default:
				p.names[role], p.given[role] = name, true
				if role == openapi.SecurityToken {
					p.kept = param.Value()
				}
				continue
			}
			if err := p.constant.add(newRef(place, i), name); err != nil {
				return err
			}
			p.sizes[place] += len(param.Raw) + len("&")
		}
	}
	for which := range required {
		if p.has[which] {
			continue
		}
		if err := p.constant.add(newRef(ofRequired, which), required[which].Name()); err != nil {
			return err
		}
		p.sizes[p.system] += len(required[which].Raw) + len("&")
	}
	return p.constant.sort()
}

// The separators of the canonical query, encoded once more.
const (
	and    = "%26"
	equals = "%3D"
)

// template is what the strings to sign of all attempts are made from: the canonical query of one
// of them, encoded once more.
type template struct {
	text []byte
	cuts [slots]cut
	n    int // how many of them there are
}

// cut is where a slot stands in a template, with its name; start is end if it was not used.
type cut struct {
	slot       openapi.Role
	start, end int
}

// The string to sign follows the text "RPC-style API signature": METHOD & %2F & the encoded
// canonical query. In a template each parameter has a separator before it; the head, which is
// longer, comes over the first one.
const root = "&%2F&"

// roomForHead is what stands before a template's first separator.
func (p *rpc) roomForHead() int { return blockSize + len(p.method) + len(root) - len(and) }

func (p *rpc) writeHead(text []byte) {
	n := copy(text[blockSize:], p.method)
	copy(text[blockSize+n:], root)
}

// canonicalise makes the template, with the values v: the sorted parameters, and the slots
// between them. Of a name in both places the form's value counts, as in the SDK.
func (p *rpc) canonicalise(v *slotted) {
	size := p.sizes[openapi.Query] + p.sizes[openapi.Form]
	text := slices.Grow(p.text[:0], p.roomForHead()+size+size/4+slotsRoom)[:p.roomForHead()]
	next := openapi.AccessKeyID // the slot to be merged in
	merge := func() {
		start := len(text)
		text = p.appendSlot(text, next, v)
		p.template.cuts[p.template.n] = cut{next, start, len(text)}
		p.template.n++
		next++
	}
	refs := p.constant.refs
	for i, r := range refs {
		param := p.constant.at(r)
		name := param.Name()
		if i+1 < len(refs) && refs[i+1].list() != r.list() && p.constant.at(refs[i+1]).Name() == name {
			continue
		}
		for next < slots && less(p.names[next], name) {
			merge()
		}
		if next < slots && p.names[next] == name {
			next++ // a business parameter of the form has a slot's name
		}
		text = append(text, and...)
		text = param.AppendTwice(text)
	}
	for next < slots {
		merge()
	}
	p.template.text, p.text = text, text
}

func (p *rpc) appendSlot(text []byte, slot openapi.Role, v *slotted) []byte {
	if !v.used[slot] {
		return text
	}
	text = append(text, and...)
	text = append(text, p.names[slot]...) // of letters alone
	text = append(text, equals...)
	return openapi.AppendEscapeTwice(text, v.value[slot])
}

// appendText appends the string to sign of one attempt, behind a block of room for a key.
func (p *rpc) appendText(out []byte, v *slotted) []byte {
	t := &p.template
	out = slices.Grow(out, len(t.text)+slotsRoom)
	start := 0
	for _, c := range t.cuts[:t.n] {
		out = append(out, t.text[start:c.start]...)
		out = p.appendSlot(out, c.slot, v)
		start = c.end
	}
	out = append(out, t.text[start:]...)
	p.writeHead(out)
	return out
}
