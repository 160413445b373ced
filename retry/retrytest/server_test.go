package retrytest_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

func TestScript(t *testing.T) {
	srv := newServer(t)
	fail := func(code string) retrytest.Fault { return retrytest.Reply(500, code, "") }
	srv.Script(fail("A"), fail("B"))
	srv.Script(fail("C"))
	refused := create("")
	refused.secret = "wrong"
	var got []string
	for _, c := range []*rpc{create(""), refused, create(""), create("")} {
		got = append(got, c.send(t, srv).fields["Code"])
	}
	if want := []string{"A", "SignatureDoesNotMatch", "C", ""}; !slices.Equal(got, want) {
		t.Errorf("codes %q; want %q: a refused attempt uses up its step", got, want)
	}
	if a := srv.Attempts()[1]; a.Fault != fail("B") || a.Status != 400 {
		t.Errorf("refused attempt: fault %v, status %d", a.Fault, a.Status)
	}
}

func TestAccounts(t *testing.T) {
	tests := map[string]struct {
		account retrytest.Account
		ok      bool
	}{
		"pair":                     {retrytest.DefaultAccount(), true},
		"bearer token":             {retrytest.Account{BearerToken: "b"}, true},
		"anonymous":                {retrytest.Account{Anonymous: true, Owner: "a"}, true},
		"nothing":                  {retrytest.Account{Owner: "a"}, false},
		"no secret":                {retrytest.Account{AccessKeyID: "a"}, false},
		"anonymous, key ID":        {retrytest.Account{Anonymous: true, AccessKeyID: "a"}, false},
		"anonymous, secret":        {retrytest.Account{Anonymous: true, AccessKeySecret: "s"}, false},
		"anonymous, STS":           {retrytest.Account{Anonymous: true, SecurityToken: "st"}, false},
		"anonymous, bearer token":  {retrytest.Account{Anonymous: true, BearerToken: "b"}, false},
		"anonymous, a pair at all": {retrytest.Account{Anonymous: true, AccessKeyID: "a", AccessKeySecret: "s"}, false},
	}
	for name, tt := range tests {
		func() {
			defer func() {
				if reason := recover(); (reason == nil) != tt.ok {
					t.Errorf("%s: panic %v", name, reason)
				}
			}()
			retrytest.NewServer(retrytest.DefaultAccount(), tt.account).Close()
		}()
	}
}

func TestOnAttempt(t *testing.T) {
	srv := newServer(t)
	srv.Script(retrytest.Reply(500, "Scripted", ""))
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		a.Query.Set("MinSize", "spoilt") // its copy, not the server's
		if a.Number%2 == 1 && a.Problem == "" {
			return retrytest.Reply(503, "Odd", "").AfterEffect()
		}
		return retrytest.OK()
	})
	refused := create("")
	refused.query.Del("SignatureNonce")
	var got []string
	for _, c := range []*rpc{create("t"), create("t"), refused, create("")} {
		got = append(got, c.send(t, srv).fields["Code"])
	}
	srv.OnAttempt(nil)
	got = append(got, create("").send(t, srv).fields["Code"])
	if want := []string{"Odd", "", "MissingSignatureNonce", "", "Scripted"}; !slices.Equal(got, want) {
		t.Errorf("codes %q; want %q", got, want)
	}
	if min := srv.Effects()[0].Params.Get("MinSize"); min != "1" {
		t.Errorf("MinSize %q", min)
	}
}

func TestCopies(t *testing.T) {
	srv := newServer(t)
	c := create("t")
	c.form.Set("A", "b")
	c.send(t, srv)
	spoil := func() {
		for _, a := range srv.Attempts() {
			a.Header.Set("X", "y")
			a.Query["Action"][0] = "x"
			a.Form["A"][0] = "x"
			a.Body[0] = 'x'
		}
		srv.Effects()[0].Params["A"][0] = "x"
	}
	attempts, effects := srv.Attempts(), srv.Effects()
	spoil()
	if !reflect.DeepEqual(srv.Attempts(), attempts) || !reflect.DeepEqual(srv.Effects(), effects) {
		t.Error("a change of what Attempts or Effects gave changed the server's record")
	}
	if string(attempts[0].Body) != "A=b" || attempts[0].Received.IsZero() {
		t.Errorf("body %q, received %v", attempts[0].Body, attempts[0].Received)
	}
}

