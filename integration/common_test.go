package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// lost is the fault that asks for a token: the effect is there, the reply is not.
var lost = fault{"lost", retrytest.Reset().AfterEffect(), retry.NoResponse, retry.Unknown}

const (
	ownToken    = "ticket 4711 *~+%&"
	jsonBody    = `{"description":"检索 & 日志","nodeAmount":3}`
	jsonWithOwn = `{"description":"检索 & 日志","clientToken":"` + ownToken + `","nodeAmount":3}`
)

// commons are operations called by what a program knows of them: RPC by name, ROA by path
// alone.
var commons = []struct {
	name, product, version string
	call                   string // POST /path, or an action
	query, form            map[string]string
	body                   string

	action string // that the call's Info names; "" where nobody can tell
	place  string // of the token among the parameters
	own    bool   // the token is the caller's own
}{
	{name: "RPC", product: "Ess", version: "2014-08-28", call: "CreateScalingGroup",
		query:  map[string]string{"ScalingGroupName": special, "MinSize": "1", "Tag.1.Key": "a.b"},
		action: "CreateScalingGroup", place: "Query ClientToken"},
	{name: "RPC, form", product: "Gwlb", version: "2024-04-15", call: "CreateLoadBalancer",
		form:   map[string]string{"LoadBalancerName": special, "VpcId": "vpc-1"},
		action: "CreateLoadBalancer", place: "Body ClientToken"},
	{name: "RPC, own", product: "Vpc", version: "2016-04-28", call: "CreateVpc",
		query:  map[string]string{"CidrBlock": "172.16.0.0/12", "ClientToken": ownToken},
		action: "CreateVpc", place: "Query ClientToken", own: true},
	{name: "RPC, own in the form", product: "Config", version: "2020-09-07", call: "CreateConfigRule",
		form:   map[string]string{"ConfigRuleName": special, "ClientToken": ownToken},
		action: "CreateConfigRule", place: "Body ClientToken", own: true},
	{name: "RPC, own of an unknown one", product: "Ess", version: "2014-08-28", call: "ThawScalingGroup",
		query:  map[string]string{"ScalingGroupId": "asg-1", "ClientToken": ownToken},
		action: "ThawScalingGroup", place: "Query ClientToken", own: true},

	{name: "ROA", product: "elasticsearch", version: "2017-06-13", call: "POST /openapi/instances",
		body:   jsonBody,
		action: "CreateInstance", place: "Query clientToken"},
	{name: "ROA, path with a parameter", product: "elasticsearch", version: "2017-06-13", call: "POST /openapi/logstashes/[InstanceId]/pipelines",
		query: map[string]string{"trigger": "true", "note": special}, body: `[` + jsonBody + `]`,
		action: "CreatePipelines", place: "Query ClientToken"},
	{name: "ROA, own", product: "elasticsearch", version: "2017-06-13", call: "POST /openapi/logstashes",
		query: map[string]string{"clientToken": ownToken}, body: jsonBody,
		action: "CreateLogstash", place: "Query clientToken", own: true},
	{name: "ROA, own in JSON", product: "elasticsearch", version: "2017-06-13", call: "POST /openapi/instances",
		body:   jsonWithOwn,
		action: "CreateInstance", place: "Query clientToken", own: true}, // and in the body
	{name: "ROA, own of an unknown one in JSON", product: "elasticsearch", version: "2017-06-13", call: "POST /openapi/instances/[InstanceId]/thaw",
		body: jsonWithOwn, own: true},

	{name: "ROA, takes none", product: "CS", version: "2015-12-15", call: "POST /clusters",
		body:   `{"name":"集群 1","cluster_type":"ManagedKubernetes"}`,
		action: "CreateCluster"},
	{name: "ROA, unknown", product: "CS", version: "2015-12-15", call: "POST /clusters/[ClusterId]/thaw", body: "{}"},
}

// A CommonRequest names its operation by hand. It has the same promises as a typed one,
// also where it gives no name at all, and keeps the token that it brings.
func TestCommonRequest(t *testing.T) {
	for _, c := range commons {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := op(ess.NewClientWithAccessKey, (*ess.Client).ProcessCommonRequest, "", func() *requests.CommonRequest {
				q := requests.NewCommonRequest()
				q.Product, q.Version, q.Method, q.ApiName = c.product, c.version, "POST", c.call
				if _, path, roa := strings.Cut(c.call, " "); roa {
					q.ApiName, q.PathPattern = "", path
					q.PathParams["InstanceId"], q.PathParams["ClusterId"] = "es-cn-1", "c1"
					q.SetContent([]byte(c.body))
					q.Headers["Content-Type"] = requests.Json
				}
				for name, value := range c.query {
					q.QueryParams[name] = value
				}
				for name, value := range c.form {
					q.FormParams[name] = value
				}
				return q
			})
			srv := newServer(t)
			r := o.call(t, srv, o.request(), []fault{lost}, quick)

			seen, effects := srv.Attempts(), srv.Effects()
			if len(effects) != 1 {
				t.Fatalf("%d effects; want 1", len(effects))
			}
			checkAttempts(t, seen, r.info)
			checkTokenPlace(t, seen, c.place, r.info.ClientToken)
			for _, a := range seen {
				if len(c.form) == 0 && string(a.Body) != c.body {
					t.Errorf("attempt %d: body %s", a.Number, a.Body)
				}
			}
			if got, want := r.info.Operation.Action, c.action; got != want || r.info.Operation.Version != c.version {
				t.Errorf("the call is told as one of %v; want %q", r.info.Operation, want)
			}
			if c.own != (r.info.ClientToken == ownToken) {
				t.Errorf("token %q; own: %v", r.info.ClientToken, c.own)
			}
			for _, name := range []string{"ClientToken", "clientToken"} {
				if r.request.GetQueryParams()[name] != c.query[name] || r.request.GetFormParams()[name] != c.form[name] {
					t.Errorf("the caller's request now holds another %s", name)
				}
			}

			if c.place == "" && !c.own {
				checkFailure(t, r, retry.Unknown)
				if len(seen) != 1 || r.info.ClientToken != "" {
					t.Errorf("%d attempts, token %q; want one without", len(seen), r.info.ClientToken)
				}
				return
			}
			if want := []retry.Class{retry.NoResponse, retry.Success}; r.err != nil || r.info.Outcome != retry.Done || !slices.Equal(classes(r.info), want) {
				t.Fatalf("outcome %v, classes %v, error %v; want Done, %v", r.info.Outcome, classes(r.info), r.err, want)
			}
			if body := r.response.GetHttpContentString(); !strings.Contains(body, effects[0].ResourceID) {
				t.Errorf("answered with %s; the effect made %s", body, effects[0].ResourceID)
			}
			o.checkFirstResult(t, srv, r.response, r.info.ClientToken)
		})
	}
}
