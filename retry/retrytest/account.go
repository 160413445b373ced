package retrytest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
)

// Account is a key that a [Server] knows: an AccessKey pair, a temporary pair with
// its security token, or a bearer token alone. An anonymous one stands for those who
// show no key.
type Account struct {
	// AccessKeySecret is a secret for HMAC, or an RSA key for ACS3-RSA-SHA256: PKCS #8
	// in base64, with or without the armour of PEM, as the clients take it. The server
	// verifies with the key's public half, and takes no signature of the other kind.
	AccessKeyID, AccessKeySecret string
	SecurityToken                string // must come with every request of the key; empty means that none may
	BearerToken                  string
	// Anonymous means the account as which requests without any key or signature are
	// taken, as a service does for operations whose AuthType is Anonymous. It has no
	// key of its own. A server without such an account refuses those requests.
	Anonymous bool
	// Owner is the cloud account that the key belongs to. Client tokens are the
	// owner's: temporary keys that follow one another share them if they have the
	// same Owner. Empty means that the key is a cloud account of its own.
	Owner string
}

// DefaultAccount is the key that a [Server] knows when it was given none: testid with
// testsecret, the pair of Alibaba's published examples.
func DefaultAccount() Account {
	return Account{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
}

// problem says what is wrong with the account; empty if nothing is.
func (a Account) problem() string {
	switch {
	case a.Anonymous && a != (Account{Anonymous: true, Owner: a.Owner}):
		return "an anonymous account has no key"
	case !a.Anonymous && !a.hasPair() && a.BearerToken == "":
		return "an account needs an AccessKey pair or a bearer token, or to be anonymous"
	}
	return ""
}

func (a Account) hasPair() bool { return a.AccessKeyID != "" && a.AccessKeySecret != "" }

// key names the key for its nonces; that of no key is a name, too.
func (a Account) key() string { return "key " + a.AccessKeyID + " " + a.BearerToken }

// owner names the cloud account for its client tokens.
func (a Account) owner() string {
	if a.Owner != "" {
		return "owner " + a.Owner
	}
	return a.key()
}

// AddAccount makes the server know an account from now on, in place of one with the same
// key: a session that was renewed, say, under the same Owner as the one before. It panics
// on an account that [NewServer] would not take.
func (s *Server) AddAccount(a Account) {
	if problem := a.problem(); problem != "" {
		panic("retrytest: " + problem)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(s.accounts), func(known Account) bool { return known.key() == a.key() })
	s.accounts = append(others, a)
	delete(s.expired, a.key())
}

// Expire ends the session of a temporary pair: attempts signed with it are refused from
// now on. What was taken in before goes on. It panics if the server knows no temporary pair
// of that ID.
func (s *Server) Expire(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.accounts, func(a Account) bool { return a.AccessKeyID == accessKeyID && a.SecurityToken != "" })
	if i < 0 {
		panic("retrytest: no temporary pair has the ID " + accessKeyID)
	}
	s.expired[s.accounts[i].key()] = true
}

// secretFor returns the secret that signs the attempt: none with a bearer token.
func (a Account) secretFor(attempt *Attempt) string {
	if attempt.bearer() != "" {
		return ""
	}
	return a.AccessKeySecret
}

// publicKey returns the public half of a secret that is an RSA key; nil if it is none.
func publicKey(secret string) *rsa.PublicKey {
	der, _ := base64.StdEncoding.DecodeString(secret)
	if block, _ := pem.Decode([]byte(secret)); block != nil {
		der = block.Bytes
	}
	key, _ := x509.ParsePKCS8PrivateKey(der)
	if private, ok := key.(*rsa.PrivateKey); ok {
		return &private.PublicKey
	}
	return nil
}

// findAccount returns the account whose key the attempt names, or the anonymous one if
// it names none.
func findAccount(a *Attempt, accounts []Account) (Account, *problem) {
	bearer := a.bearer()
	for _, account := range accounts {
		switch {
		case bearer == "" && account.hasPair() && account.AccessKeyID == a.AccessKeyID,
			bearer != "" && account.BearerToken == bearer && (a.AccessKeyID == "" || a.AccessKeyID == account.AccessKeyID),
			account.Anonymous && a.anonymous():
			return account, nil
		}
	}
	if bearer != "" {
		return Account{}, &problem{400, "InvalidBearerToken", "Specified bearer token is not valid."}
	}
	return Account{}, &problem{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
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

// mustBeSigned reports whether the attempt needs a signature. It does not where it shows
// nothing but a bearer token, or nothing at all and that is enough for the server. In the
// ACS3 style a signature beside a bearer token says nothing.
func (a *Attempt) mustBeSigned(accounts []Account) bool {
	switch {
	case a.bearer() != "" && a.Style == "ACS3":
		return false
	case a.bearer() != "" && a.rpc():
		return a.hasCommon("Signature")
	case a.bearer() != "":
		return a.Header.Values("Authorization") != nil
	case a.anonymous():
		return !slices.ContainsFunc(accounts, func(account Account) bool { return account.Anonymous })
	}
	return true
}

// anonymous reports whether the attempt carries nothing that says who sends it, nor the
// empty place of it: a client whose key is empty is no anonymous one.
func (a *Attempt) anonymous() bool {
	for _, name := range []string{"Authorization", "x-acs-accesskey-id", "x-acs-bearer-token", "x-acs-zero-trust-idtoken"} {
		if a.Header.Values(name) != nil {
			return false
		}
	}
	return !a.rpc() || !a.hasCommon("AccessKeyId") && !a.hasCommon("Signature") && !a.hasCommon("BearerToken")
}
