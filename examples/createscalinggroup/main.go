// Command createscalinggroup creates one scaling group over a network that fails in
// several ways, and prints what happened on the way.
//
// Without flags it starts a fake endpoint that plays a nasty schedule. With -endpoint,
// and ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET in the
// environment, it calls Alibaba Cloud and creates a real, empty scaling group.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("createscalinggroup", flag.ContinueOnError)
	endpoint := flags.String("endpoint", "", "host of the Auto Scaling API, such as ess.aliyuncs.com; empty: a fake one")
	region := flags.String("region", "cn-qingdao", "region `ID`")
	name := flags.String("name", "web-prod", "`name` of the scaling group")
	schedule := flags.String("faults", "500-after,reset,503,later", "what the fake endpoint does to each attempt, any of "+faultNames())
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, key := sdk.NewConfig(), environmentKey()
	var fake *retrytest.Server
	if *endpoint == "" {
		faults, err := parseFaults(*schedule)
		if err != nil {
			return err
		}
		fake = retrytest.NewServer()
		defer fake.Close()
		fake.Script(faults...)
		account := retrytest.DefaultAccount()
		*endpoint, key = fake.Host, credentials.NewAccessKeyCredential(account.AccessKeyID, account.AccessKeySecret)
	} else {
		config.WithScheme("HTTPS")
	}

	client, err := ess.NewClientWithOptions(*region, config, key)
	if err != nil {
		return err
	}
	safe, err := retry.Wrap(client, key) // the one line that makes the client safe
	if err != nil {
		return err
	}
	defer safe.Transport.CloseIdleConnections()

	request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
	request.Domain, request.ScalingGroupName = *endpoint, *name
	request.MinSize, request.MaxSize = "0", "0"
	line := timeline{out: out}
	// DoAction has a context; client.CreateScalingGroup(request) is as safe without one.
	err = safe.DoAction(retry.WithTrace(ctx, line.trace()), request, response)
	if err != nil {
		return resumable(err)
	}
	fmt.Fprintf(out, "\nscaling group %s, request ID %s\n", response.ScalingGroupId, response.RequestId)
	if fake != nil {
		tokens := make(map[string]bool)
		for _, a := range fake.Attempts() {
			tokens[a.ClientToken] = true
		}
		fmt.Fprintf(out, "%s created by %s under %s\n", count(len(fake.Effects()), "scaling group"),
			count(len(fake.Attempts()), "attempt"), count(len(tokens), "token"))
	}
	return nil
}

func environmentKey() *credentials.AccessKeyCredential {
	return credentials.NewAccessKeyCredential(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
}

// resumable adds to an unclear error what its caller can do about it.
func resumable(err error) error {
	if i, ok := retry.InfoOf(err); ok && i.Outcome == retry.Unknown {
		return fmt.Errorf("%w\nthere may be a scaling group: repeat the call with the same parameters and ClientToken %s to learn it", err, i.ClientToken)
	}
	return err
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
