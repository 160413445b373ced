package integration

import (
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// fault is what befalls one attempt, what class that gives it, and what a call knows
// that has met nothing else: Unknown where there may be an effect, NotDone where there
// is none for certain.
type fault struct {
	name   string
	play   retrytest.Fault
	class  retry.Class
	leaves retry.Outcome
}

// refused is played on the way: the attempt meets a port that nobody listens on, and
// the endpoint never hears of it.
var refused = retrytest.Raw(999, "", "connection refused")

func (f fault) arrives() bool { return f.play != refused }

// hangs is what tells the faults that end with the attempt timeout.
func (f fault) hangs() bool {
	return f.play == retrytest.Hang() || f.play == retrytest.Hang().AfterEffect()
}

// shortAttempts is the option for faults that hang: long enough for a good answer on a
// busy machine.
func shortAttempts(t *retry.Transport) { t.Policy.AttemptTimeout = 500 * time.Millisecond }

// options are those for calls that meet the fault.
func (f fault) options() []retry.Option {
	if f.hangs() {
		return []retry.Option{quick, shortAttempts}
	}
	return []retry.Option{quick}
}

const (
	temporary   = "The request has failed due to a temporary failure of the server."
	throttled   = "Request was denied due to request throttling."
	processing  = "The last token request is processing."
	xmlReply    = `<?xml version="1.0"?><Error><RequestId>0C2</RequestId><Code>ServiceUnavailable</Code><Message>` + temporary + `</Message></Error>`
	gatewayPage = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"
	loginPage   = "<!DOCTYPE html><html><body><form action='/login'>Sign in to the network</form></body></html>"
)

// faults are all that may pass by itself: each is worth another attempt under the same
// token.
var faults = []fault{
	// The server's own failures: the effect may be there or not.
	{"500 InternalError", retrytest.Reply(500, "InternalError", temporary), retry.ServerError, retry.Unknown},
	{"500 InternalError after", retrytest.Reply(500, "InternalError", temporary).AfterEffect(), retry.ServerError, retry.Unknown},
	{"500 InternalServerError", retrytest.Reply(500, "InternalServerError", temporary), retry.ServerError, retry.Unknown},
	{"500 InternalServerError after", retrytest.Reply(500, "InternalServerError", temporary).AfterEffect(), retry.ServerError, retry.Unknown},
	{"503 JSON", retrytest.Reply(503, "ServiceUnavailable", temporary), retry.Unavailable, retry.Unknown},
	{"503 JSON after", retrytest.Reply(503, "ServiceUnavailable", temporary).AfterEffect(), retry.Unavailable, retry.Unknown},
	{"503 XML", retrytest.Raw(503, "text/xml", xmlReply), retry.Unavailable, retry.Unknown},
	{"503 XML after", retrytest.Raw(503, "text/xml", xmlReply).AfterEffect(), retry.Unavailable, retry.Unknown},
	{"503 HTML", retrytest.Raw(503, "text/html", gatewayPage), retry.Unavailable, retry.Unknown},
	{"503 HTML after", retrytest.Raw(503, "text/html", gatewayPage).AfterEffect(), retry.Unavailable, retry.Unknown},
	{"503 empty", retrytest.Raw(503, "", ""), retry.Unavailable, retry.Unknown},
	{"503 empty after", retrytest.Raw(503, "", "").AfterEffect(), retry.Unavailable, retry.Unknown},

	// The network's, and whatever stands between.
	{"refused", refused, retry.NoResponse, retry.NotDone},
	{"reset", retrytest.Reset(), retry.NoResponse, retry.Unknown},
	{"reset after", retrytest.Reset().AfterEffect(), retry.NoResponse, retry.Unknown},
	{"closed", retrytest.Close(), retry.NoResponse, retry.Unknown},
	{"closed after", retrytest.Close().AfterEffect(), retry.NoResponse, retry.Unknown},
	{"no reply after", retrytest.Hang().AfterEffect(), retry.NoResponse, retry.Unknown},
	{"cut off", retrytest.CutOff(), retry.NoResponse, retry.Unknown},
	{"chunked, cut off", retrytest.CutOffChunked(), retry.NoResponse, retry.Unknown},
	{"unbounded, cut off", retrytest.CutOffClose(), retry.NoResponse, retry.Unknown},
	{"200 login page", retrytest.Raw(200, "text/html", loginPage), retry.NoResponse, retry.Unknown},
	{"200 login page after", retrytest.Raw(200, "text/html", loginPage).AfterEffect(), retry.NoResponse, retry.Unknown},

	// The 4xx that ask for patience. Only that of a token in work leaves a doubt.
	{"LastTokenProcessing", retrytest.Reply(403, "LastTokenProcessing", processing), retry.InProgress, retry.Unknown},
	{"SignatureNonceUsed", retrytest.Reply(400, "SignatureNonceUsed", "Specified signature nonce was used already."), retry.NonceUsed, retry.Unknown},
	{"IdempotenceProcessing", retrytest.Reply(400, "IdempotenceProcessing", processing), retry.InProgress, retry.Unknown},
	{"400 ServiceUnavailable", retrytest.Reply(400, "ServiceUnavailable", temporary), retry.Busy, retry.NotDone},
	{"SystemBusy", retrytest.Reply(400, "SystemBusy", "The system is busy."), retry.Busy, retry.NotDone},
	conflict,
	chinese,
	{"Throttling", retrytest.Reply(400, "Throttling", throttled), retry.Throttled, retry.NotDone},
	{"Throttling.User", retrytest.Reply(400, "Throttling.User", throttled), retry.Throttled, retry.NotDone},
	{"429", retrytest.Reply(429, "TooManyRequests", throttled), retry.Throttled, retry.NotDone},
}

// conflict and chinese ask for patience by their message alone, which is believed only
// where repeating is safe anyway.
var (
	conflict = fault{"409 OperationConflict", retrytest.Reply(409, "OperationConflict",
		"The operation conflicts with another one, please try again later."), retry.Busy, retry.NotDone}
	chinese = fault{"系统繁忙", retrytest.Reply(400, "OperationFailed", "系统繁忙，请稍后重试"), retry.Busy, retry.NotDone}
)

// rejections are final: no repetition mends them, whatever their messages sound like.
var rejections = []fault{
	rejection(400, "MissingParameter", `The input parameter "CidrBlock" that is mandatory for processing this request is not supplied.`),
	rejection(403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM."),
	rejection(404, "InvalidVpcId.NotFound", "Specified value of VpcId is not found in our record."),
	rejection(403, "QuotaExceeded.ScalingGroup", "Scaling group quota exceeded in the specified region."),
	rejection(400, "IncorrectStatus", "The current status of the resource does not support this operation."),
	rejection(400, "InvalidEndTime", "EndTime must be later than StartTime."),
	rejection(429, "PrepaidBillOverdue", "The prepaid bill is overdue."),
}

func rejection(status int, code, message string) fault {
	return fault{code, retrytest.Reply(status, code, message), retry.Rejected, retry.NotDone}
}
