package client

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Another cloud's SDK, which retries by itself: for reference, since its call is another
// one, GetCallerIdentity without parameters, and so is its signature. Its Endpoint must be
// StubAWS.
var (
	AWS = Client{"aws-sdk-go-v2", "as it comes: up to two retries", func(e Endpoint) (Call, error) {
		return newAWS(e, retry.NewStandard())
	}}
	AWSWithoutRetry = Client{"aws-sdk-go-v2, no retry", "retries switched off", func(e Endpoint) (Call, error) {
		return newAWS(e, aws.NopRetryer{})
	}}
)

func newAWS(e Endpoint, retryer aws.Retryer) (Call, error) {
	client := sts.New(sts.Options{
		Region:     "us-east-1",
		HTTPClient: &http.Client{Transport: e.Base},
		Retryer:    retryer,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: Key.AccessKeyID, SecretAccessKey: Key.AccessKeySecret}, nil
		}),
	})
	return func(ctx context.Context) (string, error) {
		output, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		return aws.ToString(output.Account), nil
	}, nil
}
