package retrytest_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry/retrytest"
)

const special = "弹性伸缩 组*~+%&=/?#'\"<>;,"

func essClient(t *testing.T, credential auth.Credential) *ess.Client {
	t.Helper()
	client, err := ess.NewClientWithOptions("cn-hangzhou", sdk.NewConfig(), credential)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func createGroup(srv *retrytest.Server, name string) *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = srv.Host
	request.ScalingGroupName = name
	request.MinSize = requests.NewInteger(1)
	request.MaxSize = requests.NewInteger(2)
	return request
}

func TestSDKNestedParametersAndSpecialCharacters(t *testing.T) {
	srv := newServer(t)
	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	request := createGroup(srv, special)
	request.ClientToken = "token ~*+"
	request.VSwitchIds = &[]string{"vsw-1", "vsw *2"}
	request.Tag = &[]ess.CreateScalingGroupTag{{Key: "键 a", Value: special}, {Key: "a.b"}}
	request.VServerGroup = &[]ess.CreateScalingGroupVServerGroup{{
		LoadBalancerId:        "lb-1",
		VServerGroupAttribute: &[]ess.CreateScalingGroupVServerGroupVServerGroupAttribute{{VServerGroupId: "rsp-1", Port: "80"}},
	}}
	response, err := client.CreateScalingGroup(request)
	if err != nil {
		t.Fatal(err)
	}

	effects := srv.Effects()
	if len(effects) != 1 {
		t.Fatalf("%d effects; want 1", len(effects))
	}
	e := effects[0]
	if response.ScalingGroupId == "" || response.ScalingGroupId != e.ResourceID {
		t.Errorf("ScalingGroupId %q; the effect made %q", response.ScalingGroupId, e.ResourceID)
	}
	if e.ClientToken != "token ~*+" || e.AccessKeyID != "testid" || e.Version != "2014-08-28" {
		t.Errorf("effect %+v", e)
	}
	for name, want := range map[string]string{
		"ScalingGroupName": special, "RegionId": "cn-hangzhou", "MinSize": "1",
		"VSwitchIds.2": "vsw *2", "Tag.1.Key": "键 a", "Tag.1.Value": special, "Tag.2.Key": "a.b",
		"VServerGroup.1.VServerGroupAttribute.1.VServerGroupId": "rsp-1",
	} {
		if got := e.Params.Get(name); got != want {
			t.Errorf("parameter %s = %q; want %q", name, got, want)
		}
	}
	for _, common := range []string{"Action", "Signature", "SignatureType", "Timestamp", "ClientToken", "Format"} {
		if e.Params.Has(common) {
			t.Errorf("%s is among the business parameters", common)
		}
	}
}

func TestSDKCredentials(t *testing.T) {
	accounts := []retrytest.Account{
		retrytest.DefaultAccount(),
		{AccessKeyID: "STS.1", AccessKeySecret: "s1", SecurityToken: "st+/= 1"},
		{BearerToken: "bearer.token/+="},
	}
	tests := map[string]struct {
		credential auth.Credential
		problem    string
	}{
		"pair":               {credentials.NewAccessKeyCredential("testid", "testsecret"), ""},
		"STS":                {credentials.NewStsTokenCredential("STS.1", "s1", "st+/= 1"), ""},
		"bearer":             {credentials.NewBearerTokenCredential("bearer.token/+="), ""},
		"unknown pair":       {credentials.NewAccessKeyCredential("nobody", "testsecret"), "InvalidAccessKeyId.NotFound"},
		"wrong secret":       {credentials.NewAccessKeyCredential("testid", "guess"), "SignatureDoesNotMatch"},
		"wrong STS token":    {credentials.NewStsTokenCredential("STS.1", "s1", "old"), "InvalidSecurityToken.MismatchWithAccessKey"},
		"STS token missing":  {credentials.NewAccessKeyCredential("STS.1", "s1"), "MissingSecurityToken"},
		"STS token too many": {credentials.NewStsTokenCredential("testid", "testsecret", "x"), "InvalidSecurityToken.MismatchWithAccessKey"},
		"unknown bearer":     {credentials.NewBearerTokenCredential("other"), "InvalidBearerToken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, accounts...)
			_, err := essClient(t, tt.credential).CreateScalingGroup(createGroup(srv, "g"))
			got := ""
			if serverErr, ok := err.(*sdkerrors.ServerError); ok {
				got = serverErr.ErrorCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tt.problem || last(t, srv).Problem != tt.problem {
				t.Errorf("code %q, problem %q; want %q", got, last(t, srv).Problem, tt.problem)
			}
			if made, want := len(srv.Effects()), tt.problem == ""; (made == 1) != want {
				t.Errorf("%d effects", made)
			}
		})
	}
}

// The SDK compares the string to sign that the server reports with its own, and so
// tells a wrong secret from a wrong string.
func TestSDKAgreesOnTheStringToSign(t *testing.T) {
	srv := newServer(t)
	request := createGroup(srv, special)
	_, err := essClient(t, credentials.NewAccessKeyCredential("testid", "guess")).CreateScalingGroup(request)
	if err == nil || !strings.Contains(err.Error(), "InvalidAccessKeySecret") {
		t.Errorf("error %v; want the SDK's advice about the secret", err)
	}
}

