package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

func TestClassifyWithoutReply(t *testing.T) {
	tests := []struct {
		name      string
		err       error
		callerErr error
		want      Class
	}{
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, nil, NoResponse},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, nil, NoResponse},
		{"EOF", io.EOF, nil, NoResponse},
		{"attempt timeout", attemptTimeoutError{after: time.Second}, nil, NoResponse},
		{"DNS trouble", &net.DNSError{IsTemporary: true}, nil, NoResponse},
		{"no such host", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, nil, Broken},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, nil, Broken},
		{"certificate of another host", x509.HostnameError{Certificate: &x509.Certificate{}}, nil, Broken},
		{"canceled by the caller", context.Canceled, context.Canceled, Canceled},
		{"reset as the caller's deadline passed", io.EOF, context.DeadlineExceeded, Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := classify(&evidence{err: tt.err, callerErr: tt.callerErr}); got != tt.want {
				t.Errorf("classify = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestClassifyReplies(t *testing.T) {
	const answer = `{"RequestId":"R","ScalingGroupId":"asg-1"}`
	rpc := func(format string) *openapi.Request { return &openapi.Request{Style: openapi.RPC, Format: format} }
	roa := &openapi.Request{Style: openapi.ROA, ByPath: true, Format: "JSON"}
	tests := []struct {
		name    string
		request *openapi.Request
		e       evidence
		body    string
		want    Class
	}{
		{"answer", rpc("JSON"), evidence{status: 200}, answer, Success},
		{"answer in XML", rpc("XML"), evidence{status: 200}, "<R><RequestId>R</RequestId></R>", Success},
		{"answer in the wrong format", rpc("JSON"), evidence{status: 200}, "<R><RequestId>R</RequestId></R>", NoResponse},
		{"empty 200", rpc("JSON"), evidence{status: 200}, "", NoResponse},
		{"login page", rpc("JSON"), evidence{status: 200}, "<html><body>Log in</body></html>", NoResponse},
		{"XHTML login page", rpc("XML"), evidence{status: 200}, `<?xml version="1.0"?><html><body/></html>`, NoResponse},
		{"closed in mid-JSON", rpc("JSON"), evidence{status: 200}, answer[:20], NoResponse},
		{"shorter than it says", rpc("JSON"), evidence{status: 200, err: io.ErrUnexpectedEOF}, answer[:20], NoResponse},
		{"204", rpc("JSON"), evidence{status: 204}, "", Success},
		{"205", rpc("JSON"), evidence{status: 205}, "", Success},
		{"HEAD", rpc("JSON"), evidence{status: 200, method: "HEAD"}, "", Success},
		{"empty 200 to ROA", roa, evidence{status: 200}, "", Success},
		{"half of an answer to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/json;charset=utf-8"}}}, `{"clusters":[{"id":1`, NoResponse},
		{"any JSON to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/JSON"}}}, ` "x" `, Success},
		{"half of a structured suffix to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/vnd.api+json ; charset=utf-8"}}}, `{"a":`, NoResponse},
		{"half of JSON without a type to ROA", roa, evidence{status: 200}, `{"a":`, NoResponse},
		{"half of XML to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"text/xml"}}}, `<A><B>`, NoResponse},
		{"XML to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"text/xml;charset=utf-8"}}}, `<A><B>x</B></A>`, Success},
		{"lines of JSON to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/x-ndjson"}}}, "{}\n{}", Success},
		{"a blank line to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/json"}}}, "\r\n", Success},
		{"a byte order mark to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/json"}}}, "\ufeff{}\n", Success},
		{"text to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"text/plain"}}}, `{"clusters":[`, Success},
		{"nothing to ROA, as JSON", roa, evidence{status: 200, header: http.Header{"Content-Type": {"application/json"}}}, "", Success},
		{"web page to ROA", roa, evidence{status: 200, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}, "x", NoResponse},
		{"stream", rpc("JSON"), evidence{status: 200, streamed: true}, "", Success},
		{"code OK is no error", rpc("JSON"), evidence{status: 200}, `{"Code":"OK","Success":true}`, Success},
		{"code 200 is no error", rpc("JSON"), evidence{status: 200}, `{"code":200}`, Success},
		{"a known error code in 200", rpc("JSON"), evidence{status: 200}, `{"Code":"Throttling.User","Message":"x"}`, Throttled},
		{"InternalError in 200", rpc("JSON"), evidence{status: 200}, `{"code":"InternalError"}`, ServerError},
		{"a known error code in 200, in XML", rpc("XML"), evidence{status: 200}, `<Error><Code>SystemBusy</Code></Error>`, Unavailable},
		{"unavailable under 200", rpc("JSON"), evidence{status: 200}, `{"Code":"ServiceUnavailable"}`, Unavailable},
		{"what a workflow failed with is data", rpc("JSON"), evidence{status: 200}, `{"Status":"Failed","ErrorCode":"FC.ResourceThrottled"}`, Success},
		{"a code beside success is data", rpc("JSON"), evidence{status: 200}, `{"Success":true,"Code":"SystemBusy"}`, Success},
		{"no format asked for, JSON came", rpc(""), evidence{status: 200}, answer, Success},
		{"403 page without a root", rpc("JSON"), evidence{status: 403}, "<h1>403 Forbidden", Rejected},
		{"400 that may have happened", rpc("JSON"), evidence{status: 400}, `{"Code":"System.InternalError","Message":"If the problem persists, submit a ticket."}`, ServerError},
		{"a code deeper down is data", rpc("JSON"), evidence{status: 200}, `{"Items":[{"Code":"Throttling"}]}`, Success},
		{"a code without a message is data", rpc("JSON"), evidence{status: 200}, `{"Code":"cn-qingdao"}`, Success},
		{"an error code that no rule knows", rpc("JSON"), evidence{status: 200}, `{"Code":"QuotaExceeded.ScalingGroup","Message":"x"}`, Broken},
		{"nor what its message asks for", rpc("JSON"), evidence{status: 200}, `{"Code":"X","Message":"please try again later"}`, Broken},
		{"null", rpc("JSON"), evidence{status: 200}, `null`, NoResponse},
		{"a page with upper-case tags", rpc(""), evidence{status: 200, header: http.Header{"Content-Type": {"text/html"}}}, `<BODY>Log in</BODY>`, NoResponse},
		{"refused with an unknown code", rpc("JSON"), evidence{status: 200}, `{"Success":false,"Code":"Biz"}`, Broken},
		{"100", rpc("JSON"), evidence{status: 101}, "", Broken},
		{"redirect", rpc("JSON"), evidence{status: 302}, "", Broken},
		{"not modified", rpc("JSON"), evidence{status: 304}, "", Broken},
		{"proxy wants a password", rpc("JSON"), evidence{status: 407}, "", Broken},
		{"500 in HTML", rpc("JSON"), evidence{status: 500}, "<html>", ServerError},
		{"500 empty", rpc("JSON"), evidence{status: 500}, "", ServerError},
		{"500 cut off", rpc("JSON"), evidence{status: 500, err: io.ErrUnexpectedEOF}, `{"Code":"Int`, ServerError},
		{"an answer that came as the context ended", rpc("JSON"), evidence{status: 200, callerErr: context.Canceled}, answer, Success},
		{"503 cut off", rpc("JSON"), evidence{status: 503, err: io.ErrUnexpectedEOF}, "", Unavailable},
		{"502", rpc("JSON"), evidence{status: 502}, "", ServerError},
		{"501", rpc("JSON"), evidence{status: 501}, "", Rejected},
		{"505", rpc("JSON"), evidence{status: 505}, "", Rejected},
		{"408", rpc("JSON"), evidence{status: 408}, "", ServerError},
		{"429 empty", rpc("JSON"), evidence{status: 429}, "", Throttled},
		{"404 in HTML", rpc("JSON"), evidence{status: 404}, "<html>try again later", Rejected},
		{"400 cut off", rpc("JSON"), evidence{status: 400, err: io.ErrUnexpectedEOF}, `{"Code":"X"`, NoResponse},
		{"400 closed in mid-JSON", rpc("JSON"), evidence{status: 400}, `{"Code":"X"`, NoResponse},
		{"timestamp refused, clocks disagree", rpc("JSON"), evidence{status: 400, received: noon.Add(time.Hour)}, `{"Code":"InvalidTimeStamp.Expired"}`, ClockSkew},
		{"timestamp refused, clocks agree", rpc("JSON"), evidence{status: 400, received: noon.Add(time.Second)}, `{"Code":"InvalidTimeStamp.Expired"}`, Rejected},
		{"timestamp refused, no clock to see", rpc("JSON"), evidence{status: 400}, `{"Code":"InvalidTimeStamp.Expired"}`, Rejected},
		{"timestamp refused, after a correction", rpc("JSON"), evidence{status: 400, received: noon.Add(time.Hour), ahead: -time.Hour}, `{"Code":"IllegalTimestamp"}`, Rejected},
		{"timestamp refused, after a wrong correction", rpc("JSON"), evidence{status: 400, received: noon, ahead: -time.Hour}, `{"Code":"IllegalTimestamp"}`, ClockSkew},
		{"timestamp refused under 200", rpc("JSON"), evidence{status: 200, received: noon.Add(time.Hour)}, `{"Code":"IllegalTimestamp","Message":"x"}`, ClockSkew},
		{"timestamp refused under 200, clocks agree", rpc("JSON"), evidence{status: 200, received: noon}, `{"Code":"IllegalTimestamp","Message":"x"}`, Rejected},
		{"a mismatch under 500 is one", rpc("JSON"), evidence{status: 500}, `{"Code":"IdempotentParameterMismatch"}`, Mismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.e
			e.request, e.body, e.replaySafe = tt.request, []byte(tt.body), true
			if e.method == "" {
				e.method = http.MethodPost
			}
			if !e.received.IsZero() {
				e.header = http.Header{"Date": {noon.Format(http.TimeFormat)}}
			}
			if got, _ := classify(&e); got != tt.want {
				t.Errorf("classify = %v, want %v", got, tt.want)
			}
		})
	}
}

