package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

var (
	testKey = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	static  = signer.Static(testKey)
	// quick is a policy for tests over real sockets.
	quick = retry.Policy{Transient: retry.Delay{Base: time.Millisecond, Max: 2 * time.Millisecond}, Busy: retry.Delay{Base: time.Millisecond, Max: 2 * time.Millisecond}}
)

const createQuery = "/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON&MinSize=1"

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// trackedBody counts what becomes of a body.
type trackedBody struct {
	io.Reader
	closed atomic.Int32
	read   atomic.Int64
	eof    atomic.Bool
}

func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read.Add(int64(n))
	if err == io.EOF {
		b.eof.Store(true)
	}
	return n, err
}

func (b *trackedBody) Close() error { b.closed.Add(1); return nil }

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

// TestRoundTripperContract checks what net/http asks of a RoundTripper: the caller's
// request stays as it is, its body is closed on every path, replies that are dropped are
// drained and closed, the last one is readable, and no response comes with an error.
func TestRoundTripperContract(t *testing.T) {
	const form = "ScalingGroupName=web&MinSize=1"
	ok := `{"RequestId":"R","ScalingGroupId":"asg-1"}`
	tests := map[string]struct {
		change  func(*http.Request)
		policy  retry.Policy
		replies []any // an error, or a status
		status  int   // 0: an error
	}{
		"success":                {replies: []any{200}, status: 200},
		"retried":                {replies: []any{500, syscall.ECONNRESET, 503, 200}, status: 200},
		"rejected":               {replies: []any{404}, status: 404},
		"exhausted on an answer": {policy: retry.Policy{MaxAttempts: 2}, replies: []any{500, 503}, status: 503},
		"exhausted without one":  {policy: retry.Policy{MaxAttempts: 2}, replies: []any{500, syscall.ECONNRESET}},
		"no style":               {change: func(r *http.Request) { r.URL.RawQuery = "" }},
		"opaque URL":             {change: func(r *http.Request) { r.URL.Opaque = "//other/" }},
		"no host":                {change: func(r *http.Request) { r.URL.Host = "" }},
		"bad policy":             {policy: retry.Policy{MaxAttempts: -1}},
		"body over the bound":    {policy: retry.Policy{MaxBody: 5}},
		"body unreadable":        {change: func(r *http.Request) { r.Body = &trackedBody{Reader: failingReader{}} }},
		"followed redirect":      {change: func(r *http.Request) { r.Response = &http.Response{StatusCode: 302} }},
		"canceled":               {change: func(r *http.Request) { ctx, c := context.WithCancel(r.Context()); c(); *r = *r.WithContext(ctx) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var replies []*trackedBody
			tr := &retry.Transport{Credentials: static, Policy: tt.policy}
			tr.Policy.Transient, tr.Policy.Busy = quick.Transient, quick.Busy
			tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				next := tt.replies[len(replies)]
				sent, _ := io.ReadAll(req.Body)
				if string(sent) != form || req.ContentLength != int64(len(form)) || req.TransferEncoding != nil {
					t.Errorf("attempt %d sent %q, length %d, %v", len(replies)+1, sent, req.ContentLength, req.TransferEncoding)
				}
				if req.GetBody != nil {
					t.Error("a base that may speak HTTP/2 was given GetBody, to replay the attempt with")
				}
				body := &trackedBody{Reader: strings.NewReader(ok)}
				replies = append(replies, body)
				if err, isErr := next.(error); isErr {
					body.closed.Add(1)
					body.eof.Store(true)
					return nil, err
				}
				return &http.Response{StatusCode: next.(int), Header: http.Header{}, Body: body, Request: req}, nil
			})
			body := &trackedBody{Reader: strings.NewReader(form)}
			req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
			req.Body, req.TransferEncoding = body, []string{"chunked"}
			req.Header = http.Header{"content-type": {"application/x-www-form-urlencoded"}, "x-acs-action": {"CreateScalingGroup"},
				"Idempotency-Key": {"k"}, "X-Many": {"1", "2"}}
			if tt.change != nil {
				tt.change(req)
			}
			if b, ok := req.Body.(*trackedBody); ok {
				body = b
			}
			before, beforeURL, beforeHeader := *req, *req.URL, req.Header.Clone()

			resp, err := tr.RoundTrip(req)

			if (err == nil) != (tt.status != 0) || (resp == nil) != (err != nil) {
				t.Fatalf("response %v with error %v", resp, err)
			}
			if n := body.closed.Load(); n != 1 {
				t.Errorf("the caller's body was closed %d times", n)
			}
			before.Body, req.Body = nil, nil
			if !reflect.DeepEqual(before, *req) || beforeURL != *req.URL || !reflect.DeepEqual(beforeHeader, req.Header) {
				t.Errorf("the caller's request was changed to %+v", req)
			}
			if resp != nil {
				if resp.StatusCode != tt.status {
					t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
				}
				if text, err := io.ReadAll(resp.Body); string(text) != ok || err != nil {
					t.Errorf("last body reads %q, %v", text, err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
			} else {
				var e *retry.Error
				if !errors.As(err, &e) {
					t.Errorf("%T, want *Error", err)
				}
			}
			if len(replies) != len(tt.replies) {
				t.Errorf("%d attempts, want %d", len(replies), len(tt.replies))
			}
			for i, r := range replies {
				if !r.eof.Load() || r.closed.Load() != 1 {
					t.Errorf("reply %d: read to its end %v, closed %d times", i+1, r.eof.Load(), r.closed.Load())
				}
			}
		})
	}
}