func TestSDKFormats(t *testing.T) {
	srv := newServer(t)
	client := essClient(t, credentials.NewAccessKeyCredential("testid", "testsecret"))
	request := createGroup(srv, "g")
	request.AcceptFormat = "XML"
	response, err := client.CreateScalingGroup(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.ScalingGroupId != srv.Effects()[0].ResourceID || response.RequestId == "" {
		t.Errorf("read %q and %q from %s", response.ScalingGroupId, response.RequestId, response.GetHttpContentString())
	}
	if body := response.GetHttpContentString(); !strings.Contains(body, "<CreateScalingGroupResponse>") {
		t.Errorf("reply %s", body)
	}

	srv.Script(retrytest.Reply(403, "Forbidden.RAM", "no <right> & no reason"))
	_, err = client.CreateScalingGroup(createGroup(srv, "g"))
	serverErr, ok := err.(*sdkerrors.ServerError)
	if !ok || serverErr.HttpStatus() != 403 || serverErr.ErrorCode() != "Forbidden.RAM" || serverErr.Message() != "no <right> & no reason" ||
		serverErr.RequestId() == "" || serverErr.HostId() != srv.Host {
		t.Errorf("error %v", err)
	}
}

// RPC requests made by hand: GET, parameters in the form, a name in both places.
func TestSDKCommonRequests(t *testing.T) {
	tests := map[string]struct {
		method      string
		query, form map[string]string
		want        map[string]string
	}{
		"GET":           {"GET", map[string]string{"RegionId": special}, nil, map[string]string{"RegionId": special}},
		"POST form":     {"POST", nil, map[string]string{"Policy": special, "Empty": ""}, map[string]string{"Policy": special, "Empty": ""}},
		"GET form":      {"GET", nil, map[string]string{"Policy": special}, map[string]string{"Policy": special}},
		"name in both":  {"POST", map[string]string{"A": "query"}, map[string]string{"A": "form"}, map[string]string{"A": "form"}},
		"common in two": {"POST", nil, map[string]string{"Format": "PEM"}, map[string]string{"Format": "PEM"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			request := requests.NewCommonRequest()
			request.Method, request.Domain, request.Version, request.ApiName = tt.method, srv.Host, "2014-05-26", "ImportKeyPair"
			for k, v := range tt.query {
				request.QueryParams[k] = v
			}
			for k, v := range tt.form {
				request.FormParams[k] = v
			}
			response, err := essClient(t, credentials.NewAccessKeyCredential("testid", "testsecret")).ProcessCommonRequest(request)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(response.GetHttpContentString(), `{"RequestId":`) {
				t.Errorf("reply %s; want JSON, as the query asks", response.GetHttpContentString())
			}
			for name, want := range tt.want {
				if got, ok := srv.Effects()[0].Params[name]; !ok || got[0] != want {
					t.Errorf("%s = %q; want %q", name, got, want)
				}
			}
			if a := last(t, srv); a.Method != tt.method || a.Host != srv.Host || a.Status != 200 || !a.Effect {
				t.Errorf("attempt %+v", a)
			}
		})
	}
}

// Whatever the SDK signs, the server must take: names and values of random bytes, in
// query and form, also the same name in both.
func TestSDKRandomCorpus(t *testing.T) {
	srv, client := newServer(t), newClient(t)
	formParams := make(chan int, 1)
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		formParams <- len(a.Form)
		return retrytest.OK()
	})
	provider := credentials.NewStaticAKCredentialsProvider("testid", "testsecret")
	random := rand.New(rand.NewPCG(1, 2))
	pieces := append(strings.Split(special, ""), "a", "b", ".", "A", "0", "10", "-", "_", "!", "(", ")", "%7E", "%20", "\xff", "\x00", "\n", "\t", "𝄞")
	text := func(most int) string {
		var s strings.Builder
		for range random.IntN(most + 1) {
			s.WriteString(pieces[random.IntN(len(pieces))])
		}
		return s.String()
	}
	for i := range 400 {
		request := requests.NewCommonRequest()
		request.Method = []string{"GET", "POST"}[random.IntN(2)]
		request.Scheme, request.Domain, request.Version, request.ApiName = "http", srv.Host, "2014-05-26", "CreateThing"
		for range random.IntN(12) {
			name := "P" + text(4)
			if random.IntN(3) > 0 {
				request.QueryParams[name] = text(20)
			}
			if random.IntN(3) > 0 {
				request.FormParams[name] = text(20)
			}
		}
		request.TransToAcsRequest()
		if err := auth.Sign(request, nil, "cn-hangzhou", provider); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(request.Method, request.BuildUrl(), request.GetBodyReader())
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range request.GetHeaders() {
			r.Header.Set(k, v)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatalf("corpus entry %d: query %q form %q: %s", i, request.QueryParams, request.FormParams, body)
		}
		if got, want := <-formParams, len(request.FormParams); got != want {
			t.Fatalf("corpus entry %d: %d form parameters arrived; want %d", i, got, want)
		}
	}
	if n := len(srv.Effects()); n != 400 {
		t.Errorf("%d effects; want 400", n)
	}
}
