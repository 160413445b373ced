package openapi

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
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

// skipUnreserved is the end of what stands for itself from s[i] on. Most of a request's bytes pass
// here. It is not inlined, for its loop to be run in registers alone, and looks at four at a time.
//
//go:noinline
func skipUnreserved(s string, i int) int {
	for ; i <= len(s)-4; i += 4 {
		switch next := s[i : i+4]; {
		case !unreserved[next[0]]:
			return i
		case !unreserved[next[1]]:
			return i + 1
		case !unreserved[next[2]]:
			return i + 2
		case !unreserved[next[3]]:
			return i + 3
		}
	}
	for i < len(s) && unreserved[s[i]] {
		i++
	}
	return i
}

// AppendEscape appends s to dst in the percent-encoding that the signature texts ask
// for: RFC 3986, so a space is %20, an asterisk %2A, and a tilde stays.
func AppendEscape(dst []byte, s string) []byte { return appendEscape(dst, s, "%") }

// AppendEscapeTwice appends what AppendEscape of AppendEscape would: names and values
// stand so in the RPC string to sign, whose canonical query is encoded as a whole.
func AppendEscapeTwice(dst []byte, s string) []byte { return appendEscape(dst, s, "%25") }

func appendEscape(dst []byte, s, percent string) []byte {
	for i := 0; ; i++ {
		start := i
		i = skipUnreserved(s, i)
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
