package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// Param is one of the parts that make a call: a parameter, the host, the body.
type Param struct{ Name, Value string }

// Fingerprint tells whether a call is the same as the one it was taken of, and which parameters
// differ, without holding their values: a MAC of each under a salt of its own. It has no
// secret key, so who reads it can try values that are easily guessed.
type Fingerprint struct {
	Salt []byte
	// MACs has one for each name; of a name that comes several times, over all its values.
	MACs map[string]string
}

func newFingerprint(params []Param) Fingerprint {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return Fingerprint{salt, macs(salt, params)}
}

func macs(salt []byte, params []Param) map[string]string {
	sorted := slices.Clone(params)
	slices.SortStableFunc(sorted, func(a, b Param) int { return strings.Compare(a.Name, b.Name) })
	out := make(map[string]string, len(params))
	for len(sorted) > 0 {
		name, mac := sorted[0].Name, hmac.New(sha256.New, salt)
		mac.Write([]byte(name))
		for len(sorted) > 0 && sorted[0].Name == name {
			sum := sha256.Sum256([]byte(sorted[0].Value)) // of one length, so that no two values run together
			mac.Write(sum[:])
			sorted = sorted[1:]
		}
		out[name] = base64.RawStdEncoding.EncodeToString(mac.Sum(nil)[:16])
	}
	return out
}

// differ returns the names of the parameters by which a call differs, in order.
func (f Fingerprint) differ(params []Param) (names []string) {
	theirs := macs(f.Salt, params)
	for name, mac := range f.MACs {
		if theirs[name] != mac {
			names = append(names, name)
		}
	}
	for name := range theirs {
		if _, ok := f.MACs[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
