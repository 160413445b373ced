package retrytest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
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

var actionNotFound = problem{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."}

func missing(name string) *problem {
	return &problem{400, "MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name)}
}

// verify makes those of the gateway's checks that need no memory, and returns the
// account whose key signed.
func verify(a *Attempt, accounts []Account, now time.Time) (Account, *problem) {
	check := map[string]func(*Attempt) *problem{"RPC": (*Attempt).checkRPC, "ROA": (*Attempt).checkROA, "ACS3": (*Attempt).checkACS3}[a.Style]
	if p := check(a); p != nil {
		return Account{}, p
	}
	account, p := findAccount(a, accounts)
	if p != nil {
		return Account{}, p
	}
	if toSign, signature := a.sign(account.secretFor(a)); !hmac.Equal([]byte(signature), []byte(a.Signature)) {
		return Account{}, &problem{400, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:" + toSign}
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
func (a *Attempt) checkRPC() *problem {
	for _, p := range []struct{ name, value string }{
		{"Action", a.Action}, {"Version", a.Version}, {"Signature", a.Signature},
		{"SignatureMethod", a.common("SignatureMethod")}, {"SignatureVersion", a.common("SignatureVersion")},
		{"Timestamp", a.timestamp()}, {"AccessKeyId", cmp.Or(a.AccessKeyID, a.bearer())},
	} {
		if p.value == "" {
			return missing(p.name)
		}
	}
	switch format := a.common("Format"); {
	case !isName(a.Action):
		return &actionNotFound
	case format != "" && !strings.EqualFold(format, "JSON") && !strings.EqualFold(format, "XML"):
		return &problem{400, "InvalidParameter.Format", "Specified parameter Format is not supported."}
	case a.common("SignatureMethod") != "HMAC-SHA1" || a.common("SignatureVersion") != "1.0":
		return &problem{400, "InvalidSignatureMethod", "Specified signature method is not supported."}
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

// bearer returns the bearer token of an attempt that is authenticated by one.
func (a *Attempt) bearer() string {
	if !a.rpc() {
		return a.Header.Get("x-acs-bearer-token")
	}
	if a.common("SignatureType") != "BEARERTOKEN" {
		return ""
	}
	return a.common("BearerToken")
}

// securityToken returns the one that the attempt carries.
func (a *Attempt) securityToken() string {
	if !a.rpc() {
		return a.Header.Get("x-acs-security-token")
	}
	return a.common("SecurityToken")
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

// sign returns what the attempt's signature has to be, and what it is made of. A bearer
// token needs none in the ACS3 style, and in the others no secret.
func (a *Attempt) sign(secret string) (toSign, signature string) {
	switch {
	case a.Style == "ACS3" && a.bearer() != "":
		return "", a.Signature
	case a.Style == "ACS3":
		return a.acs3Signature(secret)
	case a.Style == "ROA":
		toSign = a.roaStringToSign()
		return toSign, hmacSHA1(toSign, secret)
	}
	toSign = a.rpcStringToSign()
	return toSign, hmacSHA1(toSign, secret+"&")
}

func hmacSHA1(stringToSign, key string) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(stringToSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
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
	}
	s.nonces[nonce] = true
	return nil
}
