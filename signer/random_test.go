package signer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliretry/aliretry/signer"
)

var testKey = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// identity is one key, as we take it and as the SDK does.
type identity struct {
	ours     signer.Credentials
	official auth.Credential
}

var identities = []identity{
	{testKey, credentials.NewAccessKeyCredential("testid", "testsecret")},
	{signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "s&=%", SecurityToken: "CAIS+/tok en=="},
		credentials.NewStsTokenCredential("STS.id", "s&=%", "CAIS+/tok en==")},
	{signer.Credentials{BearerToken: "eyJ.bear+er/~="}, credentials.NewBearerTokenCredential("eyJ.bear+er/~=")},
}

// randomIdentity returns a key of a kind whose secret an HMAC takes as it is, or hashes
// first.
func randomIdentity(r *rand.Rand, kind int) identity {
	secret := "s" + randomBytes(r, 130)
	switch kind {
	case 0:
		return identity{signer.Credentials{AccessKeyID: "testid", AccessKeySecret: secret}, credentials.NewAccessKeyCredential("testid", secret)}
	case 1:
		return identity{signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: secret, SecurityToken: "CAIS+/tok en=="},
			credentials.NewStsTokenCredential("STS.id", secret, "CAIS+/tok en==")}
	}
	return identities[2]
}

// The characters that encodings disagree about, and some that look encoded.
var alphabet = []string{" ", "*", "~", "+", "%", "%20", "&", "=", "/", "?", "#", ";", ":", "-", "_", ".", "!", "'", "(", ")",
	"\"", "<", "\\", "a", "Z", "0", "中文", "é", "😀", "\n", "\t", "\x00", "\x7f"}

func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func randomBytes(r *rand.Rand, n int) string {
	b := make([]byte, r.IntN(n+1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func randomParams(r *rand.Rand, prefix string) map[string]string {
	params := make(map[string]string)
	for i := range r.IntN(8) {
		name := prefix + randomText(r, 4)
		switch r.IntN(5) {
		case 0: // repeated lists, whose order differs between names and joined pairs
			name = fmt.Sprintf("%sInstanceId.%d", prefix, i*5)
		case 1:
			name = fmt.Sprintf("%sList.%d.Key-%d", prefix, i, i)
		case 2: // names whose order differs from that of what they are encoded to
			name = prefix + []string{"a/b", "a-b", "a.b", "a b", "a~b"}[r.IntN(5)]
		}
		params[name] = randomText(r, 12)
	}
	switch r.IntN(30) {
	case 0:
		params[""] = randomText(r, 3)
	case 1: // more of them than most requests have
		for i := range 30 + r.IntN(30) {
			params[fmt.Sprintf("%sTag.%d.Value", prefix, i)] = randomText(r, 3)
		}
	case 2: // longer than what is set aside for it
		params[prefix+"Long"] = strings.Repeat(randomText(r, 20)+"x", 300)
	case 3:
		params[prefix+"Bytes"] = randomBytes(r, 100)
	}
	return params
}

func TestSignDiffersNowhereFromSDK(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		c := rpcCase{[]string{"GET", "POST", "DELETE"}[r.IntN(3)], randomParams(r, "q"), randomParams(r, "f"), randomIdentity(r, i%3)}
		switch r.IntN(6) {
		case 0:
			c.query["Empty"], c.form["Format"], c.form["SecurityToken"] = "", "business", "business"
		case 1: // one name in both places
			c.query["fName"], c.form["fName"] = randomText(r, 3), randomText(r, 3)
		}
		if c.check(t, r, rpcWays[i/3%3]); t.Failed() {
			t.Fatalf("at request %d, %q", i, c)
		}
	}
}

func FuzzSign(f *testing.F) {
	f.Add("GroupName", "a b*~+%2B", "Body", "中文", "secret", true, uint8(0), uint64(1))
	f.Add("InstanceId.10", "", "a.b", "=&", strings.Repeat("k", 64), false, uint8(1), uint64(2))
	f.Add("a", "x", "a", "y", strings.Repeat("k", 63), true, uint8(2), uint64(3))
	f.Add("", "", "a/b", "\xff", strings.Repeat("k", 65), true, uint8(0), uint64(4))
	f.Fuzz(func(t *testing.T, qName, qValue, fName, fValue, secret string, post bool, kind uint8, seed uint64) {
		for _, name := range []string{qName, fName} {
			switch name {
			case "SignatureMethod", "SignatureVersion", "Action", "Version", "Format", "RegionId", "Signature", "SignatureNonce",
				"Timestamp", "TimeStamp", "AccessKeyId", "BearerToken", "SecurityToken", "SignatureType":
				return // these name the system's own parameters
			}
		}
		c := rpcCase{"GET", map[string]string{qName: qValue}, map[string]string{fName: fValue}, identities[kind%3]}
		if post {
			c.method = "POST"
		}
		if secret != "" && kind%3 == 0 {
			c.identity = identity{signer.Credentials{AccessKeyID: "testid", AccessKeySecret: secret}, credentials.NewAccessKeyCredential("testid", secret)}
		}
		for _, way := range rpcWays {
			c.check(t, rand.New(rand.NewPCG(seed, 0)), way)
		}
	})
}
