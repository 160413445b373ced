// Package client holds one definition of each client that is compared: aliretry's own,
// those of the SDKs, and general retry libraries. All of them make the same call,
// CreateScalingGroup with twenty parameters by POST in the RPC style, and read its reply.
//
// Where a client lets its waits be set they are 1 to 5 ms. All else is as it comes, unless
// its Note says otherwise.
package client

import (
	"context"
	"net/http"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// Call makes one call and returns the ID of what it created, as the reply tells it.
type Call func(ctx context.Context) (id string, err error)

// Client is one way to make the call.
type Client struct {
	Name string
	Note string // on how it is set up
	New  func(Endpoint) (Call, error)
}

// Endpoint is where calls go.
type Endpoint struct {
	Host string // such as "127.0.0.1:8080"
	// Base sends the requests. Nil means sockets, opened the way the client does it by
	// itself.
	Base http.RoundTripper
}

// The operation, and where it is called.
const (
	Version = "2014-08-28"
	Action  = "CreateScalingGroup"
	Region  = "cn-qingdao"
)

// Key is what every client signs with: the pair that a retrytest.Server knows.
var Key = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// The shortest and longest wait before another attempt, where a client can be told.
const (
	minWait = time.Millisecond
	maxWait = 5 * time.Millisecond
)

// Parameters are the business parameters of the call, and of newRequest.
var Parameters = map[string]string{
	"ScalingGroupName":        "web prod 生产",
	"MinSize":                 "2",
	"MaxSize":                 "20",
	"DesiredCapacity":         "4",
	"DefaultCooldown":         "300",
	"MultiAZPolicy":           "BALANCE",
	"AllocationStrategy":      "priority",
	"HealthCheckType":         "ECS",
	"GroupDeletionProtection": "true",
	"LaunchTemplateId":        "lt-bp1apo0bbbkuy0rj",
	"LaunchTemplateVersion":   "Latest",
	"RemovalPolicy.1":         "OldestScalingConfiguration",
	"RemovalPolicy.2":         "OldestInstance",
	"VSwitchIds.1":            "vsw-bp1apo0bbbkuy0rj",
	"VSwitchIds.2":            "vsw-bp1apo0bbbkuy0rk",
	"VSwitchIds.3":            "vsw-bp1apo0bbbkuy0rl",
	"Tag.1.Key":               "team",
	"Tag.1.Value":             "payments & billing",
	"Tag.2.Key":               "stage",
	"Tag.2.Value":             "prod",
}
