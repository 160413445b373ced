// Command darabonba creates one scaling group with a client of the V2 SDK, where the reply
// to the first attempt is lost. It calls a fake endpoint, so it needs no account; it is a
// module of its own, since aliretry does not depend on the V2 SDK.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	fake := retrytest.NewServer() // in place of ess.aliyuncs.com
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect()) // the group is made, and the reply is lost

	// The Transport signs each attempt with the key that it is given here; in a program of
	// yours both come from where you keep them.
	key := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	transport := &retry.Transport{Credentials: signer.Static(key)}
	defer transport.CloseIdleConnections()

	// The SDK signs as well, and a call that it signed with another key is refused.
	// RetryOptions stay unset: a retry of the SDK's own would be another call.
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId:     dara.String(key.AccessKeyID),
		AccessKeySecret: dara.String(key.AccessKeySecret),
		HttpClient:      transport, // the one line that makes the client safe
		Endpoint:        dara.String(fake.Host),
		Protocol:        dara.String("http"),    // for the fake endpoint alone,
		NoProxy:         dara.String(fake.Host), // and this too
	})
	if err != nil {
		return err
	}

	// The clients of the products, such as that of ess, make calls like this one.
	response, err := client.CallApiWithCtx(ctx, &openapi.Params{
		Action: dara.String("CreateScalingGroup"), Version: dara.String("2014-08-28"), Style: dara.String("RPC"),
		Protocol: dara.String("HTTPS"), Method: dara.String("POST"), Pathname: dara.String("/"), AuthType: dara.String("AK"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}, &openapi.OpenApiRequest{Query: map[string]*string{
		"ScalingGroupName": dara.String("web-prod"), "MinSize": dara.String("0"), "MaxSize": dara.String("0"),
	}}, &dara.RuntimeOptions{})
	if info, ok := retry.InfoOf(err); ok && info.Outcome == retry.Unknown {
		return fmt.Errorf("%w\nthere may be a scaling group: repeat the call with the parameter ClientToken=%s to learn it", err, info.ClientToken)
	} else if err != nil {
		return err
	}

	body := response["body"].(map[string]any)
	tokens := make(map[string]bool)
	for _, a := range fake.Attempts() {
		tokens[a.ClientToken] = true
	}
	fmt.Fprintf(out, "scaling group %s, request ID %s\n", body["ScalingGroupId"], body["RequestId"])
	fmt.Fprintf(out, "%d scaling group created by %d attempts under %d token\n", len(fake.Effects()), len(fake.Attempts()), len(tokens))
	return nil
}
