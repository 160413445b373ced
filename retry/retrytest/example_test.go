package retrytest_test

import (
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// A call whose first reply is lost is made again with the same ClientToken: one
// group, and its ID arrives.
func ExampleServer() {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.CutOff())

	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		fmt.Println(err)
		return
	}
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = srv.Host
	request.MinSize, request.MaxSize = "2", "20"
	request.ClientToken = "123e4567-e89b-12d3-a456-426655440000"
	for range 2 {
		response, err := client.CreateScalingGroup(request)
		fmt.Printf("%q %v\n", response.ScalingGroupId, err)
	}

	for _, a := range srv.Attempts() {
		fmt.Printf("%d: %v; status %d, effect %t, replayed %t\n", a.Number, a.Fault, a.Status, a.Effect, a.Replayed)
	}
	for _, e := range srv.Effects() {
		fmt.Println(e.Action, e.ResourceID, e.Params.Get("MaxSize"))
	}
	// Output:
	// "" unexpected EOF
	// "asg-00000001" <nil>
	// 1: reply cut off; status 0, effect true, replayed false
	// 2: ok; status 200, effect false, replayed true
	// CreateScalingGroup asg-00000001 20
}
