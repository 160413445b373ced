// Command nethttp calls an API with net/http alone, without any SDK: the Transport
// signs the request, gives it a client token and repeats it safely.
//
// Without flags it calls a fake endpoint whose first reply is lost after the work was
// done. With -endpoint, and ALIBABA_CLOUD_ACCESS_KEY_ID and
// ALIBABA_CLOUD_ACCESS_KEY_SECRET in the environment, it creates a VPC in the cloud.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

func main() {
	endpoint := flag.String("endpoint", "", "`URL` of the VPC API, such as https://vpc.aliyuncs.com; empty: a fake one")
	region := flag.String("region", "cn-qingdao", "region `ID`")
	flag.Parse()
	if err := run(os.Stdout, *endpoint, *region); err != nil {
		log.Fatal(retry.Redact(err)) // http.Client quotes the signed URL
	}
}

func run(out io.Writer, endpoint, region string) error {
	key := signer.Credentials{AccessKeyID: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), AccessKeySecret: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")}
	if endpoint == "" {
		fake := retrytest.NewServer()
		defer fake.Close()
		fake.Script(retrytest.Reset().AfterEffect())
		account := retrytest.DefaultAccount()
		endpoint, key.AccessKeyID, key.AccessKeySecret = fake.URL, account.AccessKeyID, account.AccessKeySecret
	}
	client := &http.Client{Transport: &retry.Transport{Credentials: signer.Static(key)}}
	defer client.CloseIdleConnections()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	query := url.Values{
		"Action": {"CreateVpc"}, "Version": {"2016-04-28"}, "Format": {"JSON"},
		"RegionId": {region}, "VpcName": {"web-prod"}, "CidrBlock": {"10.0.0.0/8"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	info, _ := retry.InfoOfResponse(resp)
	fmt.Fprintf(out, "%s\n%s\n%s: %v after %d attempts\n", resp.Status, body, info.Operation, info.Outcome, len(info.Attempts))
	return nil
}
