package otelretry

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/aliretry/aliretry/retry"
)

// Attributes that are not OpenTelemetry's: aliyun is what the API names, aliretry what
// this library does.
const (
	productKey     = attribute.Key("aliyun.product")
	versionKey     = attribute.Key("aliyun.version")
	actionKey      = attribute.Key("aliyun.action")
	clientTokenKey = attribute.Key("aliyun.client_token")
	requestIDKey   = attribute.Key("aliyun.request_id")
	errorCodeKey   = attribute.Key("aliyun.error_code")
	outcomeKey     = attribute.Key("aliretry.outcome")
	attemptsKey    = attribute.Key("aliretry.attempt_count")
	reasonKey      = attribute.Key("aliretry.reason")
	classKey       = attribute.Key("aliretry.class")
	waitKey        = attribute.Key("aliretry.wait.duration")
)

// Values of error.type where no class of an attempt tells it.
const notSent = "NotSent"

var other = semconv.ErrorTypeOther.Value.AsString()

// clean makes a text valid UTF-8: requests and replies may hold any bytes, and exporters
// drop a whole batch for one text that is not.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// appendText appends an attribute that is absent where there is no text.
func appendText(to []attribute.KeyValue, key attribute.Key, text string) []attribute.KeyValue {
	if text == "" {
		return to
	}
	return append(to, key.String(clean(text)))
}

// operationAttributes are the identity of an operation, in spans and metrics alike.
func operationAttributes(o retry.Operation) []attribute.KeyValue {
	a := appendText(make([]attribute.KeyValue, 0, 3), productKey, o.Product)
	a = appendText(a, versionKey, o.Version)
	return appendText(a, actionKey, o.Action)
}

// endpointAttributes are what the conventions ask of the span of an HTTP request.
func endpointAttributes(i retry.Info) []attribute.KeyValue {
	a := appendText(make([]attribute.KeyValue, 0, 4), semconv.HTTPRequestMethodKey, i.Method)
	a = appendText(a, semconv.URLSchemeKey, i.Scheme)
	host, port, err := net.SplitHostPort(i.Host)
	if err != nil {
		host, port = strings.Trim(i.Host, "[]"), map[string]string{"http": "80", "https": "443"}[i.Scheme]
	}
	a = appendText(a, semconv.ServerAddressKey, host)
	if n, err := strconv.Atoi(port); err == nil {
		a = append(a, semconv.ServerPort(n))
	}
	return a
}

// spanName is the name of a call's span. It has few values, as an operation has.
func spanName(o retry.Operation) string {
	switch {
	case o.Action == "" && o.Product == "":
		return "aliretry call"
	case o.Action == "":
		return clean(o.Product)
	case o.Product == "":
		return clean(o.Action)
	}
	return clean(o.Product + "." + o.Action)
}

// resultAttributes are what an attempt came to, in spans and metrics alike.
func resultAttributes(a retry.Attempt) []attribute.KeyValue {
	r := []attribute.KeyValue{classKey.String(a.Class.String())}
	if a.Status != 0 {
		r = append(r, semconv.HTTPResponseStatusCode(a.Status))
	}
	return r
}

// description says what went wrong in an attempt. Some base transports name the URL, whose
// path may tell more than the operation does.
func description(a retry.Attempt) string {
	err := a.Err
	if u := (*url.Error)(nil); errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	if err != nil {
		return clean(err.Error())
	}
	return clean(a.Message)
}

// errorType is what a call failed with, "" if it did not. The classes are better than
// statuses, which an attempt without a reply has none of, and which are 400 for throttling
// and for a bad parameter alike.
func errorType(i retry.Info, canceledWait bool) string {
	n := len(i.Attempts)
	switch {
	case i.Replayed:
		return ""
	case n == 0 && i.Outcome == retry.NotDone:
		return notSent
	case n == 0:
		return other
	case i.Attempts[n-1].Class == retry.Success:
		return ""
	case canceledWait:
		return retry.Canceled.String()
	}
	return i.Attempts[n-1].Class.String()
}
