package signer

import (
	"net/http"
	"time"

	"github.com/aliretry/aliretry/internal/signing"
)

// Stamp is what must differ in every attempt: "different SignatureNonce and Timestamp
// values in a retry" (Ensure idempotence, VPC and others).
type Stamp struct {
	Nonce string    // "" means a new random one
	Time  time.Time // the signing time, sent in whole seconds; zero means now
}

var (
	// ErrUnsupported is returned for a request in a style or with a signature method
	// that this package does not sign.
	ErrUnsupported = signing.ErrUnsupported
	// ErrMalformed is returned for a request whose parameters cannot be read, where one
	// name stands twice in one place, or where net/http would send something else than
	// is signed, so that no signature could fit.
	ErrMalformed = signing.ErrMalformed
)

// Sign signs req, whose body is the bytes of body, with c. It keeps the style that the
// request came in, signed or not, and replaces only what belongs to the signature.
//
// In RPC, known by its parameters Action and Version, these are the parameters
// Signature, SignatureNonce, Timestamp (or TimeStamp, as the request spells it),
// AccessKeyId, BearerToken, SignatureType, and SecurityToken where c has one. They go
// where Action stands, query or form, and req.URL is replaced.
//
// In ROA, known by an Authorization that begins with "acs" or by the headers
// x-acs-signature-version and x-acs-version, these are the headers Authorization, Date,
// x-acs-signature-nonce, x-acs-security-token, x-acs-bearer-token and, where the request
// has them, x-acs-accesskey-id and x-acs-signature-type. The nonce is added where there
// was none: the servers refuse a second delivery of the same request only by it. A
// Content-MD5 must be right.
//
// In ACS3, known by an Authorization that begins with "ACS3-" or by the headers
// x-acs-action and x-acs-version alone, these are the headers Authorization, x-acs-date,
// x-acs-signature-nonce, x-acs-content-sha256, x-acs-accesskey-id, x-acs-security-token,
// x-acs-bearer-token and x-acs-signature-type. Its algorithm is the one that Authorization
// begins with: ACS3-HMAC-SHA256, ACS3-HMAC-SM3 or ACS3-RSA-SHA256. Without one it is
// ACS3-HMAC-SM3 if x-acs-content-sha256 is the body's SM3 hash, as in an unsigned request of
// the V2 SDK, and else ACS3-HMAC-SHA256. With a bearer token there is no signature.
//
// An anonymous request is left without a signature and everything else that names a key.
//
// Body, GetBody and ContentLength are set to the bytes to be sent, so req is ready to be
// sent afterwards. A request that is to be signed several times is prepared once
// instead, see [Prepare]. The error wraps [ErrNoCredentials], [ErrUnsupported] or
// [ErrMalformed]; req is then as it was.
func Sign(req *http.Request, body []byte, c Credentials, at Stamp) error {
	return signing.Sign(req, body, signing.Key(c), signing.Stamp(at))
}

// Prepared is a request whose constant parts were parsed and canonicalised once. It is
// immutable and safe for concurrent use.
type Prepared signing.Prepared

// Prepare takes req and the bytes of its body apart, for signing them any number of
// times. It changes neither and keeps no reference to req. The error wraps
// [ErrUnsupported] or [ErrMalformed].
func Prepare(req *http.Request, body []byte) (*Prepared, error) {
	p, err := signing.PrepareRequest(req, body)
	if err != nil {
		return nil, err
	}
	return (*Prepared)(&p), nil
}

// Sign writes the prepared request, signed with c at the given stamp, to req: a clone
// of the request that p was made from, as [Sign] leaves it. The error wraps
// [ErrNoCredentials] or, where c or the nonce cannot stand in a header, [ErrMalformed].
func (p *Prepared) Sign(req *http.Request, c Credentials, at Stamp) error {
	return (*signing.Prepared)(p).Sign(req, signing.Key(c), signing.Stamp(at))
}
