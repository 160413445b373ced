package retrytest

// Account is a key that a [Server] knows: an AccessKey pair, a temporary pair with
// its security token, or a bearer token alone.
type Account struct {
	AccessKeyID, AccessKeySecret string
	SecurityToken                string // must come with every request of the key; empty means that none may
	BearerToken                  string
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

func (a Account) hasPair() bool { return a.AccessKeyID != "" && a.AccessKeySecret != "" }

// key names the key for its nonces.
func (a Account) key() string { return "key " + a.AccessKeyID + " " + a.BearerToken }

// owner names the cloud account for its client tokens.
func (a Account) owner() string {
	if a.Owner != "" {
		return "owner " + a.Owner
	}
	return a.key()
}

// secretFor returns the secret that signs the attempt: none with a bearer token.
func (a Account) secretFor(attempt *Attempt) string {
	if attempt.bearer() != "" {
		return ""
	}
	return a.AccessKeySecret
}

// findAccount returns the account whose key the attempt names.
func findAccount(a *Attempt, accounts []Account) (Account, *problem) {
	bearer := a.bearer()
	for _, account := range accounts {
		switch {
		case bearer == "" && account.hasPair() && account.AccessKeyID == a.AccessKeyID,
			bearer != "" && account.BearerToken == bearer && (a.AccessKeyID == "" || a.AccessKeyID == account.AccessKeyID):
			return account, nil
		}
	}
	if bearer != "" {
		return Account{}, &problem{400, "InvalidBearerToken", "Specified bearer token is not valid."}
	}
	return Account{}, &problem{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
}
