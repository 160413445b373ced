package signer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

func TestCredentialsNeverShowSecrets(t *testing.T) {
	c := signer.Credentials{AccessKeyID: "LTAI-id", AccessKeySecret: "hush-1", SecurityToken: "hush-2", BearerToken: "hush-3"}
	nested := struct {
		C signer.Credentials
		P *signer.Credentials
		S signer.Provider
	}{c, &c, signer.Static(c)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T"} {
		fmt.Fprintf(&out, verb+verb+verb, c, &c, nested)
	}
	for _, v := range []any{c, &c, nested} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "c", c, "n", nested)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "c", c, "n", nested)
	for _, secret := range []string{"hush", "687573682d"} { // also in hexadecimal
		if strings.Contains(strings.ToLower(out.String()), secret) {
			t.Errorf("%q shows in: %s", secret, &out)
		}
	}
	if !strings.Contains(out.String(), "LTAI-id") {
		t.Error("the AccessKey ID does not show")
	}
}

func TestStaticRefusesEmpty(t *testing.T) {
	if _, err := signer.Static(signer.Credentials{}).Credentials(context.Background()); !errors.Is(err, signer.ErrNoCredentials) {
		t.Errorf("error %v, want ErrNoCredentials", err)
	}
}

func ExampleSign() {
	req, _ := http.NewRequest("GET", "https://ecs.aliyuncs.com/?Format=XML&Action=DescribeRegions&Version=2014-05-26", nil)
	credentials := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	err := signer.Sign(req, nil, credentials, signer.Stamp{ // a zero Stamp means a new nonce, now
		Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
		Time:  time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC),
	})
	fmt.Println(req.URL.Query().Get("Signature"), err)
	// Output: OLeaidS1JvxuMvnyHOwuJ+uX5qY= <nil>
}

func ExamplePrepare() {
	req, _ := http.NewRequest("GET", "https://ecs.aliyuncs.com/?Action=DescribeRegions&Version=2014-05-26", nil)
	prepared, err := signer.Prepare(req, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	nonces := make(map[string]bool)
	for range 3 { // three attempts, each with a signature of its own
		attempt := req.Clone(context.Background())
		if err := prepared.Sign(attempt, credentials, signer.Stamp{}); err != nil {
			fmt.Println(err)
			return
		}
		nonces[attempt.URL.Query().Get("SignatureNonce")] = true
	}
	fmt.Println(len(nonces), "nonces")
	// Output: 3 nonces
}
