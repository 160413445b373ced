package retry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// unsafe are operations that take no token and whose second run would add an effect,
// whatever their verbs and methods look like.
var unsafe = []string{
	// ROA: PUTs that create or run something, PUTs and DELETEs that do more than they say,
	// and GETs that do not read.
	"tingwu CreateTask", "sae RestartApplication", "sae RollbackApplication", "sae StopApplication", "ROS ExecuteChangeSet", "ROS UpdateStack",
	"cr StartImageScan", "cr StartRepoBuildByRule", "cr CreateRepoWebhook", "acm DeployConfiguration", "eas UpdateService", "codeup UpdateFile",
	"foas ExpandCluster", "ververica UpdateDeployment", "CS ModifyClusterNodePool", "eas DeleteServiceInstances", "elasticsearch UntagResources",
	"Edas RetryChangeOrderTask", "amp CreateAPI", "cr GetAuthorizationToken", "foas GetRawPlanJson",
	// ROA and RPC: what says itself that it writes.
	"CS CreateCluster", "CS CreateClusterNodePool", "Green AddFaces",
	"Ess CreateScalingRule", "Ess CreateAlarm", "Ess DeleteScalingGroup", "Vpc CreateRouteEntries", "Vpc CreateFlowLog", "Ecs AttachDisk", "Ecs AllocatePublicIpAddress",
	"Rds CreateBackup", "Rds CreateDatabase", "Slb AddBackendServers", "Slb CreateRules", "Alidns AddDomainRecord", "NAS CreateMountTarget", "NAS CreateSnapshot",
	"Ram CreateAccessKey", "Ram CreatePolicyVersion", "Sts AssumeRole", "BssOpenApi CreateResourcePackage", "Dysmsapi SendSms", "Dm BatchSendMail",
	"Dyvmsapi ClickToDial", "Push PushNoticeToAndroid", "Iot Pub", "OnsMqtt SendMessage", "Cdn CreateCdnDeliverTask", "Cms BatchExport", "Dts StartMigrationJob",
	"Kms CreateAlias", "ResourceManager CreateFolder", "Emr CloneFlow", "PTS CreatePtsScene", "Sas CreateHoneypot", "Domain ChangeResourceGroup", "Dds CreateBackup",
	// RPC: reading verbs that generate, consume, create, send, run or cost something.
	"Kms GetRandomPassword", "Dm CheckReplyToMailAddress", "Dypnsapi CheckSmsVerifyCode", "Dypnsapi GetMobile", "AppMallsService GetMessages",
	"ecd GetConnectionTicket", "vod GetVideoPlayAuth", "Ecs DescribeInstanceVncUrl", "Rds DescribeHostWebShell",
	"ARMS ListDashboardsByName", "Linkvisual QueryLiveStreaming", "dataworks-public QueryPublicModelEngine", "sgw CheckSlrRole", "facebody SearchFace",
	"Dytnsapi DescribePhoneNumberOnlineTime", "idaas-doraemon QuerySmsUps", "ResourceManager CheckAccountDelete",
}

// An attempt of an unsafe operation that may have had an effect is the last one, and the
// call ends Unknown; after one that had none for certain the call goes on.
func TestUnsafeOperations(t *testing.T) {
	const throttled, busy = "Request was denied due to request throttling.", "The system is busy."
	faults := map[string]struct {
		fault   retrytest.Fault
		refused bool // the first connection
		want    []retry.Class
		outcome retry.Outcome
	}{
		"reset after the effect": {fault: retrytest.Reset().AfterEffect(), want: []retry.Class{retry.NoResponse}, outcome: retry.Unknown},
		"reset before it":        {fault: retrytest.Reset(), want: []retry.Class{retry.NoResponse}, outcome: retry.Unknown},
		"InternalError":          {fault: retrytest.Reply(500, "InternalError", "x"), want: []retry.Class{retry.ServerError}, outcome: retry.Unknown},
		"ServiceUnavailable":     {fault: retrytest.Reply(503, "ServiceUnavailable", "x"), want: []retry.Class{retry.Unavailable}, outcome: retry.Unknown},
		"refused connection":     {refused: true, want: []retry.Class{retry.NoResponse, retry.Success}, outcome: retry.Done},
		"Throttling":             {fault: retrytest.Reply(400, "Throttling.User", throttled), want: []retry.Class{retry.Throttled, retry.Success}, outcome: retry.Done},
		"busy":                   {fault: retrytest.Reply(400, "SystemBusy", busy), want: []retry.Class{retry.Busy, retry.Success}, outcome: retry.Done},
	}
	if len(unsafe) < 60 {
		t.Errorf("only %d operations", len(unsafe))
	}
	for _, name := range unsafe {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			product, action, _ := strings.Cut(name, " ")
			o := find(t, product, action)
			for name, tt := range faults {
				srv := retrytest.NewServer()
				if !tt.refused {
					srv.Script(tt.fault)
				}
				var dials atomic.Int32
				tr := &retry.Transport{Credentials: static, Policy: quick, Base: &http.Transport{
					DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
						if dials.Add(1) == 1 && tt.refused {
							return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
						}
						return new(net.Dialer).DialContext(ctx, network, srv.Host)
					},
				}}
				resp, err := tr.RoundTrip(o.request(t))
				info, _ := retry.InfoOf(err)
				if err == nil {
					info, _ = retry.InfoOfResponse(resp)
					resp.Body.Close()
				}
				tr.CloseIdleConnections()
				if got := classesOf(info); !slices.Equal(got, tt.want) || info.Outcome != tt.outcome || info.ClientToken != "" {
					t.Errorf("%s: %v, outcome %v, token %q; want %v, %v", name, got, info.Outcome, info.ClientToken, tt.want, tt.outcome)
				}
				for _, a := range srv.Attempts() {
					if a.Problem != "" {
						t.Errorf("%s: refused with %s", name, a.Problem)
					}
				}
				srv.Close()
			}
		})
	}
}

// A Base that sends and fires no hook of net/http proves nothing: what failed in it may
// have been carried out, whatever its error says, and a write is not sent again.
func TestUnwrittenNeedsEvidence(t *testing.T) {
	for name, failure := range map[string]error{
		"refused": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"reset":   syscall.ECONNRESET,
		"EOF":     io.ErrUnexpectedEOF,
		"other":   errors.New("tunnel is closed"),
	} {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			sent := new(http.Transport)
			defer sent.CloseIdleConnections()
			tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				r, _ := http.NewRequest(req.Method, srv.URL+req.URL.RequestURI(), req.Body) // without the request's context, and so its hooks
				r.Header = req.Header
				if resp, err := sent.RoundTrip(r); err == nil {
					resp.Body.Close()
				}
				return nil, failure
			})}
			_, err := tr.RoundTrip(find(t, "Ess", "CreateScalingRule").request(t))
			info, _ := retry.InfoOf(err)
			if !errors.Is(err, failure) || info.Outcome != retry.Unknown || len(info.Attempts) != 1 || len(srv.Effects()) != 1 {
				t.Errorf("%v; %d attempts, %d effects", err, len(info.Attempts), len(srv.Effects()))
			}
		})
	}
}

func classesOf(i retry.Info) (all []retry.Class) {
	for _, a := range i.Attempts {
		all = append(all, a.Class)
	}
	return all
}