func TestResourceNames(t *testing.T) {
	srv := newServer(t)
	for action, want := range map[string]string{
		"CreateScalingGroup": "ScalingGroupId", "CreateVpcEndpoint": "EndpointId", "CreateVSwitch": "VSwitchId",
		"ExecuteScalingRule": "ScalingActivityId", "RemoveInstances": "ScalingActivityId", "AttachDBInstances": "ScalingActivityId",
		"CreateSomething": "SomethingId", "Create": "ResourceId", "DeleteVpc": "ResourceId",
	} {
		if got := call(action).send(t, srv).fields[want]; got == "" || got != srv.Effects()[len(srv.Effects())-1].ResourceID {
			t.Errorf("%s gives %s %q", action, want, got)
		}
	}
	for _, action := range []string{"DescribeX", "ListX", "GetX", "QueryX"} {
		got := call(action).send(t, srv)
		if _, ok := got.fields["RequestId"]; !ok || len(got.fields) != 1 || last(t, srv).Effect {
			t.Errorf("%s: %s", action, got.body)
		}
	}
}

func TestClock(t *testing.T) {
	srv := newServer(t)
	srv.SetClock(func() time.Time { return time.Now().Add(time.Hour) })
	got := create("").send(t, srv)
	date, err := http.ParseTime(got.header.Get("Date"))
	if got.fields["Code"] != "InvalidTimeStamp.Expired" || err != nil || time.Until(date) < 59*time.Minute {
		t.Errorf("code %s, Date %s", got.fields["Code"], got.header.Get("Date"))
	}
	srv.SetClock(nil)
	if got := create("").send(t, srv); got.status != 200 {
		t.Errorf("with the real clock: %s", got.body)
	}
}

// A request whose body never ends as announced is recorded, too.
func TestIncompleteBody(t *testing.T) {
	srv := newServer(t)
	conn, err := net.Dial("tcp", srv.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /?Action=CreateVpc HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
	if a := last(t, srv); a.Problem != "IncompleteBody" || string(a.Body) != "half" || a.Action != "CreateVpc" {
		t.Errorf("attempt %+v", a)
	}
}

// Behind another server a hung request ends when the Server closes, over HTTP/2 as
// well, and later requests are dropped.
func TestMounted(t *testing.T) {
	srv := newServer(t)
	other := httptest.NewUnstartedServer(srv)
	other.EnableHTTP2 = true
	other.StartTLS()
	defer other.Close()
	arrived := make(chan string, 1)
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		arrived <- a.Host
		return retrytest.Hang().DuringEffect()
	})
	ended := make(chan error, 1)
	request := create("t").request(t, t.Context(), other.URL)
	go func() {
		_, err := other.Client().Do(request)
		ended <- err
	}()
	if host := <-arrived; host != other.Listener.Addr().String() {
		t.Errorf("host %s", host)
	}
	srv.Close()
	if err := <-ended; err == nil {
		t.Error("the hung request got a reply")
	}
	if n := len(srv.Effects()); n != 1 {
		t.Errorf("%d effects; want 1", n)
	}
	if _, err := other.Client().Do(create("t").request(t, t.Context(), other.URL)); err == nil {
		t.Error("a closed Server answers")
	}
	if n := len(srv.Attempts()); n != 1 {
		t.Errorf("%d attempts; want 1", n)
	}
}

// A server that is closed in the middle of everything leaves no goroutine, neither
// of its own nor of its clients.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	srv := retrytest.NewServer()
	faults := []retrytest.Fault{
		retrytest.OK(), retrytest.Reset(), retrytest.Close(), retrytest.Hang(), retrytest.Hang().DuringEffect(),
		retrytest.CutOff(), retrytest.CutOffChunked(), retrytest.CutOffClose(), retrytest.Raw(200, "", string(make([]byte, 1<<22))),
	}
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault { return faults[a.Number%len(faults)] })
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	const attempts = 50
	replies := make([]*http.Response, attempts)
	var wg sync.WaitGroup
	for i := range attempts {
		request := create("").request(t, t.Context(), srv.URL)
		wg.Go(func() { replies[i], _ = client.Do(request) }) // no body is read
	}
	eventually(t, "all attempts have arrived", func() bool { return len(srv.Attempts()) == attempts })
	srv.Close()
	srv.Close()
	wg.Wait()
	for _, reply := range replies {
		if reply != nil {
			reply.Body.Close()
		}
	}
	transport.CloseIdleConnections()
	if _, err := client.Do(create("").request(t, t.Context(), srv.URL)); err == nil {
		t.Error("a closed server answers")
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}
