package retry

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/aliretry/aliretry/signer"
)

// secrets matches the parts of an error's text that may hold any: the password and the
// query of a URL, which has AccessKeyId, Signature and SecurityToken, and a secret by its
// name, as in a parameter, a header or a piece of JSON that a credentials provider quotes.
var secrets = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(://)[^\s"?]*@|(://[^\s"?]*)\?[^\s"]*` +
		`|(?i)((?:access[-_]?key[-_]?secret|secret[-_]?access[-_]?key|client[-_]?secret|(?:security|sts|bearer|session|access|refresh|oidc)[-_]?token` +
		`|saml[-_]?assertion|signature|private[-_]?key|password)\\*["']?)\s*(?:=>?|:|>|%3D|%253D)\s*\\*["']?(?:[^\s"'&}<\\]|\\+[^\s"'\\])*` +
		`|(?i)(authorization\\*["']?\s*[:=]\s*)[^\r\n]*`)
})

func scrub(text string) string {
	if len(text) > maxText { // a server can make net/http quote as much as it likes, and this takes its square
		text = text[:maxText]
	}
	return secrets().ReplaceAllString(text, "$1$2$3$4")
}

// maxText bounds an error's text.
const maxText = 4 << 10

// Redact returns err without the signed URL that http.Client puts into its *url.Error:
// the query is cut off, wherever in the text it stands. [errors.Is] and [errors.As] find
// in the result what they find in err, but a *url.Error redacted as well. An err that
// shows nothing of the kind is returned as it is.
func Redact(err error) error {
	if err == nil {
		return nil
	}
	if u, ok := err.(*url.Error); ok {
		return redactURL(u)
	}
	text := err.Error()
	if clean := scrub(text); clean != text {
		return &redacted{clean, func() error { return err }}
	}
	return err
}

func redactURL(u *url.Error) *url.Error {
	address, _, _ := strings.Cut(u.URL, "?")
	return &url.Error{Op: u.Op, URL: scrub(address), Err: Redact(u.Err)}
}

// redacted is an error whose text is clean, and which has no Unwrap, since that would
// give away the unclean one. That is kept in a function because fmt prints the unexported
// fields of a struct.
type redacted struct {
	text string
	err  func() error
}

func (r *redacted) Error() string        { return r.text }
func (r *redacted) Is(target error) bool { return errors.Is(r.err(), target) }
func (r *redacted) Timeout() bool        { return isTimeout(r.err()) }

func (r *redacted) As(target any) bool {
	if !errors.As(r.err(), target) {
		return false
	}
	if u, ok := target.(**url.Error); ok {
		*u = redactURL(*u)
	}
	return true
}

var stringToSign = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("(?i)string to sign") })

// conceal takes out of an API's message what the server quotes of our request: the
// string to sign of a signature that it did not accept, and the tokens of c in any case.
func conceal(message string, c signer.Credentials) string {
	if message == "" {
		return ""
	}
	if at := stringToSign().FindStringIndex(message); at != nil { // ToLower may change lengths
		message = message[:at[0]] + "string to sign [redacted]"
	}
	for _, secret := range [...]string{c.SecurityToken, c.BearerToken, c.AccessKeySecret} {
		for range 3 { // plain, and escaped once and twice
			if secret != "" {
				message = strings.ReplaceAll(message, secret, "[redacted]")
			}
			if n := cutSecret(message, secret); n > 0 { // where the message was cut
				message = message[:len(message)-n] + "[redacted]"
			}
			secret = url.QueryEscape(secret)
		}
	}
	return message
}

// cutSecret is how long a beginning of the secret the message ends with, 0 if with none of 8
// bytes or more.
func cutSecret(message, secret string) int {
	for n := min(len(secret)-1, len(message)); n >= 8; n-- {
		if strings.HasSuffix(message, secret[:n]) {
			return n
		}
	}
	return 0
}
