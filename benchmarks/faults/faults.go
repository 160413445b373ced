package main

import (
	"github.com/aliretry/aliretry/benchmarks/client"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// clients are those that meet the faults, with what a reader has to know of each.
var clients = []client.Client{
	client.V1,
	client.V1AutoRetry,
	client.V1AutoRetryToken,
	client.V1Loop,
	client.V2,
	client.V2Retry,
	client.V2RetryToken,
	client.RetryableHTTP,
	client.RetryableHTTPSigning,
	client.FailsafeHTTP,
	client.Azcore,
	client.V1Wrapped,
	client.V1DoAction,
	client.V2Transport,
	client.Transport,
}

// fault is what befalls the first attempt of a call.
type fault struct {
	name, what string
	play       retrytest.Fault
}

var faults = []fault{
	{"503", "503 ServiceUnavailable, nothing was done",
		retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")},
	{"500", "500 InternalError, nothing was done",
		retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error.")},
	{"400 Thr.", "400 Throttling.User, nothing was done",
		retrytest.Reply(400, "Throttling.User", "Request was denied due to user flow control.")},
	{"429", "429 Throttling, nothing was done",
		retrytest.Reply(429, "Throttling", "Request was denied due to request throttling.")},
	{"closed*", "the work was done, and the connection closed without a reply",
		retrytest.Close().AfterEffect()},
	{"cut off*", "the work was done, and the reply, a 200, ends in the middle of its body",
		retrytest.CutOff()},
	{"502*", "the work was done, and a proxy answers with a 502 and a page of HTML",
		retrytest.Raw(502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>").AfterEffect()},
}
