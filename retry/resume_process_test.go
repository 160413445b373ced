package retry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// job is what a process is started with, in its environment; ending is what it prints.
type (
	job struct {
		Style, Host string
		Token       string // of the call to be resumed; "" to begin one
		Name        string // the call's one parameter
	}
	ending struct {
		PID    int
		Info   retry.Info
		Answer string // "" after a failure
	}
)

const (
	jobVariable  = "ALIRETRY_TEST_JOB"
	endingPrefix = "ending: "
)

// A call that ended Unknown in one process is resumed by another, which has nothing of it but
// the token that the first one printed: it gets the first result, and there is one effect. The
// token does not serve a call with other parameters.
func TestResumeInAnotherProcess(t *testing.T) {
	if text := os.Getenv(jobVariable); text != "" {
		work(t, text)
		return
	}
	for _, style := range []string{"RPC", "ROA", "ACS3"} {
		t.Run(style, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(retrytest.Reset().AfterEffect())

			lost := start(t, job{Style: style, Host: srv.Host, Name: "web 生产"})
			if lost.Info.Outcome != retry.Unknown || lost.Info.ClientToken == "" || lost.Answer != "" {
				t.Fatalf("the first process ended with %+v", lost)
			}
			resumed := start(t, job{Style: style, Host: srv.Host, Name: "web 生产", Token: lost.Info.ClientToken})
			other := start(t, job{Style: style, Host: srv.Host, Name: "another", Token: lost.Info.ClientToken})

			effects := srv.Effects()
			if len(effects) != 1 || effects[0].Attempt != 1 || effects[0].ClientToken != lost.Info.ClientToken {
				t.Fatalf("effects %+v; want the first attempt's, under %s", effects, lost.Info.ClientToken)
			}
			if resumed.Info.Outcome != retry.Done || len(resumed.Info.Attempts) != 1 || !strings.Contains(resumed.Answer, effects[0].ResourceID) {
				t.Errorf("resumed: %+v; the effect is %+v", resumed, effects[0])
			}
			if a := other.Info.Attempts; other.Info.Outcome != retry.Unknown || len(a) != 1 || a[0].Class != retry.Mismatch || other.Answer != "" {
				t.Errorf("with other parameters: %+v", other)
			}
			if lost.PID == resumed.PID || lost.PID == os.Getpid() || resumed.PID == os.Getpid() {
				t.Errorf("processes %d and %d under %d", lost.PID, resumed.PID, os.Getpid())
			}
			for n, a := range srv.Attempts() {
				if a.ClientToken != lost.Info.ClientToken || n == 1 && !a.Replayed {
					t.Errorf("attempt %d: %+v", n+1, a)
				}
			}
		})
	}
}

// start runs this test in a process of its own, to do one job.
func start(t *testing.T, j job) (end ending) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), self, "-test.run=^TestResumeInAnotherProcess$", "-test.count=1")
	// The race detector makes a process linger for a second, for reports of goroutines.
	process.Env = append(os.Environ(), jobVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	output, err := process.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	_, line, found := bytes.Cut(output, []byte(endingPrefix))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	if err := json.Unmarshal(line, &end); !found || err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	return end
}

// work does a job: one call of one attempt, whose end is printed.
func work(t *testing.T, text string) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatal(err)
	}
	end := ending{PID: os.Getpid()}
	ctx := retry.WithTrace(t.Context(), &retry.Trace{CallEnd: func(i retry.Info) { end.Info = i }})
	if j.Token != "" {
		ctx = retry.WithToken(ctx, j.Token)
	}
	once := func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 }
	answer, err := map[string]func() (string, error){
		"RPC": func() (string, error) {
			request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
			request.Domain, request.ScalingGroupName = j.Host, j.Name
			err := mustWrap(t, newEss(t), once).DoAction(ctx, request, response)
			return response.ScalingGroupId, err
		},
		"ROA": func() (string, error) {
			request, response := requests.NewCommonRequest(), responses.NewCommonResponse()
			request.Method, request.Domain, request.Version, request.PathPattern = "POST", j.Host, "2017-06-13", "/openapi/instances"
			request.SetContent(fmt.Appendf(nil, `{"description":%q}`, j.Name))
			request.Headers["Content-Type"] = "application/json"
			err := mustWrap(t, newEss(t), once).DoAction(ctx, request, response)
			return response.GetHttpContentString(), err
		},
		"ACS3": func() (string, error) { return callACS3(ctx, j, once) },
	}[j.Style]()
	if err == nil {
		end.Answer = answer
	}
	line, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s%s\n", endingPrefix, line)
}

func callACS3(ctx context.Context, j job, opt retry.Option) (string, error) {
	tr := &retry.Transport{Credentials: static}
	opt(tr)
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+j.Host+"/", nil)
	if err != nil {
		return "", err
	}
	q := req.URL.Query()
	q.Set("ScalingGroupName", j.Name)
	req.URL.RawQuery = q.Encode()
	req.Header = http.Header{"x-acs-action": {"CreateScalingGroup"}, "x-acs-version": {"2014-08-28"}, "accept": {"application/json"}}
	resp, err := tr.Call(req, &http.Transport{})
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), errors.Join(err, resp.Body.Close())
}
