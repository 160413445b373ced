package retrytest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a timestamp may be off the server's clock.
const maxSkew = 15 * time.Minute

// problem is a refusal.
type problem struct {
	status        int
	code, message string
}

var (
	actionNotFound = problem{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."}
	invalidMethod  = problem{400, "InvalidSignatureMethod", "Specified signature method is not supported."}
)

func missing(name string) *problem {
	return &problem{400, "MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name)}
}

// verify makes those of the gateway's checks that need no memory, and returns the
// account whose key signed.
func verify(a *Attempt, accounts []Account, now time.Time) (Account, *problem) {
	check := map[string]func(*Attempt, bool) *problem{"RPC": (*Attempt).checkRPC, "ROA": (*Attempt).checkROA, "ACS3": (*Attempt).checkACS3}[a.Style]
	signed := a.mustBeSigned(accounts)
	if p := check(a, signed); p != nil {
		return Account{}, p
	}
	account, p := findAccount(a, accounts)
	if p != nil {
		return Account{}, p
	}
	if signed {
		if p := a.checkSignature(account.secretFor(a)); p != nil {
			return Account{}, p
		}
	}
	switch {
	case a.Timestamp.IsZero():
		return Account{}, &problem{400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."}
	case now.Sub(a.Timestamp).Abs() > maxSkew:
		return Account{}, &problem{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."}
	case a.Nonce == "" && a.rpc():
		return Account{}, &problem{400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action."}
	}
	return account, nil
}

// checkRPC checks that the common parameters are there and have values that the service
// knows.
func (a *Attempt) checkRPC(signed bool) *problem {
	method, version := a.common("SignatureMethod"), a.common("SignatureVersion")
	for _, p := range []struct {
		name, value string
		needed      bool
	}{
		{"Action", a.Action, true}, {"Version", a.Version, true}, {"Signature", a.Signature, signed},
		{"SignatureMethod", method, signed}, {"SignatureVersion", version, signed},
		{"Timestamp", a.timestamp(), true}, {"AccessKeyId", cmp.Or(a.AccessKeyID, a.bearer()), signed},
	} {
		if p.value == "" && p.needed {
			return missing(p.name)
		}
	}
	switch format := a.common("Format"); {
	case !isName(a.Action):
		return &actionNotFound
	case format != "" && !strings.EqualFold(format, "JSON") && !strings.EqualFold(format, "XML"):
		return &problem{400, "InvalidParameter.Format", "Specified parameter Format is not supported."}
	case method != "" && method != "HMAC-SHA1" || version != "" && version != "1.0":
		return &invalidMethod
	}
	return nil
}

// isName reports whether s can be the name of an operation: letters and digits,
// beginning with a letter. It is part of the root element of XML replies.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || i > 0 && s[i] >= '0' && s[i] <= '9') {
			return false
		}
	}
	return s != ""
}

// rpcStringToSign builds the string to sign of RPC 1.0: every parameter of query and
// form but the Signature, sorted by name. Of a name in both, the form's value counts.
func (a *Attempt) rpcStringToSign() string {
	params := make(map[string]string, len(a.Query)+len(a.Form))
	for name := range a.Query {
		params[name] = a.Query.Get(name)
	}
	for name := range a.Form {
		params[name] = a.Form.Get(name)
	}
	delete(params, "Signature")

	pairs := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, percentEncode(name)+"="+percentEncode(params[name]))
	}
	return a.Method + "&" + percentEncode("/") + "&" + percentEncode(strings.Join(pairs, "&"))
}

// percentEncode encodes as RFC 3986 does: letters, digits and -_.~ stay bare.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// checkSignature checks that the attempt's signature is the secret's over its content. A
// secret that is an RSA key signs nothing else than what is made for it.
func (a *Attempt) checkSignature(secret string) *problem {
	key := publicKey(secret)
	if algorithm := acs3Algorithms[a.algorithm()]; algorithm.rsa != (key != nil) {
		return &invalidMethod
	}
	var toSign string
	var ok bool
	switch a.Style {
	case "ACS3":
		toSign, ok = a.verifyACS3(secret, key)
	case "ROA":
		toSign = a.roaStringToSign()
		ok = a.Signature == base64.StdEncoding.EncodeToString(mac(sha1.New, secret, toSign))
	default:
		toSign = a.rpcStringToSign()
		ok = a.Signature == base64.StdEncoding.EncodeToString(mac(sha1.New, secret+"&", toSign))
	}
	if !ok {
		return &problem{400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:" + toSign}
	}
	return nil
}

func mac(newHash func() hash.Hash, key, message string) []byte {
	m := hmac.New(newHash, []byte(key))
	m.Write([]byte(message))
	return m.Sum(nil)
}

// parseTimestamp reads a time in the one format that the service takes. time.Parse
// alone would also take fractions of a second.
func parseTimestamp(s string) (time.Time, bool) {
	const layout = "2006-01-02T15:04:05Z"
	t, err := time.Parse(layout, s)
	return t, err == nil && len(s) == len(layout)
}

type nonceKey struct{ key, nonce string }

// admit makes the last of the gateway's checks, and burns the nonce of an attempt
// that passes. The caller holds s.mu.
func (s *Server) admit(a *Attempt, account Account) *problem {
	nonce := nonceKey{account.key(), a.Nonce}
	switch given := a.securityToken(); {
	case a.Nonce != "" && s.nonces[nonce]:
		return &problem{400, "SignatureNonceUsed", "Specified signature nonce was used already."}
	case given == "" && account.SecurityToken != "":
		return &problem{400, "MissingSecurityToken", "SecurityToken is mandatory for this action."}
	case given != account.SecurityToken:
		return &problem{400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey."}
	case s.expired[account.key()]:
		return &problem{400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."}
	}
	s.nonces[nonce] = true
	return nil
}
