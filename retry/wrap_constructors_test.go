//lint:file-ignore SA1019 the SDK's deprecated constructors make clients, too

package retry_test

import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials/provider"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
)

// plainClient is a client of the SDK's as it is called where nobody knows of us.
type plainClient interface {
	retry.SDKClient
	DoAction(requests.AcsRequest, responses.AcsResponse) error
}

// constructor is one way to a client. Make is given a Config, which the shorter ones have no
// room for; credential is what Wrap is given for such a client.
type constructor struct {
	make       func(config *sdk.Config) (plainClient, error)
	credential func() (auth.Credential, error)
	sts        [2]string // a parameter under which STS is asked; none if it is not
}

func as[C plainClient](client C, err error) (plainClient, error) { return client, err }

const (
	region = "cn-qingdao"
	role   = "acs:ram::1:role/x"
)

// constructors are all that the SDK has, its core's and a service's, with each kind of
// credential.
func constructors(c *cloud) map[string]constructor {
	all := make(map[string]constructor)
	given := func(credential auth.Credential) func() (auth.Credential, error) {
		return func() (auth.Credential, error) { return credential, nil }
	}
	add := func(name string, credential auth.Credential, ess, core func() (plainClient, error), sts ...string) {
		row := constructor{credential: given(credential)}
		copy(row.sts[:], sts)
		for where, make := range map[string]func() (plainClient, error){"ess.": ess, "sdk.": core} {
			if make != nil {
				row.make = func(*sdk.Config) (plainClient, error) { return make() }
				all[where+name] = row
			}
		}
	}
	key, token := credentials.NewAccessKeyCredential("testid", "testsecret"), credentials.NewStsTokenCredential("STS.role", "role-secret", "role-token")
	arn := credentials.NewRamRoleArnCredential("testid", "testsecret", role, "s", 0)
	policy := credentials.NewRamRoleArnWithPolicyCredential("testid", "testsecret", role, "s", "{}", 0)
	external := credentials.NewRamRoleArnWithPolicyAndExternalIdCredential("testid", "testsecret", role, "s", "", "ext", 0)
	pair, bearer := credentials.NewRsaKeyPairCredential(c.privateKey, "public", 0), credentials.NewBearerTokenCredential("bearer")
	ecs := credentials.NewEcsRamRoleCredential("ecs-role")

	add("NewClientWithAccessKey", key,
		func() (plainClient, error) { return as(ess.NewClientWithAccessKey(region, "testid", "testsecret")) },
		func() (plainClient, error) { return as(sdk.NewClientWithAccessKey(region, "testid", "testsecret")) })
	add("NewClientWithStsToken", token,
		func() (plainClient, error) {
			return as(ess.NewClientWithStsToken(region, "STS.role", "role-secret", "role-token"))
		},
		func() (plainClient, error) {
			return as(sdk.NewClientWithStsToken(region, "STS.role", "role-secret", "role-token"))
		})
	add("NewClientWithRamRoleArn", arn,
		func() (plainClient, error) {
			return as(ess.NewClientWithRamRoleArn(region, "testid", "testsecret", role, "s"))
		},
		func() (plainClient, error) {
			return as(sdk.NewClientWithRamRoleArn(region, "testid", "testsecret", role, "s"))
		}, "RoleArn", role)
	add("NewClientWithRamRoleArnAndPolicy", policy,
		func() (plainClient, error) {
			return as(ess.NewClientWithRamRoleArnAndPolicy(region, "testid", "testsecret", role, "s", "{}"))
		},
		func() (plainClient, error) {
			return as(sdk.NewClientWithRamRoleArnAndPolicy(region, "testid", "testsecret", role, "s", "{}"))
		}, "Policy", "{}")
	add("NewClientWithEcsRamRole", ecs,
		func() (plainClient, error) { return as(ess.NewClientWithEcsRamRole(region, "ecs-role")) },
		func() (plainClient, error) { return as(sdk.NewClientWithEcsRamRole(region, "ecs-role")) })
	add("NewClientWithRsaKeyPair", pair,
		func() (plainClient, error) { return as(ess.NewClientWithRsaKeyPair(region, "public", c.privateKey, 0)) },
		func() (plainClient, error) { return as(sdk.NewClientWithRsaKeyPair(region, "public", c.privateKey, 0)) }, "PublicKeyId", "public")
	add("NewClientWithBearerToken", bearer, nil,
		func() (plainClient, error) { return as(sdk.NewClientWithBearerToken(region, "bearer")) })
	add("NewClientWithStsRoleArn", arn, nil,
		func() (plainClient, error) {
			return as(sdk.NewClientWithStsRoleArn(region, "testid", "testsecret", role, "s"))
		}, "RoleArn", role)
	add("NewClientWithStsRoleNameOnEcs", ecs, nil,
		func() (plainClient, error) { return as(sdk.NewClientWithStsRoleNameOnEcs(region, "ecs-role")) })

	for name, of := range map[string]provider.Provider{"the default chain": nil, "ProviderEnv": provider.ProviderEnv, "ProviderInstance": provider.ProviderInstance} {
		chain, resolve := []provider.Provider{of}, of
		if of == nil {
			chain, resolve = nil, provider.DefaultChain
		}
		all["ess.NewClientWithProvider, "+name] = constructor{credential: resolve.Resolve,
			make: func(*sdk.Config) (plainClient, error) { return as(ess.NewClientWithProvider(region, chain...)) }}
		all["sdk.NewClientWithProvider, "+name] = constructor{credential: resolve.Resolve,
			make: func(*sdk.Config) (plainClient, error) { return as(sdk.NewClientWithProvider(region, chain...)) }}
	}

	options := func(name string, credential func() (auth.Credential, error), sts ...string) {
		row := constructor{credential: credential}
		copy(row.sts[:], sts)
		row.make = func(config *sdk.Config) (plainClient, error) {
			credential, err := row.credential()
			if err != nil {
				return nil, err
			}
			return as(ess.NewClientWithOptions(region, config, credential))
		}
		all["ess.NewClientWithOptions, "+name] = row
		row.make = func(config *sdk.Config) (plainClient, error) {
			credential, err := row.credential()
			if err != nil {
				return nil, err
			}
			return as(sdk.NewClientWithOptions(region, config, credential))
		}
		all["sdk.NewClientWithOptions, "+name] = row
	}
	options("an AccessKey", given(key))
	options("a BaseCredential", given(credentials.NewBaseCredential("testid", "testsecret").ToAccessKeyCredential()))
	options("an STS token", given(token))
	options("a bearer token", given(bearer))
	options("a role", given(arn), "RoleArn", role)
	options("a role with a policy", given(policy), "Policy", "{}")
	options("a role with an external ID", given(external), "ExternalId", "ext")
	options("an StsRoleArnCredential", given(credentials.NewStsRoleArnCredential("testid", "testsecret", role, "s", 0).ToRamRoleArnCredential()), "RoleArn", role)
	options("an ECS role", given(ecs))
	options("an ECS role to be found out", given(credentials.NewEcsRamRoleCredential("")))
	options("an StsRoleNameOnEcsCredential", given(credentials.NewStsRoleNameOnEcsCredential("ecs-role").ToEcsRamRoleCredential()))
	options("an RSA key pair", given(pair), "PublicKeyId", "public")
	options("a StaticAKCredentialsProvider", given(credentials.NewStaticAKCredentialsProvider("testid", "testsecret")))
	options("a StaticSTSCredentialsProvider", given(credentials.NewStaticSTSCredentialsProvider("STS.role", "role-secret", "role-token")))
	options("a BearerTokenCredentialsProvider", given(credentials.NewBearerTokenCredentialsProvider("bearer")))
	options("a RAMRoleARNCredentialsProvider", func() (auth.Credential, error) {
		return credentials.NewRAMRoleARNCredentialsProviderBuilder().WithAccessKeyId("testid").WithAccessKeySecret("testsecret").
			WithRoleArn(role).WithExternalId("ext").WithStsRegion("cn-beijing").Build()
	}, "ExternalId", "ext")
	options("an ECSRAMRoleCredentialsProvider", func() (auth.Credential, error) {
		return credentials.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName("ecs-role").Build()
	})
	options("an OIDCCredentialsProvider", func() (auth.Credential, error) {
		return credentials.NewOIDCCredentialsProviderBuilder().WithOIDCProviderARN("acs:ram::1:oidc-provider/x").WithRoleArn(role).
			WithOIDCTokenFilePath(c.tokenFile).WithRoleSessionName("s").Build()
	}, "OIDCToken", "oidc-token")
	options("a URLCredentialsProvider", func() (auth.Credential, error) {
		return credentials.NewURLCredentialsProviderBuilderBuilder().WithUrl(c.URL + "/uri").Build()
	})
	options("the DefaultCredentialsProvider", given(credentials.NewDefaultCredentialsProvider()))
	return all
}