// Under a 2xx a code alone does not suffice to repeat a call that must not happen twice.
func TestClassifyAnswerOfUnsafeWrite(t *testing.T) {
	for code, want := range map[string]Class{"Throttling.User": Broken, "LastTokenProcessing": Broken, "SystemBusy": Unavailable, "InternalError": ServerError} {
		e := &evidence{request: &openapi.Request{Style: openapi.RPC, Format: "JSON"}, method: "POST", status: 200, body: []byte(`{"Code":"` + code + `"}`)}
		if got, _ := classify(e); got != want {
			t.Errorf("%s is %v, want %v", code, got, want)
		}
	}
}

// What "never written" means for each class, and only for those without a reply.
func TestEffectOfUnwritten(t *testing.T) {
	for c := Success; c < classes; c++ {
		want := classTable[c].effect
		if c == NoResponse || c == Canceled || c == Broken {
			want = effectNone
		}
		if got := effectOf(c, true); got != want {
			t.Errorf("%v unwritten has effect %v, want %v", c, got, want)
		}
	}
}

func TestIsTimeout(t *testing.T) {
	for err, want := range map[error]bool{
		context.DeadlineExceeded: true, attemptTimeoutError{}: true, context.Canceled: false, errors.New("x"): false,
	} {
		if got := isTimeout(err); got != want {
			t.Errorf("isTimeout(%v) = %v", err, got)
		}
	}
}

// noon is the Date of replies.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func FuzzClassify(f *testing.F) {
	f.Add(200, `{"Code":"Throttling"}`, "JSON", true)
	f.Add(403, `<Error><Code>LastTokenProcessing</Code></Error>`, "XML", false)
	f.Add(503, "<html>", "", false)
	f.Fuzz(func(t *testing.T, status int, body, format string, safe bool) {
		e := &evidence{request: &openapi.Request{Style: openapi.RPC, Format: format}, method: "POST", status: status,
			header: http.Header{}, body: []byte(body), replaySafe: safe}
		class, _ := classify(e)
		if class == 0 || class >= classes {
			t.Fatalf("class %d", class)
		}
		if class == Success && status/100 != 2 {
			t.Errorf("status %d is a success", status)
		}
		if status >= 500 && effectOf(class, false) == effectNone && status != 501 && status != 505 {
			t.Errorf("status %d as %v is said to have no effect", status, class)
		}
	})
}
