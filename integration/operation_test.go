package integration

import (
	"net/http"
	"reflect"
	"sync"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// operation is an operation of a service, with all that a program would write to call
// it.
type operation struct {
	id      string // field of the typed response that names what was made; "" where it has none
	connect func() (retry.SDKClient, error)
	request func() requests.AcsRequest
	send    func(retry.SDKClient, requests.AcsRequest) (responses.AcsResponse, error)
}

// op ties a client's constructor, one of its methods and a request of that method
// together, and takes their types away so that one table can hold them.
func op[C retry.SDKClient, Q requests.AcsRequest, P responses.AcsResponse](
	connect func(region, id, secret string) (C, error), method func(C, Q) (P, error), id string, request func() Q,
) operation {
	return operation{
		id:      id,
		connect: func() (retry.SDKClient, error) { return connect("cn-hangzhou", "testid", "testsecret") },
		request: func() requests.AcsRequest { return request() },
		send: func(client retry.SDKClient, request requests.AcsRequest) (responses.AcsResponse, error) {
			return method(client.(C), request.(Q))
		},
	}
}

// name returns the operation as "Ess CreateScalingGroup".
func (o operation) name() string {
	request := o.request()
	return request.GetProduct() + " " + request.GetActionName()
}

// connecting guards the SDK's constructors: they fill the package's table of endpoints
// when it is first asked for, and do not look whether another goroutine does the same.
var connecting sync.Mutex

// client returns a client of the SDK as it comes, without aliretry.
func (o operation) client(t rapid.TB) retry.SDKClient {
	t.Helper()
	connecting.Lock()
	defer connecting.Unlock()
	client, err := o.connect()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// bare makes a call without aliretry. With the token of a call that the endpoint has
// served it asks for that call's first result.
func (o operation) bare(t rapid.TB, srv *retrytest.Server, token string) responses.AcsResponse {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := o.client(t)
	client.SetTransport(transport)
	request := o.request()
	request.SetDomain(srv.Host)
	if token != "" {
		giveToken(request, token)
	}
	response, err := o.send(client, request)
	if err != nil {
		t.Fatalf("a call without aliretry: %v", err)
	}
	return response
}

// requestID returns a response's: from its field or, where that is not what replies are
// unmarshalled into, from the header.
func requestID(response responses.AcsResponse) string {
	if f, ok := reflect.TypeOf(response).Elem().FieldByName("RequestId"); ok && f.Tag.Get("json") == "RequestId" {
		return text(response, "RequestId")
	}
	return http.Header(response.GetHttpHeaders()).Get("X-Acs-Request-Id")
}

// text returns a field of a typed request or response, "" where it has none of the name.
func text(v any, name string) string {
	if field := reflect.ValueOf(v).Elem().FieldByName(name); field.IsValid() {
		return field.String()
	}
	return ""
}

// tokenPlace tells by the tags of the request's field where the operation takes its
// token: "Query ClientToken".
func (o operation) tokenPlace() string {
	field, _ := reflect.TypeOf(o.request()).Elem().FieldByName("ClientToken")
	return field.Tag.Get("position") + " " + field.Tag.Get("name")
}

func (o operation) takesToken() bool {
	_, ok := reflect.TypeOf(o.request()).Elem().FieldByName("ClientToken")
	return ok
}

// giveToken puts the caller's own token where a program would: into the request's
// field or, where the SDK knows of none, among the query parameters.
func giveToken(request requests.AcsRequest, token string) {
	if field := reflect.ValueOf(request).Elem().FieldByName("ClientToken"); field.IsValid() {
		field.SetString(token)
	} else {
		request.GetQueryParams()["ClientToken"] = token
	}
}
