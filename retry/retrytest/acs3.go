package retrytest

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// The ACS3 style: everything that names the operation and belongs to the signature is a
// header. It carries operations of the RPC style, by name at the path "/", and of ROA.

// acs3Algorithms are those that the official clients have: the hash of the body and of the
// canonical request, and whether an RSA key signs or an HMAC of that hash.
var acs3Algorithms = map[string]struct {
	hash func() hash.Hash
	rsa  bool
}{
	"ACS3-HMAC-SHA256": {hash: sha256.New},
	"ACS3-HMAC-SM3":    {hash: sm3.New},
	"ACS3-RSA-SHA256":  {hash: sha256.New, rsa: true},
}

// algorithm returns the name of the one that made the signature; empty in the other styles.
func (a *Attempt) algorithm() string {
	if a.Style != "ACS3" {
		return ""
	}
	name, _, _ := strings.Cut(a.Header.Get("Authorization"), " ")
	return name
}

// isACS3 reports whether the attempt is one, signed or not. An operation may have a
// parameter Action of its own.
func (a *Attempt) isACS3() bool {
	if authorization := a.Header.Get("Authorization"); authorization != "" {
		return strings.HasPrefix(authorization, "ACS3-")
	}
	return a.Header.Get("x-acs-content-sha256") != "" || a.Header.Get("x-acs-date") != "" && a.common("Action") == ""
}

// readACS3 fills in what the headers say.
func (a *Attempt) readACS3() {
	a.Action, a.Version = a.Header.Get("x-acs-action"), a.Header.Get("x-acs-version")
	a.AccessKeyID, a.Signature = a.credential("Credential"), a.credential("Signature")
	a.Nonce = a.Header.Get("x-acs-signature-nonce")
	if t, ok := parseTimestamp(a.Header.Get("x-acs-date")); ok {
		a.Timestamp = t
	}
}

// credential returns a part of the Authorization, such as its Signature.
func (a *Attempt) credential(name string) string {
	_, parts, _ := strings.Cut(a.Header.Get("Authorization"), " ")
	for part := range strings.SplitSeq(parts, ",") {
		if key, value, _ := strings.Cut(strings.TrimSpace(part), "="); key == name {
			return value
		}
	}
	return ""
}

// checkACS3 checks that what every request needs is there and has values that the service
// knows.
func (a *Attempt) checkACS3(signed bool) *problem {
	for _, name := range []string{"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if a.Header.Get(name) == "" {
			return missing(name)
		}
	}
	if p := a.headersOnce("Authorization", "Content-Type"); p != nil {
		return p
	}
	algorithm, known := acs3Algorithms[a.algorithm()]
	switch {
	case !isName(a.Action):
		return &actionNotFound
	case signed && (a.algorithm() == "" || a.AccessKeyID == "" || a.Signature == ""):
		return missing("Authorization")
	case signed && !known:
		return &invalidMethod
	case signed && !a.contentHashIs(algorithm.hash),
		!signed && !a.contentHashIs(sha256.New) && !a.contentHashIs(sm3.New): // the clients take the hash of an algorithm that they do not name
		return &problem{400, "ContentSha256NotMatched", "The x-acs-content-sha256 header does not match the body."}
	case signed && !slices.Equal(strings.Split(a.credential("SignedHeaders"), ";"), slices.Sorted(maps.Keys(a.toBeSigned()))):
		return &problem{400, "IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards: SignedHeaders."}
	}
	return nil
}

func (a *Attempt) contentHashIs(newHash func() hash.Hash) bool {
	return a.Header.Get("x-acs-content-sha256") == hexHash(newHash, a.Body)
}

func hexHash(newHash func() hash.Hash, content []byte) string {
	h := newHash()
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// toBeSigned returns the headers that the signature has to cover.
func (a *Attempt) toBeSigned() map[string]string {
	signed := map[string]string{"host": a.Host}
	for name, values := range a.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-acs-") {
			signed[name] = values[0]
		}
	}
	return signed
}

// verifyACS3 verifies the signature over the canonical request, with the key if there is
// one. The documentation has the names of the query encoded, the official clients for Go
// and Node.js do not, and both are taken.
func (a *Attempt) verifyACS3(secret string, key *rsa.PublicKey) (canonical string, ok bool) {
	name := a.algorithm()
	newHash := acs3Algorithms[name].hash
	for _, encodeName := range []func(string) string{cleanURI.Replace, percentEncode} {
		canonical = a.canonicalRequest(encodeName)
		toSign := name + "\n" + hexHash(newHash, []byte(canonical))
		if key != nil {
			ok = verifyRSA(key, toSign, a.Signature)
		} else {
			ok = a.Signature == hex.EncodeToString(mac(newHash, secret, toSign))
		}
		if ok {
			break
		}
	}
	return canonical, ok
}

// verifyRSA reports whether the signature, in hex, is one of RSASSA-PKCS1-v1_5 with
// SHA-256.
func verifyRSA(key *rsa.PublicKey, toSign, signature string) bool {
	raw, err := hex.DecodeString(signature)
	sum := sha256.Sum256([]byte(toSign))
	return err == nil && signature == strings.ToLower(signature) && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

// cleanURI replaces what the encoders of URLs leave, or encode, otherwise than RFC 3986.
var cleanURI = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")

// canonicalRequest is the normal form of the attempt, whose digest is signed.
func (a *Attempt) canonicalRequest(encodeName func(string) string) string {
	var b strings.Builder
	b.WriteString(a.Method + "\n")
	b.WriteString(cleanURI.Replace(cmp.Or(a.Path, "/")) + "\n")
	for i, name := range slices.Sorted(maps.Keys(a.Query)) {
		if i > 0 {
			b.WriteString("&")
		}
		b.WriteString(encodeName(name) + "=" + percentEncode(a.Query.Get(name)))
	}
	b.WriteString("\n")
	signed := a.toBeSigned()
	names := slices.Sorted(maps.Keys(signed))
	for _, name := range names {
		b.WriteString(name + ":" + signed[name] + "\n")
	}
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + a.Header.Get("x-acs-content-sha256"))
	return b.String()
}
