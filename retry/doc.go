// Package retry calls Alibaba Cloud's APIs safely over an unreliable network: a
// logical call has at most one effect, whatever fails, and its caller always learns
// what is known about it.
//
// [Transport] is an http.RoundTripper. It gives a call one client token, sends it in
// as many attempts as its [Policy] allows, signs each attempt afresh with a new nonce
// and timestamp, and tells apart what may be repeated from what may not. [Wrap] puts
// it under a client of alibaba-cloud-sdk-go in place; [Client.DoAction] is the SDK's
// DoAction with a context.
//
// A call that fails comes back as an *[Error], or as the API's own error reply.
// [InfoOf] tells of both what is known: the [Outcome] and every [Attempt].
package retry
