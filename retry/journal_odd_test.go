package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
)

// events is a base that answers with a stream of events, which ends or breaks off.
func events(end error) baseFunc {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Request: req, ContentLength: -1,
			Body: io.NopCloser(io.MultiReader(strings.NewReader("data: 1\n"), broken{end}))}, nil
	}
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

// A stream is done when it was read to its end. One that breaks off, or that nobody reads, may
// be asked for again.
func TestKeyedStream(t *testing.T) {
	tests := map[string]struct {
		end     error
		read    bool
		state   token.State
		outcome Outcome
	}{
		"read to its end": {io.EOF, true, token.Done, Done},
		"breaks off":      {io.ErrUnexpectedEOF, true, token.Open, Unknown},
		"is not read":     {io.EOF, false, token.Open, Done},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			j := &memoryJournal{}
			tr := loop(events(tt.end), nil)
			tr.Journal = j
			resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
			if err != nil {
				t.Fatal(err)
			}
			if i, _ := InfoOfResponse(resp); !i.RecordOpen || j.records["k"].State != token.Open {
				t.Errorf("before it was read: %+v, record %+v", i, j.records["k"])
			}
			if tt.read {
				_, _ = io.ReadAll(resp.Body)
			}
			resp.Body.Close()
			i, _ := InfoOfResponse(resp)
			if r := j.records["k"]; r.State != tt.state || r.Reply != nil || i.Outcome != tt.outcome || i.RecordOpen != (tt.state == token.Open) {
				t.Errorf("%+v, record %+v", i, r)
			}
			_, err = restarted(tr).RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
			if errors.Is(err, token.ErrDoneNoReply) != (tt.state == token.Done) {
				t.Errorf("the next call: %v", err)
			}
		})
	}
}

// restarted is tr in a program that was started again, and does not reach the endpoint.
func restarted(tr *Transport) *Transport {
	next := loop(baseFunc(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }), Unlimited())
	next.Journal, next.Policy.MaxAttempts = tr.Journal, 1
	return next
}

// What ends before the journal was asked tells nothing of the key.
func TestKeyedCallsRefusedBefore(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	j := &memoryJournal{}
	safe, err := Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(tr *Transport) { tr.Journal = j })
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(WithKey(t.Context(), "k"))
	cancel()
	_, keyless := (&Transport{Base: &scripted{}, Journal: j}).RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
	for name, err := range map[string]error{
		"no credentials":            keyless,
		"DoAction of a caller gone": safe.DoAction(gone, newEssRequest(srv.Host), ess.CreateCreateScalingGroupResponse()),
	} {
		i, _ := InfoOf(err)
		if i.Outcome != Unknown || i.Key != "k" || len(j.asked) != 0 || !strings.Contains(err.Error(), "not sent, and the outcome of its key is Unknown") {
			t.Errorf("%s: %v: %+v", name, err, i)
		}
	}
	reads := newRequest(WithKey(t.Context(), "k"), "http://ess.aliyuncs.com/?Action=DescribeScalingGroups&Version=2014-08-28&Format=JSON")
	_, err = (&Transport{Base: &scripted{}, Journal: j}).RoundTrip(reads)
	if i, _ := InfoOf(err); i.Outcome != NotDone || i.Key != "" {
		t.Errorf("a read: %v: %+v", err, i)
	}
}

func newEssRequest(host string) *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain, request.Scheme = host, "http"
	return request
}

// Under the V2 SDK, whose errors hold no Info, a refusal that leaves the key open is ours.
func TestV2RefusedUnderAnOpenKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		refused := step{status: 400, body: missing, header: http.Header{"Content-Type": {"application/json"}}}
		for _, key := range []string{"open", "new"} {
			if key == "open" {
				keyed(t, j, key, createURL, step{err: syscall.ECONNRESET})
			}
			tr := loop(&scripted{steps: []step{refused}}, nil)
			tr.Journal = j
			_, err := tr.Call(newRequest(WithKey(t.Context(), key), createURL), nil)
			if i, ok := InfoOf(err); ok != (key == "open") || ok && i.Outcome != Unknown {
				t.Errorf("%s: %v: %+v", key, err, i)
			}
		}
	})
}

// The policy's lifetime is the record's; a reply that could not be sealed is done all the same.
func TestPolicyAndSealOfKeyedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		keyed(t, j, "k", createURL, step{err: syscall.ECONNRESET})
		time.Sleep(2 * time.Hour)
		tr := loop(&scripted{}, nil)
		tr.Journal, tr.Policy.TokenLifetime = j, time.Hour
		if _, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL)); !errors.Is(err, token.ErrExpired) {
			t.Errorf("%v, want %v", err, token.ErrExpired)
		}
		j.sealing = errors.New("no key to seal with")
		_, i, _, err := keyed(t, j, "sealed", createURL, step{status: 200, body: okBody})
		if err != nil || i.Outcome != Done || i.RecordOpen || !strings.Contains(i.Reason, "the journal: no key to seal with") {
			t.Errorf("%v: %+v", err, i)
		}
	})
}

// What a journal's errors quote is not told.
func TestJournalErrorsHoldNoSecrets(t *testing.T) {
	secret := &url.Error{Op: "Get", URL: "https://db/?AccessKeySecret=s3cret", Err: errors.New("refused")}
	for _, j := range []*memoryJournal{{beginErr: secret}, {endErr: secret}} {
		var end Info
		tr := loop(&scripted{steps: []step{{status: 200, body: okBody}}}, nil)
		tr.Journal, tr.Trace = j, &Trace{CallEnd: func(i Info) { end = i }}
		resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
		text := end.Reason
		if err != nil {
			text += err.Error()
		} else {
			text += resp.Header.Get(infoHeader)
		}
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "refused") {
			t.Errorf("%s", text)
		}
	}
}
