// The race detector allocates memory of its own.

//go:build !race

package signer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// What signing may allocate is a promise to those who call often. The limits leave one or
// two to the Go release at hand.
func TestAllocations(t *testing.T) {
	at := signer.Stamp{Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: time.Unix(1700000000, 0)}
	sts := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "testsecret", SecurityToken: "CAIS+/tok en=="}
	tests := map[string]struct {
		make        func(t *testing.T) (*http.Request, []byte)
		key         signer.Credentials
		sign, whole float64 // Sign; Prepare, a first and a further attempt
	}{
		"RPC":                {rpcInQuery, testKey, 4, 8},
		"RPC, STS":           {rpcInQuery, sts, 5, 9},
		"RPC, in the form":   {rpcInForm, testKey, 10, 18},
		"ROA":                {roaToSign, testKey, 15, 23},
		"ACS3-HMAC-SHA256":   {acs3ToSign("ACS3-HMAC-SHA256"), testKey, 7, 11},
		"ACS3, STS":          {acs3ToSign("ACS3-HMAC-SHA256"), sts, 7, 11},
		"ACS3-HMAC-SM3":      {acs3ToSign("ACS3-HMAC-SM3"), testKey, 7, 11},
		"ACS3, bearer token": {acs3ToSign("ACS3-HMAC-SHA256"), signer.Credentials{BearerToken: "b"}, 6, 9},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req, body := tt.make(t)
			sign := testing.AllocsPerRun(100, func() {
				if err := signer.Sign(req, body, tt.key, at); err != nil {
					t.Fatal(err)
				}
			})
			whole := testing.AllocsPerRun(100, func() {
				p, err := signer.Prepare(req, body)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := p.Sign(req, tt.key, at); err != nil {
						t.Fatal(err)
					}
				}
			})
			t.Logf("Sign: %v, Prepare and two attempts: %v", sign, whole)
			if sign > tt.sign || whole > tt.whole {
				t.Errorf("Sign allocates %v times, and Prepare with two attempts %v; at most %v and %v are allowed", sign, whole, tt.sign, tt.whole)
			}
		})
	}
}

// rpcInQuery is a request of twenty parameters as the V1 SDK makes it.
func rpcInQuery(t *testing.T) (*http.Request, []byte) {
	c := rpcCase{method: "POST", query: createScalingGroup(), identity: identities[0]}
	return c.official(t)
}

// rpcInForm is the same request as other clients make it.
func rpcInForm(t *testing.T) (*http.Request, []byte) {
	req, _ := rpcInQuery(t)
	body := []byte(req.URL.RawQuery)
	req.URL.RawQuery = ""
	return req, body
}

func roaToSign(t *testing.T) (*http.Request, []byte) {
	c := roaCase{method: "PUT", path: "/clusters/c1", query: map[string]string{"clientToken": "t", "name": "生产"}, body: "{}", nonce: "n", identity: identities[0],
		header: map[string]string{"Content-Type": "application/json"}}
	return c.official(t)
}

// acs3ToSign is a request as the V2 SDK makes it.
func acs3ToSign(algorithm string) func(*testing.T) (*http.Request, []byte) {
	return func(t *testing.T) (*http.Request, []byte) {
		req, err := http.NewRequest("POST", "https://ess.aliyuncs.com/?ScalingGroupName=web+prod&MinSize=2&MaxSize=20&Tag.1.Key=k&Tag.1.Value=%E7%94%9F", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"authorization": {algorithm + " Credential=x,SignedHeaders=host,Signature=x"}, "x-acs-action": {"CreateScalingGroup"},
			"x-acs-version": {"2014-08-28"}, "x-acs-date": {"x"}, "x-acs-signature-nonce": {"x"}, "x-acs-content-sha256": {"x"}, "accept": {"application/json"},
			"Host": {"ess.aliyuncs.com"}, "User-Agent": {"x"}}
		return req, nil
	}
}
