package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/benchmarks/client"
	"github.com/aliretry/aliretry/signer"
)

var key = client.Key

// newSignatureTables returns the tables of signatures. Each row makes its own nonce and
// timestamp, as for an attempt of a call.
func newSignatureTables() ([]table, error) {
	rpc, err := rpcRows()
	if err != nil {
		return nil, err
	}
	acs3, err := acs3Rows()
	return []table{
		{title: "A signature in the RPC style", rows: rpc,
			note: "Package signer is given the request that the V1 SDK has signed. It takes it apart for the first attempt of a call, and reuses that."},
		{title: "A signature in the ACS3 style", rows: acs3},
	}, err
}

func rpcRows() ([]row, error) {
	provider, err := auth.ToCredentialsProvider(credentials.NewAccessKeyCredential(key.AccessKeyID, key.AccessKeySecret))
	if err != nil {
		return nil, err
	}
	request := new(requests.RpcRequest)
	request.InitWithApiInfo("Ess", client.Version, client.Action, "ess", "openAPI")
	request.Method, request.Scheme, request.Domain = http.MethodPost, "http", client.Stub.Host
	for name, value := range client.Parameters {
		request.QueryParams[name] = value
	}
	sign := func() error { return auth.Sign(request, nil, client.Region, provider) }
	if err := sign(); err != nil {
		return nil, err
	}
	ours, err := signerRows(request.BuildUrl(), request.GetHeaders())
	if err != nil {
		return nil, err
	}
	text := []byte(strings.Repeat("x", 500))
	return append(append([]row{{"V1 SDK's auth.Sign", sign}}, ours...), row{"bare HMAC-SHA1 of 500 bytes", func() error {
		mac := hmac.New(sha1.New, []byte(key.AccessKeySecret))
		mac.Write(text)
		mac.Sum(nil)
		return nil
	}}), nil
}

func acs3Rows() ([]row, error) {
	algorithm := dara.String("ACS3-HMAC-SHA256")
	query := url.Values{}
	request := dara.NewRequest()
	request.Method, request.Pathname = dara.String(http.MethodPost), dara.String("/")
	for name, value := range client.Parameters {
		query.Set(name, value)
		request.Query[name] = &value
	}
	headers := map[string]string{"x-acs-version": client.Version, "x-acs-action": client.Action, "accept": "application/json"}
	for name, value := range headers {
		request.Headers[name] = &value
	}
	request.Headers["host"] = dara.String(client.Stub.Host)
	ours, err := signerRows("http://"+client.Stub.Host+"/?"+query.Encode(), headers)
	return append([]row{{"V2 SDK's GetAuthorization", func() error { // with what its client does for it
		hash := hex.EncodeToString(utils.Hash(nil, algorithm))
		request.Headers["x-acs-date"], request.Headers["x-acs-signature-nonce"] = utils.GetTimestamp(), utils.GetNonce()
		request.Headers["x-acs-content-sha256"] = &hash
		utils.GetAuthorization(request, algorithm, &hash, &key.AccessKeyID, &key.AccessKeySecret)
		return nil
	}}}, ours...), err
}

// signerRows are the rows of package signer for one request.
func signerRows(target string, headers map[string]string) ([]row, error) {
	req, err := http.NewRequest(http.MethodPost, target, nil)
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		req.Header[name] = []string{value}
	}
	prepared, err := signer.Prepare(req, nil)
	return []row{
		{"signer.Sign, first attempt", func() error { return signer.Sign(req, nil, key, signer.Stamp{}) }},
		{"Prepared.Sign, further attempt", func() error { return prepared.Sign(req, key, signer.Stamp{}) }},
	}, err
}
