package suite

import (
	"context"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Call is a call as the SDK's generated clients make it.
type Call struct {
	name                   string
	action, version, style string // style: RPC or ROA
	path                   string
	body                   string // kind: json, formData or byte
	query, form            map[string]any
	stream                 string
	legacy                 bool   // signed by version 1.0, as SignatureAlgorithm "v2" says
	place                  string // of the token: Query or Form, and its name
}

var params = map[string]any{"ScalingGroupName": "web 中 *~+&", "MinSize": "1", "MaxSize": "2", "Tag.1.Key": "a.b"}

// Create is the call that most tests make: CreateScalingGroup, in the RPC style.
var Create = Call{name: "RPC", action: "CreateScalingGroup", version: "2014-08-28", style: "RPC", path: "/", body: "formData", query: params, place: "Query ClientToken"}

// calls are the ways in which the SDK puts a call into a request. Each operation takes a
// client token.
var calls = func() []Call {
	rpcForm := Call{name: "RPC, form", action: "CreateLoadBalancer", version: "2024-04-15", style: "RPC", path: "/", body: "formData",
		form: map[string]any{"LoadBalancerName": "web 中 *~+&", "ZoneMappings": []map[string]any{{"VSwitchId": "vsw-1"}}}, place: "Form ClientToken"}
	roa := Call{name: "ROA, JSON", action: "CreateInstance", version: "2017-06-13", style: "ROA", path: "/openapi/instances", body: "json",
		query: map[string]any{"note": "a b*~"}, form: map[string]any{"description": "检索 & 日志", "nodeAmount": 3}, place: "Query clientToken"}
	roaForm := Call{name: "ROA, form", action: "CreateRepository", version: "2020-04-14", style: "ROA", path: "/api/v3/projects", body: "formData",
		form: map[string]any{"name": "web 中"}, place: "Query ClientToken"}
	stream := roa
	stream.name, stream.form, stream.stream = "ROA, stream", nil, strings.Repeat("bytes of a file\x00", 10_000)

	all := []Call{Create, rpcForm, roa, roaForm}
	for _, c := range all {
		c.name, c.legacy = c.name+", version 1.0", true
		all = append(all, c)
	}
	return append(all, stream)
}()

// wireStyle is the signature style of what is sent.
func (c Call) wireStyle() string {
	if c.legacy {
		return c.style
	}
	return "ACS3"
}

func (c Call) params(authType string) *openapi.Params {
	return &openapi.Params{
		Action: dara.String(c.action), Version: dara.String(c.version), Protocol: dara.String("HTTPS"), Pathname: dara.String(c.path),
		Method: dara.String("POST"), AuthType: dara.String(authType), Style: dara.String(c.style),
		ReqBodyType: dara.String(c.body), BodyType: dara.String("json"),
	}
}

func (c Call) request() *openapi.OpenApiRequest {
	r := &openapi.OpenApiRequest{Query: map[string]*string{}}
	for k, v := range c.query {
		r.Query[k] = dara.String(v.(string))
	}
	if c.form != nil {
		r.Body = c.form
	}
	if c.stream != "" {
		r.Stream = strings.NewReader(c.stream)
	}
	return r
}

// none is for calls without a context.
var none = context.Background()

// Send makes the call, by the methods without a context if it is context.Background(). It
// returns the reply's body.
func (c Call) Send(ctx context.Context, s *Setup, runtime *dara.RuntimeOptions) (map[string]any, error) {
	return c.sendAs(ctx, s, runtime, "AK")
}

func (c Call) sendAs(ctx context.Context, s *Setup, runtime *dara.RuntimeOptions, authType string) (map[string]any, error) {
	if runtime == nil {
		runtime = &dara.RuntimeOptions{}
	}
	if c.legacy {
		s.Client.SignatureAlgorithm = dara.String("v2")
	}
	var result map[string]any
	var err error
	if ctx == none {
		result, err = s.Client.CallApi(c.params(authType), c.request(), runtime)
	} else {
		result, err = s.Client.CallApiWithCtx(ctx, c.params(authType), c.request(), runtime)
	}
	body, _ := result["body"].(map[string]any)
	return body, err
}

// CheckOnce checks that the endpoint saw one call, each attempt signed anew under one
// token, and made one effect, with whose first result the call was answered.
func (c Call) CheckOnce(t testing.TB, srv *retrytest.Server, body map[string]any, info retry.Info) {
	t.Helper()
	effects := srv.Effects()
	if len(effects) != 1 {
		t.Fatalf("%d effects; want 1", len(effects))
	}
	if body["RequestId"] != effects[0].RequestID {
		t.Errorf("answered with %v; want request ID %s", body, effects[0].RequestID)
	}
	c.checkAttempts(t, srv.Attempts(), info)
	if info.Outcome != retry.Done || effects[0].ClientToken != info.ClientToken {
		t.Errorf("outcome %v, effect under token %q; the call's is %q", info.Outcome, effects[0].ClientToken, info.ClientToken)
	}
}

func (c Call) checkAttempts(t testing.TB, seen []retrytest.Attempt, info retry.Info) {
	t.Helper()
	if len(seen) != len(info.Attempts) || info.Operation.Action != c.action {
		t.Fatalf("%d attempts arrived, %d of %v are told", len(seen), len(info.Attempts), info.Operation)
	}
	nonces := make(map[string]bool)
	place, name, _ := strings.Cut(c.place, " ")
	for i, a := range seen {
		token := a.Query[name]
		if place == "Form" {
			token = a.Form[name]
		}
		switch told := info.Attempts[i]; {
		case a.Problem != "":
			t.Errorf("attempt %d was refused with %s", a.Number, a.Problem)
		case a.Style != c.wireStyle():
			t.Errorf("attempt %d came in the style %s", a.Number, a.Style)
		case a.Nonce == "" || a.Nonce != told.Nonce || nonces[a.Nonce]:
			t.Errorf("attempt %d has the nonce %q; told was %q", a.Number, a.Nonce, told.Nonce)
		case !a.Timestamp.Equal(told.SignedAt) || i > 0 && !a.Timestamp.After(seen[i-1].Timestamp):
			t.Errorf("attempt %d was signed at %v; told was %v", a.Number, a.Timestamp, told.SignedAt)
		case len(token) != 1 || token[0] == "" || token[0] != info.ClientToken:
			t.Errorf("attempt %d has the tokens %q in %s; told was %q", a.Number, token, c.place, info.ClientToken)
		}
		nonces[a.Nonce] = true
	}
}
