package signing

import (
	"fmt"

	"github.com/aliretry/aliretry/internal/openapi"
)

// The separators of the canonical query, encoded once more.
const (
	and    = "%26"
	equals = "%3D"
)

// takeOut gathers the constant parameters, with those that an unsigned request lacks, writes
// them to the wire, and notes the slots among them. It refuses signature methods that this style
// does not know.
func (p *taken) takeOut(all *order) error {
	var has [len(required)]bool
	signed := 0 // how many of a signature's parameters stand where none belongs
	for place := openapi.Query; place <= openapi.Form; place++ {
		params := all.lists[place]
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
				has[which] = true
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
			if err := all.add(newRef(place, i), name); err != nil {
				return err
			}
			if place <= p.system { // else the body stays as it is
				p.wire[place] = append(appendAnd(p.wire[place]), param.Raw...)
			}
		}
		if place < p.system {
			p.wire[openapi.Form] = p.wire[openapi.Query][len(p.wire[openapi.Query]):]
		}
	}
	for which, has := range has {
		if has {
			continue
		}
		if err := all.add(newRef(ofRequired, which), required[which].Name()); err != nil {
			return err
		}
		p.wire[p.system] = append(appendAnd(p.wire[p.system]), required[which].Raw...)
	}
	return all.sort()
}

// required are the constant parameters that an unsigned request may lack, and their only
// values here.
var required = [...]openapi.Param{
	openapi.NewParam("SignatureMethod", "HMAC-SHA1"),
	openapi.NewParam("SignatureVersion", "1.0"),
}

func appendAnd(dst []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	return dst
}

// pieces are the canonical query of a request, encoded as it stands in the string to sign,
// cut where the slots' values go.
type pieces struct {
	text []byte
	list [2 * slots]piece
	n    int
}

// piece is a run of constant pairs, or a slot's name.
type piece struct {
	slot openapi.Role
	end  int32 // in text, where the next one begins
}

// cut ends a piece of a text that began at start.
func (p *pieces) cut(slot openapi.Role, end int) {
	if p.n == 0 && end > 0 || p.n > 0 && int(p.list[p.n-1].end) < end {
		p.list[p.n] = piece{slot, int32(end)}
		p.n++
	}
}

// appendTo appends the canonical query with the values of one attempt.
func (p *pieces) appendTo(out []byte, v *slotted) []byte {
	head, start := len(out), int32(0)
	for i := range p.list[:p.n] {
		piece := &p.list[i]
		text := p.text[start:piece.end]
		start = piece.end
		if piece.slot != openapi.Business && !v.used[piece.slot] {
			continue
		}
		if len(out) == head {
			text = text[len(and):]
		}
		out = append(out, text...)
		if piece.slot != openapi.Business {
			out = openapi.AppendEscapeTwice(out, v.value[piece.slot])
		}
	}
	return out
}

// canonicalise appends the canonical query to text: the sorted parameters, with the slots
// between them. Of a name in both places the form's value counts, as in the SDK. The slots
// hold v or, where that is nil, are cut out; then each pair has a separator before it.
func (p *taken) canonicalise(text []byte, all *order, v *slotted, cut *pieces) []byte {
	head := len(text)
	next := openapi.AccessKeyID // the slot to be merged in
	merge := func() {
		if v == nil {
			cut.cut(openapi.Business, len(text))
			text = append(text, and...)
			text = append(text, p.names[next]...) // of letters alone
			text = append(text, equals...)
			cut.cut(next, len(text))
		} else if v.used[next] {
			if len(text) > head {
				text = append(text, and...)
			}
			text = append(text, p.names[next]...)
			text = append(text, equals...)
			text = openapi.AppendEscapeTwice(text, v.value[next])
		}
		next++
	}
	for i, r := range all.refs {
		param := all.at(r)
		name := param.Name()
		if following := all.refs[i+1:]; len(following) > 0 && following[0].list() != r.list() && all.at(following[0]).Name() == name {
			continue
		}
		for next < slots && less(p.names[next], name) {
			merge()
		}
		if next < slots && p.names[next] == name {
			next++ // a business parameter of the form has a slot's name
		}
		if v == nil || len(text) > head {
			text = append(text, and...)
		}
		text = param.AppendTwice(text)
	}
	for next < slots {
		merge()
	}
	if v == nil {
		cut.cut(openapi.Business, len(text))
	}
	return text
}