// A reply over the bound is passed on as it arrives, whole, without the attempt's timer,
// and closing it lets go of the connection. A dropped one is not drained without bound.
func TestLongReplies(t *testing.T) {
	long := `{"Data":"` + strings.Repeat("x", 100_000) + `"}`
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	tr.Policy.MaxReply = 1000
	srv.Script(retrytest.Raw(503, "application/json", long), retrytest.Raw(200, "application/json", long))
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != long {
		t.Errorf("%d bytes, %v; want %d", len(body), err, len(long))
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if i, _ := retry.InfoOfResponse(resp); len(i.Attempts) != 2 || i.Outcome != retry.Done {
		t.Errorf("%+v", i)
	}
}

// The body of a switched protocol is the connection: reading it would never end.
func TestSwitchedProtocol(t *testing.T) {
	reader, writer := io.Pipe()
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 101, Header: http.Header{}, Body: reader, Request: req}, nil
	})}
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	_, err := tr.RoundTrip(req)
	if i, _ := retry.InfoOf(err); len(i.Attempts) != 1 || i.Attempts[0].Class != retry.Broken || i.Outcome != retry.Unknown {
		t.Errorf("%v: %+v", err, i)
	}
	if _, err := writer.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("the connection was not closed: %v", err)
	}
}

// The header that carries the Info is ours alone to set.
func TestInfoHeaderCannotBeForged(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.OK().WithHeader("X-Aliretry-Info", `{"outcome":"NotDone"}`))
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("X-Aliretry-Info"); got != "" {
		t.Errorf("the server's word is passed on: %s", got)
	}
}

