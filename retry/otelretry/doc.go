// Package otelretry gives OpenTelemetry spans and metrics of the calls of a
// [retry.Transport]. It is a module of its own, so that programs without OpenTelemetry do
// not inherit it.
//
//	safe, err := retry.Wrap(client, credential, func(t *retry.Transport) {
//		t.Trace = otelretry.NewTrace()
//	})
//
// # Spans
//
// Each logical call has one span, which is a child of the span in the caller's context and
// carries the operation's name, such as "Ess.CreateScalingGroup". Its kind is internal: it
// stands for no request of its own. Each attempt is a child of it, of kind client, with the
// same name and " attempt" behind it. A call that was refused unsent has a span without
// attempts. Each delay before an attempt is an event, "aliretry.wait", of the call's span.
//
//	attribute                  on              what
//	aliyun.product             both            such as "Ess"; absent where it is not known
//	aliyun.version             both            such as "2014-08-28"
//	aliyun.action              both            such as "CreateScalingGroup"; absent where it is not known
//	aliyun.client_token        call            absent if the call carries none; it is no secret
//	aliretry.outcome           call            what is known of the effect: see retry.Outcome
//	aliretry.attempt_count     call            0 if nothing was sent
//	aliretry.reason            call            why the call ended, in words for people
//	aliretry.class             attempt, event  what the attempt came to: see retry.Class
//	aliyun.request_id          attempt         the server's name for the attempt
//	aliyun.error_code          attempt         the API's error code
//	http.request.method        attempt         as sent
//	url.scheme                 attempt         http or https
//	server.address             attempt         the endpoint's host
//	server.port                attempt         the endpoint's port
//	http.response.status_code  attempt         absent if no reply came
//	http.request.resend_count  attempt         counted from 1; absent on the first attempt
//	aliretry.wait.duration     event           the delay that begins, in seconds
//	error.type                 both            absent on success, see below
//
// The status of a span is Error if the attempt, or the call, failed, and unset otherwise.
// The description of an attempt's is its error or the API's message, that of a call's is its
// reason. An attempt's error.type is its class. A call's is the class of its last attempt,
// Canceled where the caller's context ended a delay, NotSent where nothing was sent, and
// _OTHER where another layer had sent the call before.
//
// The conventions for HTTP ask for url.full as well, which is left out: the whole of it is
// the signed request. The attributes of the operation and the endpoint, the client token and
// http.request.resend_count are there when a sampler decides.
//
// # Metrics
//
//	name                       kind       unit       by
//	aliretry.calls             counter    {call}     operation, aliretry.outcome, error.type
//	aliretry.call.duration     histogram  s          likewise
//	aliretry.attempts          counter    {attempt}  operation, aliretry.class, http.response.status_code
//	aliretry.attempt.duration  histogram  s          likewise
//	aliretry.retries           counter    {retry}    operation, aliretry.class of the attempt before
//	aliretry.wait.duration     histogram  s          likewise; what was really waited
//
// Operation stands for aliyun.product, aliyun.version and aliyun.action. No token, request
// ID, error code or nonce is in a metric, so there are as many series as operations that
// the program calls, times what they come to.
//
// # Secrets
//
// Nothing here records a URL, a header, or a parameter other than the client token. Errors
// and messages are those that the Trace gives, which hold no secrets, less the URL that an
// error may be wrapped in.
package otelretry
