package models

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aliretry/aliretry/internal/storm"
)

// script answers the attempts of a call with its replies, one after another, and notes when each
// attempt began and ended.
type script struct {
	answer   answers
	replies  []storm.Reply
	timeout  time.Duration // of an attempt, where the library has none
	attempts []attempt
}

type attempt struct{ began, ended time.Time }

// answers are the replies that have a status, in the words of one API.
type answers map[storm.Reply]answer

type answer struct {
	status int
	body   string
}

func (s *script) begin(replies []storm.Reply) { s.replies, s.attempts = replies, nil }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	i := len(s.attempts)
	s.attempts = append(s.attempts, attempt{began: time.Now()})
	defer func() { s.attempts[i].ended = time.Now() }()
	time.Sleep(10 * time.Millisecond)
	switch reply := s.replies[i]; reply {
	case storm.Refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case storm.Lost:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case storm.TimedOut:
		if _, ok := req.Context().Deadline(); ok {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		time.Sleep(time.Until(s.attempts[i].began.Add(s.timeout)))
		return nil, context.DeadlineExceeded
	default:
		a := s.answer[reply]
		return &http.Response{
			Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
			Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}},
			Body:   io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
		}, nil
	}
}

// alibaba is what the simulation's replies stand for.
var alibaba = answers{
	storm.OK:          {200, `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","ScalingGroupId":"asg-00000001"}`},
	storm.Internal:    {500, `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","Code":"InternalError","Message":"m"}`},
	storm.Unavailable: {503, `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","Code":"ServiceUnavailable","Message":"m"}`},
	storm.Throttled:   {400, `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","Code":"Throttling.User","Message":"m"}`},
	storm.InProgress:  {403, `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","Code":"LastTokenProcessing","Message":"m"}`},
}

// amazon is what AWS's services say in their place.
var amazon = answers{
	storm.OK:          {200, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>a</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`},
	storm.Internal:    {500, `<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>`},
	storm.Unavailable: {503, `<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>`},
	storm.Throttled:   {400, `<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>`},
	storm.InProgress:  {400, `<ErrorResponse><Error><Code>TransactionInProgressException</Code></Error></ErrorResponse>`},
}
