package retry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/retry"
)

// pipes is a listener whose connections are net.Pipes, so that a real server and net/http's
// client run on the clock of a synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// plainCall is one call of a wrapped client, by the clock.
type plainCall struct {
	action  string
	set     func(*sdk.Client)             // before Wrap
	request func(*requests.CommonRequest) // may be nil
	opts    []retry.Option
	replies []time.Duration // how long the server takes for each attempt; for the last ones as long as it may
}

// make returns what is known of the call, how long it took, and its error.
func (p *plainCall) make(t *testing.T) (info retry.Info, took time.Duration, err error) {
	listener, replies := newPipes(), slices.Clone(p.replies)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := 24 * time.Hour
		if len(replies) > 0 {
			after, replies = replies[0], replies[1:]
		}
		select {
		case <-time.After(after):
			_, _ = io.WriteString(w, `{"RequestId":"R"}`)
		case <-r.Context().Done():
		}
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()

	client, err := sdk.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithHttpTransport(&http.Transport{DialContext: listener.dial}), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	if p.set != nil {
		p.set(client)
	}
	opts := append([]retry.Option{func(tr *retry.Transport) {
		tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { info = i }}
		tr.Policy.Transient, tr.Policy.MaxAttempts, tr.Budget = quick.Transient, 600, retry.Unlimited()
	}}, p.opts...)
	c, err := retry.Wrap(client, sdkKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	request := requests.NewCommonRequest()
	request.Domain, request.Product, request.Version, request.ApiName = "ecs.aliyuncs.com", "Ecs", "2014-05-26", p.action
	if p.request != nil {
		p.request(request)
	}
	start := time.Now()
	_, err = client.ProcessCommonRequest(request)
	took = time.Since(start)
	c.Transport.CloseIdleConnections()
	_ = server.Close()
	<-done
	return info, took, err
}

// How long an attempt of a plain call may take: what the SDK would wait, by its own order of
// precedence, and what an Option says before that.
func TestWrappedAttemptTimeout(t *testing.T) {
	const slowest = "DescribeSecurityGroupAttribute" // of the SDK's own table
	client := func(c *sdk.Client) { c.SetReadTimeout(7 * time.Second) }
	config := func(c *sdk.Client) { c.GetConfig().Timeout = 6 * time.Second }
	request := func(r *requests.CommonRequest) { r.ReadTimeout = 50 * time.Second }
	option := func(tr *retry.Transport) { tr.Policy.AttemptTimeout = 3 * time.Second }
	operation := func(tr *retry.Transport) {
		tr.Policy.Operations = []retry.Operation{{Version: "2014-05-26", Action: slowest, AttemptTimeout: 5 * time.Second}}
	}
	tests := map[string]struct {
		call plainCall
		want time.Duration
	}{
		"the SDK's default":                     {plainCall{action: "DescribeRegions2"}, 10 * time.Second},
		"the SDK's table":                       {plainCall{action: slowest}, 133 * time.Second},
		"the SDK's table, of another operation": {plainCall{action: "CreateInstance"}, 86 * time.Second},
		"Config.Timeout":                        {plainCall{action: slowest, set: config}, 6 * time.Second},
		"the client's":                          {plainCall{action: slowest, set: client}, 7 * time.Second},
		"the client's, then Config.Timeout":     {plainCall{action: slowest, set: func(c *sdk.Client) { client(c); config(c) }}, 7 * time.Second},
		"an Option, then the client's":          {plainCall{action: slowest, set: client, opts: []retry.Option{option}}, 3 * time.Second},
		"an Option, then the request's":         {plainCall{action: slowest, request: request, opts: []retry.Option{option}}, 3 * time.Second},
		"an Operation's, then the request's":    {plainCall{action: slowest, request: request, opts: []retry.Option{operation}}, 5 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// The first attempt gets no reply, the second one at the last moment.
				tt.call.replies = []time.Duration{24 * time.Hour, tt.want - time.Millisecond}
				tt.call.opts = append(tt.call.opts, func(tr *retry.Transport) {
					tr.Policy.Operations = append(tr.Policy.Operations, retry.Operation{Version: "2014-05-26", Action: "DescribeRegions2", Safety: retry.ReadOnly})
				})
				info, _, err := tt.call.make(t)
				if err != nil || len(info.Attempts) != 2 || info.Attempts[0].Duration != tt.want || info.Attempts[1].Duration != tt.want-time.Millisecond {
					t.Errorf("%v: attempts %+v, want the first to take %v", err, info.Attempts, tt.want)
				}
			})
		})
	}
}

// A request's read timeout bounds its whole call, to the last moment for one attempt if need
// be: a slow operation for which a program has set it succeeds as it did.
func TestWrappedRequestTimeout(t *testing.T) {
	request := func(r *requests.CommonRequest) { r.ReadTimeout = 50 * time.Second }
	synctest.Test(t, func(t *testing.T) {
		slow := plainCall{action: "StopInstance", request: request, replies: []time.Duration{45 * time.Second}}
		if info, took, err := slow.make(t); err != nil || took != 45*time.Second || len(info.Attempts) != 1 {
			t.Errorf("a slow reply: %v after %v: %+v", err, took, info.Attempts)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		hung := plainCall{action: "StopInstance", request: request}
		info, took, err := hung.make(t)
		var ours *retry.Error
		if !errors.As(err, &ours) || !errors.Is(err, context.DeadlineExceeded) || ours.Outcome != retry.Unknown || strings.Contains(err.Error(), "Client.Timeout") {
			t.Errorf("no reply: %v", err)
		}
		// A hundredth before http.Client would replace our error.
		if want := 50*time.Second - 500*time.Millisecond; took != want || len(info.Attempts) != 1 {
			t.Errorf("it took %v and the attempts %+v, want %v", took, info.Attempts, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := plainCall{action: "StopInstance", request: request, set: func(c *sdk.Client) { c.SetReadTimeout(20 * time.Second) }, replies: []time.Duration{45 * time.Second}}
		if info, _, err := p.make(t); err != nil || len(info.Attempts) != 1 {
			t.Errorf("the request's outranks the client's: %v: %+v", err, info.Attempts)
		}
	})
}

// A plain call lasts as long as its policy says, past the SDK's 10 s and any read timeout of
// the client's.
func TestWrappedWholeCall(t *testing.T) {
	tests := map[string]struct {
		call plainCall
		want time.Duration
	}{
		"default":                 {plainCall{action: "DescribeRegions"}, 2 * time.Minute},
		"twice the SDK's 133 s":   {plainCall{action: "DescribeSecurityGroupAttribute"}, 286 * time.Second},
		"a short read timeout":    {plainCall{action: "DescribeRegions", set: func(c *sdk.Client) { c.SetReadTimeout(time.Second) }}, 2 * time.Minute},
		"an Option's CallTimeout": {plainCall{action: "DescribeRegions", opts: []retry.Option{func(tr *retry.Transport) { tr.Policy.CallTimeout = time.Hour }}}, time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				info, took, err := tt.call.make(t)
				var ours *retry.Error
				if !errors.As(err, &ours) || took > tt.want || took < tt.want-100*time.Millisecond || len(info.Attempts) < 2 {
					t.Errorf("%v after %v and %d attempts, want %v", err, took, len(info.Attempts), tt.want)
				}
			})
		})
	}
}
