package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
)

// Causes of an *[Error]. A call that is refused for the first six was not sent, and its
// Outcome is NotDone.
var (
	// ErrTokenConflict: the request carries two different client tokens, or another one
	// than its context (WithToken).
	ErrTokenConflict = errors.New("two different client tokens")
	// ErrTokenReused: the context's token (WithToken) has served a call with another
	// operation or other parameters.
	ErrTokenReused = errors.New("the context's client token belongs to another call")
	// ErrNoToken: the context has a client token (WithToken), and the operation is known to
	// take none, or is named otherwise than its path says. Where the catalogue is behind,
	// Policy.Operations can tell it better.
	ErrNoToken = errors.New("the operation takes no client token")
	// ErrAccount: the request was signed with another AccessKey than the Transport's.
	ErrAccount = errors.New("request was signed with the AccessKey of another account")
	// ErrBody: the request's body cannot be read, or is longer than Policy.MaxBody.
	ErrBody = errors.New("unusable request body")
	// ErrRequest: the request is not one to an Alibaba Cloud API, or cannot be signed.
	ErrRequest = errors.New("unusable request")
	// ErrCredentials: the credentials are missing, or their provider failed. That may
	// also happen before a later attempt; the Outcome tells what is known then.
	ErrCredentials = errors.New("no usable credentials")
	// ErrRedirect: http.Client followed a redirect. The call was answered already, its
	// Info comes with the error, and a redirect is never followed: it would turn a POST
	// into a GET and show the signed URL to another host.
	ErrRedirect = errors.New("redirects are not followed")
	// ErrLayered: another layer of retry would make several logical calls, each with a client
	// token of its own, of one. Nothing was sent. It is one of three:
	//
	// AutoRetry of a wrapped client's Config has been switched on again. The SDK then tries
	// in vain as often as it is set to, and gives the *Error as the OriginError of a
	// *errors.ClientError of its own, past which [errors.Is] does not see and [InfoOf] does.
	//
	// A Transport's attempt was sent through another Transport, its Base or a part of it.
	//
	// RetryOptions of the V2 SDK, which says of a repeated try that it is one as of version
	// 2.2.4. The try before it was a call of its own: unless the operation only reads the
	// Outcome is Unknown, and what is known of that call went to its CallEnd.
	ErrLayered = errors.New("another layer of retry")
)

// Error is the error of a logical call: what is known about it, and what went wrong.
// [errors.Is] and [errors.As] find the last cause, and the context's error where time
// was the reason, also when the call ended early because a deadline was near.
type Error struct {
	Info
	Err error // the last cause; never nil

	stopErr error // why there was no other attempt: the context's error, or ErrBudget
}

// Error says what happened, in one line without secrets.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("aliretry: ")
	if e.Operation.Action != "" {
		b.WriteString(e.Operation.Action + ": ")
	}
	switch n := len(e.Attempts); {
	case n == 0 && (e.Outcome == NotDone || e.Key != ""):
		b.WriteString("not sent")
		if e.Outcome != NotDone {
			fmt.Fprintf(&b, ", and the outcome of its key is %v", e.Outcome)
		}
		if b.WriteString(": "); isForeign(e.Err) {
			b.WriteString(scrub(causeOf(e.Err)))
		} else {
			b.WriteString(e.Err.Error())
		}
		return b.String()
	case n == 1:
		fmt.Fprintf(&b, "outcome %v after 1 attempt", e.Outcome)
	default:
		fmt.Fprintf(&b, "outcome %v after %d attempts", e.Outcome, n)
	}
	if e.ClientToken != "" {
		fmt.Fprintf(&b, " under client token %s", e.ClientToken)
	}
	var server *sdkerrors.ServerError
	cause := scrub(causeOf(e.Err))
	if n := len(e.Attempts); n > 0 && !isForeign(e.Err) && errors.As(e.Err, &server) {
		last := &e.Attempts[n-1]
		cause = (&answerError{last.Status, last.Code, last.Message}).Error()
	}
	if strings.HasSuffix(e.Reason, cause) {
		fmt.Fprintf(&b, " (%s)", e.Reason)
	} else {
		fmt.Fprintf(&b, " (%s): %s", e.Reason, cause)
	}
	return b.String()
}

// causeOf is the text of an error but for the SDK's own errors, which have many lines: all of
// the reply's headers, or a part of its body, which may be a secret.
func causeOf(err error) string {
	var server *sdkerrors.ServerError
	var client *sdkerrors.ClientError
	of := ""
	for _, foreign := range notTheCalls {
		if errors.Is(err, foreign) {
			of = foreign.Error() + ": "
		}
	}
	switch {
	case errors.As(err, &server):
		return of + server.ErrorCode()
	case errors.As(err, &client):
		return of + client.ErrorCode()
	}
	return err.Error()
}

// notTheCalls are causes in which an error of the SDK's is what a provider, a limiter or a journal
// met in calls of its own, and no answer to this one.
var notTheCalls = [...]error{ErrCredentials, ErrLimiter, ErrJournal}

func isForeign(err error) bool {
	return slices.ContainsFunc(notTheCalls[:], func(of error) bool { return errors.Is(err, of) })
}

// Format implements [fmt.Formatter]: every verb shows the text of [Error.Error], also of an
// Error that is no pointer, whose fields hold the SDK's errors and what these quote.
func (e Error) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.Error()) }

// Unwrap returns the last cause and, where time was the reason, the context's error, or
// [ErrBudget] where that was.
func (e *Error) Unwrap() []error {
	if e.stopErr == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.stopErr}
}

// Timeout reports whether the call, or without an end of its context the last attempt, ended
// for want of time.
func (e *Error) Timeout() bool {
	return isTimeout(e.stopErr) || !errors.Is(e.stopErr, context.Canceled) && isTimeout(e.Err)
}

// InfoOf returns what is known about the call that err came from: err is, or wraps, an
// *Error or the SDK's ServerError, or is a ClientError of the SDK's that was caused by one.
// It returns false for any other error. From a ServerError, the attempts come without their
// Message and Err.
func InfoOf(err error) (Info, bool) {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.Info, true
	}
	var client *sdkerrors.ClientError
	if errors.As(err, &client) {
		if i, ok := InfoOf(client.OriginError()); ok {
			return i, true
		}
	}
	var server *sdkerrors.ServerError
	if errors.As(err, &server) {
		return readInfo(server.RespHeaders)
	}
	return Info{}, false
}

// answerError stands for an HTTP answer as the cause of an Error.
type answerError struct {
	status        int
	code, message string
}

func (e *answerError) Error() string {
	if e.code == "" && e.message == "" {
		return fmt.Sprintf("HTTP status %d without an answer of the API", e.status)
	}
	return fmt.Sprintf("HTTP status %d, %s: %s", e.status, e.code, e.message)
}