// A reply that is dropped is not drained without bound.
func TestDroppedReplyIsReadWithinBound(t *testing.T) {
	endless := &trackedBody{Reader: endless{}}
	attempts := 0
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if attempts++; attempts == 1 {
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: endless}, nil
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"RequestId":"R"}`))}, nil
	})}
	tr.Policy.MaxReply = 10_000
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	if _, err := tr.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if read, closed := endless.read.Load(), endless.closed.Load(); read > 10_001 || closed != 1 {
		t.Errorf("%d bytes were read, and it was closed %d times", read, closed)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// Closing a streamed body ends its attempt, whose request nobody else can end.
func TestClosingStreamEndsAttempt(t *testing.T) {
	var attempt context.Context
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		attempt = req.Context()
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(endless{})}, nil
	})}
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil || attempt.Err() != nil {
		t.Fatal(err, attempt.Err())
	}
	resp.Body.Close()
	if attempt.Err() == nil {
		t.Error("the attempt's context goes on")
	}
}

// What the server quotes of our request into its message is not for traces and errors.
func TestServerMessageHoldsNoToken(t *testing.T) {
	srv := retrytest.NewServer(retrytest.Account{AccessKeyID: "STS.id", AccessKeySecret: "s", SecurityToken: "CAIS-hush"})
	defer srv.Close()
	srv.Script(retrytest.Reply(400, "SignatureDoesNotMatch", "server string to sign is:POST&%2F&SecurityToken%3DCAIS-hush"),
		retrytest.Reply(400, "InvalidSecurityToken", "The token CAIS-hush is unknown."))
	key := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "s", SecurityToken: "CAIS-hush"}
	for range 2 {
		var seen strings.Builder
		tr := &retry.Transport{Credentials: signer.Static(key), Policy: quick, Trace: &retry.Trace{
			AttemptEnd: func(a retry.Attempt) { fmt.Fprintf(&seen, "%+v", a) },
			CallEnd:    func(i retry.Info) { fmt.Fprintf(&seen, "%+v", i) },
		}}
		req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		tr.CloseIdleConnections()
		if text := seen.String() + fmt.Sprint(resp.Header); strings.Contains(text, "hush") || !strings.Contains(text, "redacted") {
			t.Errorf("told: %s", text)
		}
	}
}

// A stream of events is handed on before it ends.
func TestEventStream(t *testing.T) {
	reader, writer := io.Pipe()
	tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream;charset=utf-8"}}, Body: reader, Request: req}, nil
	})}
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = writer.Write([]byte("data: 1\n\n")) }()
	buf := make([]byte, 9)
	if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "data: 1\n\n" {
		t.Errorf("%q, %v", buf, err)
	}
	_ = resp.Body.Close()
	if _, err := writer.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("the stream was not closed: %v", err)
	}
}

// none stands for a Transport without a provider.
type none struct{ signer.Provider }

// Each kind of bad input gets its own typed error, and nothing is sent.
func TestBadInput(t *testing.T) {
	background := context.Background()
	tooLong := strings.Repeat("x", 65)
	tests := map[string]struct {
		query  string
		method string
		header http.Header
		ctx    context.Context
		body   io.Reader
		length int64
		keys   signer.Provider // nil: good ones
		policy retry.Policy
		want   error
	}{
		"no credentials":                     {keys: none{}, want: retry.ErrCredentials},
		"empty credentials":                  {keys: signer.Static(signer.Credentials{}), want: signer.ErrNoCredentials},
		"a token of 65 characters":           {query: "&ClientToken=" + tooLong, want: token.ErrTooLong},
		"a token that is not ASCII":          {query: "&ClientToken=%E4%BB%A4", want: token.ErrNotASCII},
		"such a token in the context":        {ctx: retry.WithToken(background, "令"), want: token.ErrNotASCII},
		"an empty one in the context":        {ctx: retry.WithToken(background, ""), want: token.ErrEmpty},
		"two tokens, one as it is encoded":   {query: "&ClientToken=a%2Bb&clientToken=a+b", want: retry.ErrTokenConflict},
		"two tokens":                         {query: "&ClientToken=a&clientToken=b", want: retry.ErrTokenConflict},
		"another in the context":             {query: "&ClientToken=a", ctx: retry.WithToken(background, "b"), want: retry.ErrTokenConflict},
		"two tokens in JSON":                 {body: strings.NewReader(`{"ClientToken":"a","clientToken":""}`), want: retry.ErrTokenConflict},
		"another in JSON":                    {query: "&ClientToken=a", body: strings.NewReader(`{"clientToken":"b"}`), want: retry.ErrTokenConflict},
		"a token that is not ASCII, in JSON": {body: strings.NewReader(`{"clientToken":"令"}`), want: token.ErrNotASCII},
		"another account's key, ROA":         {header: http.Header{"authorization": {"acs other:x"}, "x-acs-version": {"1"}}, want: retry.ErrAccount},
		"another account's key, ACS3":        {header: http.Header{"Authorization": {"ACS3-HMAC-SHA256 Credential=other,SignedHeaders=host,Signature=x"}, "x-acs-version": {"1"}, "x-acs-action": {"A"}}, want: retry.ErrAccount},
		"another algorithm":                  {header: http.Header{"Authorization": {"ACS3-HMAC-SHA512 Credential=testid,SignedHeaders=host,Signature=x"}, "x-acs-version": {"1"}, "x-acs-action": {"A"}}, want: signer.ErrUnsupported},
		"two who authorize":                  {header: http.Header{"authorization": {"acs testid:x"}, "Authorization": {"acs testid:y"}, "x-acs-version": {"1"}}, want: retry.ErrRequest},
		"a token with its line's end": {header: http.Header{"Authorization": {"acs testid:x"}, "x-acs-version": {"1"}},
			keys: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "s", SecurityToken: "st\n"}), want: retry.ErrCredentials},
		"a body over the bound":      {body: strings.NewReader("123456"), policy: retry.Policy{MaxBody: 5}, want: retry.ErrBody},
		"a body that says so":        {body: strings.NewReader("123456"), length: 6, policy: retry.Policy{MaxBody: 5}, want: retry.ErrBody},
		"a body that cannot be read": {body: failingReader{}, want: retry.ErrBody},
		"a body cut short":           {body: strings.NewReader("123"), length: 6, want: retry.ErrBody},
		"another account's key":      {query: "&AccessKeyId=other&Signature=x", want: retry.ErrAccount},
		"a parameter given twice":    {query: "&MinSize=2", want: retry.ErrRequest},
		"two operations":             {query: "&Action=x", want: retry.ErrRequest},
		"a header that splits":       {header: http.Header{"X": {"a\nb"}}, want: retry.ErrRequest},
		"a header's name":            {header: http.Header{"bad key": {"a"}}, want: retry.ErrRequest},
		"a control character":        {header: http.Header{"X": {"a\x7f"}}, want: retry.ErrRequest},
		"no method":                  {method: "PO ST", want: retry.ErrRequest},
		"a bad escape":               {query: "&Name=%zz", want: retry.ErrRequest},
		"another signature method":   {query: "&SignatureMethod=HMAC-SHA256", want: signer.ErrUnsupported},
		"a policy that makes no sense": {policy: retry.Policy{AttemptTimeout: -1},
			want: retry.ErrPolicy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := tt.ctx
			if ctx == nil {
				ctx = background
			}
			tr := &retry.Transport{Credentials: tt.keys, Policy: tt.policy}
			switch tt.keys {
			case nil:
				tr.Credentials = static
			case none{}:
				tr.Credentials = nil
			}
			tr.Base = roundTripFunc(func(*http.Request) (*http.Response, error) {
				t.Error("something was sent")
				return nil, io.EOF
			})
			ended := 0
			tr.Trace = &retry.Trace{CallEnd: func(retry.Info) { ended++ }, AttemptStart: func(retry.Attempt) { t.Error("an attempt began") }}
			req, _ := http.NewRequestWithContext(ctx, "POST", "http://ess.aliyuncs.com"+createQuery+tt.query, tt.body)
			if tt.length > 0 {
				req.ContentLength = tt.length
			}
			if tt.header != nil {
				req.Header = tt.header
			}
			if tt.method != "" {
				req.Method = tt.method
			}
			_, err := tr.RoundTrip(req)
			var e *retry.Error
			if !errors.Is(err, tt.want) || !errors.As(err, &e) || e.Outcome != retry.NotDone || len(e.Attempts) != 0 {
				t.Errorf("error %v, want an *Error of %v", err, tt.want)
			}
			if strings.Contains(err.Error(), tooLong) {
				t.Errorf("the error repeats the input: %v", err)
			}
			if ended != 1 {
				t.Errorf("CallEnd ran %d times", ended)
			}
		})
	}
}

// A context's token belongs to one call, which it may serve again.
func TestTokenServesOneCall(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	ctx := retry.WithToken(context.Background(), "mine")
	do := func(query string) error {
		req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+query, bytes.NewReader(nil))
		_, err := tr.RoundTrip(req)
		return err
	}
	for range 2 {
		if err := do(createQuery); err != nil {
			t.Fatal(err)
		}
	}
	if err := do(createQuery + "&SignatureNonce=another&Timestamp=later"); err != nil {
		t.Errorf("the same call signed otherwise: %v", err)
	}
	for _, other := range []string{createQuery + "&MaxSize=2", strings.Replace(createQuery, "CreateScalingGroup", "ExecuteScalingRule", 1)} {
		if err := do(other); !errors.Is(err, retry.ErrTokenReused) {
			t.Errorf("%s: %v", other, err)
		}
	}
	if n := len(srv.Effects()); n != 1 {
		t.Errorf("%d effects", n)
	}
}
