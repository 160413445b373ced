package signer_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// The example with fixed values that Alibaba publishes with the signature, version 3.
func TestSignACS3PublishedExample(t *testing.T) {
	req, _ := http.NewRequest("POST", "https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", nil)
	req.Header = http.Header{"x-acs-action": {"RunInstances"}, "x-acs-version": {"2014-05-26"}}
	key := signer.Credentials{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"}
	at := signer.Stamp{Nonce: "3156853299f313e23d1673dc12e1703d", Time: time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)}
	if err := signer.Sign(req, nil, key, at); err != nil {
		t.Fatal(err)
	}
	const want = "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	for name, v := range map[string]string{"X-Acs-Date": "2023-10-26T10:22:32Z", "X-Acs-Signature-Nonce": at.Nonce,
		"X-Acs-Content-Sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"} {
		if req.Header.Get(name) != v {
			t.Errorf("%s is %q", name, req.Header.Get(name))
		}
	}
}

var _ = strings.Contains
