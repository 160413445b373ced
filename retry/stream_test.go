package retry_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// A reply that is too long to be held counts as it began, until it breaks off.
func TestLongReplyBreaksOff(t *testing.T) {
	for name, tt := range map[string]struct {
		fault retrytest.Fault
		query string
		want  retry.Outcome
	}{
		"at its length":        {retrytest.CutOff(), createQuery, retry.Unknown},
		"in mid-chunk":         {retrytest.CutOffChunked(), createQuery, retry.Unknown},
		"of a read":            {retrytest.CutOff(), "/?Action=DescribeScalingGroups&Version=2014-08-28&Format=JSON", retry.NotDone},
		"unseen, without both": {retrytest.CutOffClose(), createQuery, retry.Done}, // what MaxReply is for
	} {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(tt.fault)
			tr := &retry.Transport{Credentials: static, Policy: quick}
			tr.Policy.MaxReply = 10
			defer tr.CloseIdleConnections()
			req, _ := http.NewRequest("POST", srv.URL+tt.query, nil)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if i, _ := retry.InfoOfResponse(resp); i.Outcome != retry.Done || i.Attempts[0].Class != retry.Success {
				t.Errorf("before it was read: %v, %v", i.Outcome, i.Attempts[0].Class)
			}
			_, err = io.ReadAll(resp.Body)
			var ours *retry.Error
			if err != nil && (!errors.As(err, &ours) || ours.Outcome != tt.want || !errors.Is(err, io.ErrUnexpectedEOF)) {
				t.Errorf("its reader is told %v", err)
			}
			i, _ := retry.InfoOfResponse(resp)
			if i.Outcome != tt.want || len(srv.Attempts()) != 1 {
				t.Errorf("%v after %v and %d attempts, want %v", i.Outcome, err, len(srv.Attempts()), tt.want)
			}
			if broke := strings.Contains(i.Reason, "broke off"); broke != (err != nil) {
				t.Errorf("%v, and the reason is %q", err, i.Reason)
			}
		})
	}
}

func TestDoActionWithReplyThatBreaksOff(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.CutOff())
	var ended []retry.Info
	client := newEss(t)
	c := mustWrap(t, client, func(tr *retry.Transport) {
		tr.Policy.MaxReply = 10
		tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { ended = append(ended, i) }}
	})
	err := c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	var e *retry.Error
	if !errors.As(err, &e) || e.Outcome != retry.Unknown || e.ClientToken == "" {
		t.Errorf("%v", err)
	}
	if len(ended) != 1 || ended[0].Outcome != retry.Unknown {
		t.Errorf("the Trace was told %+v", ended)
	}
	srv.Script(retrytest.CutOff())
	_, err = client.CreateScalingGroup(createRequest(srv))
	if i, ok := retry.InfoOf(err); !ok || i.Outcome != retry.Unknown || i.ClientToken == "" {
		t.Errorf("a plain call: %v", err)
	}
}

// A stream of events passes as it comes: each event at once, none of the Policy's timeouts
// over it, and nothing is repeated when it breaks.
func TestEventStreamBreaks(t *testing.T) {
	next := make(chan string)
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		for event := range next {
			_, _ = io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, event := range []string{"data: 1\n", "data: 2\n"} {
		next <- event
		if got, err := lines.ReadString('\n'); got != event || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if i, _ := retry.InfoOfResponse(resp); i.Outcome != retry.Done {
		t.Errorf("%v while it goes on", i.Outcome)
	}
	close(next)
	if _, err := lines.ReadString('\n'); err == nil || err == io.EOF {
		t.Errorf("it ended with %v", err)
	}
	if i, _ := retry.InfoOfResponse(resp); i.Outcome != retry.Unknown || requests.Load() != 1 {
		t.Errorf("%v after %d requests", i.Outcome, requests.Load())
	}
}

// The time of a stream is its reader's: it may outlast attempt and call.
func TestStreamOutlastsTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, writer := io.Pipe()
		tr := &retry.Transport{Credentials: static, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			go func() {
				time.Sleep(time.Hour) // of the bubble's clock
				_, _ = io.WriteString(writer, "data: 1\n")
				_ = writer.CloseWithError(req.Context().Err())
			}()
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body}, nil
		})}
		tr.Policy.AttemptTimeout, tr.Policy.CallTimeout = time.Second, time.Minute
		req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(resp.Body); string(text) != "data: 1\n" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		_ = resp.Body.Close()
	})
}

// A reply without a body has nothing to unpack, whatever it says of one.
func TestReplyOfHeadIsNotUnpacked(t *testing.T) {
	for method, length := range map[string]int64{"HEAD": 100, "POST": 0} {
		tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Header: http.Header{"Content-Encoding": {"gzip"}}, ContentLength: length, Body: http.NoBody}, nil
		})}
		req, _ := http.NewRequest(method, "http://ess.aliyuncs.com"+createQuery, nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if i, _ := retry.InfoOfResponse(resp); len(i.Attempts) != 1 || i.Outcome != retry.Done {
			t.Errorf("%s: %+v", method, i)
		}
	}
}
