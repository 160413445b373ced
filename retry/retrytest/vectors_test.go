package retrytest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// rsaKey signs for nobody but these tests.
const rsaKey = `
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAOWtDWTKtIv4zGIluoy5baVUPRb3MLfsJTQjGG6Rcmx2Hjyk
ZluQiQDZ5BuwTndDmeVfaixZXrA/TQkfjWEpxX4trGKkhLDsBt+HZXYFyP5A9p5fWirHv1zIfYciXAoYpFUAi/sQVsGx3bzV
kcNstYtfGk6hWsU749o+mBhnBQlPAgMBAAECgYA3cJfQkhuVw/c148yNhn8Ajv52CjIQ22g5lxUhL2uy4ao30ilBBfkEIxRs
WJkAMem2k9sRnHr+STFjt+GNKCOa9f/owagKcV33PL2EuH53/mmTfezd1zoKdprGnWJFHjx8DnyxSkmlkMEVXSMcwQUzCagq
On9WIQHqdr5lpS+BgQJBAPaiFwSG1rI+0dlrp2kWyKppXZpZDhfdDu/KNbNpcMp0CM03BxtYUyvzrXVVhl4VmL8CaQprl6jZ
bK/3RpxzYYECQQDuZhhNCPXNYlHxQCti8hLxcrUCRAXLmTqJ0JCEvUTpzGoGgp2bcMvXaEIB8J6BoH0qpSgADAuwzLt/c4KX
rjLPAkACePOEHxnt5YVTCao++nR+iNngXz4t7RBmRP+u0cLItMsVy5RtqMAEs8esYnQbY1oJqCuHaDa4AZ3+UZtKnDmBAkEA
5WvRBQmTaxSsYOvtFOp7Omq2MTj/DsEmKYxSF7wBPrIecqduPzGcqW7G3xENqRemfMy1ot30vi84XV3vFkNo1wJAb9HHqaN8
ishupxUEdebKzKxUamtbGWYykWQ2UzlR7eewkf8Ix5pVhFQid9e3z5ao9e+nr5jyx5+NqOvJ8EqkPg==
`

// vector is a request of fixed content. The hash and the signature were made by the
// official client for Go, darabonba-openapi v2.1.13.
type vector struct{ algorithm, style, hash, signature string }

var vectors = []vector{
	{"ACS3-HMAC-SHA256", "RPC",
		"c75a3645acb95bd94f71e5d39a241a674dda9e0842322e684220d3c6f0c9df73",
		"d737175b9311a2cdc4303565efbcdcc7a8ec1358c243d4514788d36269da0f47"},
	{"ACS3-HMAC-SHA256", "ROA",
		"a5ed6a9da3a18b8889b2ca02e214e0500413dd5180aea757b59c0bf7a48c3330",
		"8ab8eb7c8e5f4b1c4db892cd3c8bc52841cd8300d8f11c9a9a5c6e540fbb5c2b"},
	{"ACS3-HMAC-SM3", "RPC",
		"400087017bc31f861cec0ea6f7f8a11a3741c043e3136da33cc007f515ff9b29",
		"f41f6f5df0fc8fbaf0e33b349116a85107570a16b72fc36b33924837e0abf52b"},
	{"ACS3-HMAC-SM3", "ROA",
		"d6961a722d5c6862a06c7d1fe728dbdf55df9182130384a3d4444868b7ed4843",
		"3bb4a97ca49abb910c5c86ab78342154c3a72c261e0dfc197953ab15f0fe74b9"},
	{"ACS3-RSA-SHA256", "RPC",
		"c75a3645acb95bd94f71e5d39a241a674dda9e0842322e684220d3c6f0c9df73",
		"7693593d366667134fa706202e6ce72b3f96de7c599c2a600e17a59a48995646ffbe17fa4f38ac9e4be3fa445edbe88fcee31b5ee077e2befe45729c4bf079dc" +
			"2a4192515d66eb40616a25c843ea2a1db81157133808c08d3909acb543055df37ca99230cc8ac68e10cff9b91d2497d45449969eb1e3a36fdf9f0b33968067fc"},
	{"ACS3-RSA-SHA256", "ROA",
		"a5ed6a9da3a18b8889b2ca02e214e0500413dd5180aea757b59c0bf7a48c3330",
		"ab632c3b2fbe76b08b7472b8c4981d283eb63623ef447346eaea68b526eca43750fac6b40acd653665211ec63a7a8bf3ccc87fbdfbb075265d50905a081f1ef9" +
			"5c76d6393a04e32c844cb256d42cb1eb242c9bb283226b48867c0a32d3305cc3f2bb7b4dad02f23782d866fa1db7194847a13780283292bcd9958632dcf418f7"},
}

// request is by name at the path "/" with everything that needs an escape in query and
// form, or by path with JSON and temporary keys.
func (v vector) request() *http.Request {
	header := map[string]string{
		"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26", "x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
		"x-acs-content-sha256": v.hash, "Content-Type": "application/x-www-form-urlencoded",
		"Authorization": v.algorithm + " Credential=testid,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=" + v.signature,
	}
	const query = "?Empty=&InstanceName=%E5%BC%B9%E6%80%A7%E4%BC%B8%E7%BC%A9+%E7%BB%84*~%2B%25%26%3D%2F%3F%23%27%22%3C%3E%3B%2C&Tag.10.Key=k10&Tag.1.Key=k"
	method, target, body := "POST", "/"+query, "UserData=a+b%2A&Zone=c"
	if v.style == "ROA" {
		method, target, body = "PUT", "/clusters/a%20b*~/nodes?clientToken=t+1", `{"name":"组"}`
		header["x-acs-action"], header["x-acs-version"], header["Content-Type"] = "ModifyClusterNodes", "2015-12-15", "application/json; charset=utf-8"
		header["x-acs-accesskey-id"], header["x-acs-security-token"] = "testid", "st+/= 1"
		header["Authorization"] = v.algorithm + " Credential=testid,SignedHeaders=content-type;host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=" + v.signature
	}
	req, _ := http.NewRequest(method, "http://ecs.cn-hangzhou.aliyuncs.com"+target, nil)
	setBody(req, body)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	return req
}

func (v vector) account() retrytest.Account {
	account := retrytest.DefaultAccount()
	if v.algorithm == "ACS3-RSA-SHA256" {
		account.AccessKeySecret = rsaKey
	}
	if v.style == "ROA" {
		account.SecurityToken = "st+/= 1"
	}
	return account
}

func bodyOf(req *http.Request) string {
	body, _ := io.ReadAll(req.Body)
	return string(body)
}

func setBody(req *http.Request, body string) {
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

// sendVector sends a request to a server of the time of the vectors.
func sendVector(t *testing.T, req *http.Request, account retrytest.Account) retrytest.Attempt {
	t.Helper()
	srv := newServer(t, account)
	srv.SetClock(func() time.Time { return time.Date(2023, 10, 26, 10, 25, 0, 0, time.UTC) })
	req.Host, req.URL.Host = req.URL.Host, srv.Host
	if _, err := roundTrip(newClient(t), req); err != nil {
		t.Fatal(err)
	}
	return last(t, srv)
}

// rehash puts the hash of the body there, by the algorithm that the request names.
func rehash(req *http.Request, body string) {
	sum := sha256.Sum256([]byte(body))
	if strings.HasPrefix(req.Header.Get("Authorization"), "ACS3-HMAC-SM3 ") {
		sum = sm3.Sum([]byte(body))
	}
	req.Header.Set("x-acs-content-sha256", hex.EncodeToString(sum[:]))
}
