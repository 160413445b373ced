package retrytest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// The ACS3 style: everything that names the operation and belongs to the signature is a
// header. It carries operations of the RPC style, by name at the path "/", and of ROA.

const acs3Algorithm = "ACS3-HMAC-SHA256"

// isACS3 reports whether the attempt is one, signed or not.
func (a *Attempt) isACS3() bool {
	return strings.HasPrefix(a.Header.Get("Authorization"), "ACS3-") ||
		a.Header.Get("x-acs-date") != "" && a.Header.Get("Authorization") == "" && a.common("Action") == ""
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
func (a *Attempt) checkACS3() *problem {
	for _, name := range []string{"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if a.Header.Get(name) == "" {
			return missing(name)
		}
	}
	if p := a.headersOnce("Authorization", "Content-Type"); p != nil {
		return p
	}
	algorithm, _, _ := strings.Cut(a.Header.Get("Authorization"), " ")
	switch {
	case !isName(a.Action):
		return &actionNotFound
	case a.Header.Get("x-acs-content-sha256") != hexSHA256(a.Body):
		return &problem{400, "ContentSha256NotMatched", "The x-acs-content-sha256 header does not match the body."}
	case a.bearer() != "":
		return nil // it stands alone
	case algorithm == "" || a.AccessKeyID == "" || a.Signature == "":
		return missing("Authorization")
	case algorithm != acs3Algorithm:
		return &problem{400, "InvalidSignatureMethod", "Specified signature method is not supported."}
	case !slices.Equal(strings.Split(a.credential("SignedHeaders"), ";"), slices.Sorted(maps.Keys(a.toBeSigned()))):
		return &problem{400, "IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards: SignedHeaders."}
	}
	return nil
}

func hexSHA256(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
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

// acs3Signature builds the canonical request and signs its digest. The documentation has
// the names of the query encoded, the official clients for Go and Node.js do not, and both
// are taken.
func (a *Attempt) acs3Signature(secret string) (canonical, signature string) {
	if canonical, signature = a.acs3SignatureOver(secret, cleanURI.Replace); signature != a.Signature {
		canonical, signature = a.acs3SignatureOver(secret, percentEncode)
	}
	return canonical, signature
}

// cleanURI replaces what the encoders of URLs leave, or encode, otherwise than RFC 3986.
var cleanURI = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")

func (a *Attempt) acs3SignatureOver(secret string, encodeName func(string) string) (canonical, signature string) {
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
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(acs3Algorithm + "\n" + hexSHA256([]byte(b.String()))))
	return b.String(), hex.EncodeToString(mac.Sum(nil))
}
