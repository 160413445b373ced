package integration

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aliretry/aliretry/retry"
)

// use is what a kind of call does with client tokens.
type use int

const (
	takes   use = iota // one is assigned
	trusts             // the operation is not known: the caller's own is kept and trusted
	ignores            // the operation is known to take none: the caller's own is sent and protects from nothing
	reads              // there is no effect to protect
)

// kind is a way to ask for something: an operation in a signature style.
type kind struct {
	name   string // for the printed plan
	use    use
	method string
	host   string
	path   string // "/" where the operation goes by name
	acs3   bool
	form   bool // all parameters go there
	action string
	when   string // version
	token  string // the parameter's name
}

func (k kind) GoString() string { return k.name }

const (
	essHost = "ess.aliyuncs.com"
	esHost  = "elasticsearch.cn-hangzhou.aliyuncs.com"
	csHost  = "cs.cn-hangzhou.aliyuncs.com"
)

var (
	withToken = []kind{
		{name: "RPC", method: "POST", host: essHost, path: "/", action: "CreateScalingGroup", when: "2014-08-28"},
		{name: "RPC by GET", method: "GET", host: essHost, path: "/", action: "CreateScalingGroup", when: "2014-08-28"},
		{name: "RPC in the form", method: "POST", host: essHost, path: "/", form: true, action: "CreateScalingGroup", when: "2014-08-28"},
		{name: "ACS3", method: "POST", host: essHost, path: "/", acs3: true, action: "CreateScalingGroup", when: "2014-08-28"},
		{name: "ROA", method: "POST", host: esHost, path: "/openapi/instances", action: "CreateInstance", when: "2017-06-13", token: "clientToken"},
	}
	withoutToken = []kind{
		{name: "RPC, takes none", use: ignores, method: "POST", host: essHost, path: "/", action: "DeleteScalingGroup", when: "2014-08-28"},
		{name: "RPC by GET, takes none", use: ignores, method: "GET", host: essHost, path: "/", action: "DeleteScalingGroup", when: "2014-08-28"},
		{name: "ACS3, takes none", use: ignores, method: "POST", host: essHost, path: "/", acs3: true, action: "DeleteScalingGroup", when: "2014-08-28"},
		{name: "ROA, takes none", use: ignores, method: "POST", host: csHost, path: "/clusters", action: "CreateCluster", when: "2015-12-15"},
		{name: "RPC, unknown", use: trusts, method: "POST", host: essHost, path: "/", action: "ThawScalingGroup", when: "2014-08-28"},
		{name: "RPC by GET, unknown", use: trusts, method: "GET", host: essHost, path: "/", action: "ThawScalingGroup", when: "2014-08-28"},
	}
	readOnly = []kind{
		{name: "RPC by GET, reads", use: reads, method: "GET", host: essHost, path: "/", action: "DescribeScalingGroups", when: "2014-08-28"},
		{name: "RPC, reads", use: reads, method: "POST", host: essHost, path: "/", action: "DescribeScalingGroups", when: "2014-08-28"},
		{name: "ACS3, reads", use: reads, method: "GET", host: essHost, path: "/", acs3: true, action: "DescribeScalingGroups", when: "2014-08-28"},
		{name: "ROA, reads", use: reads, method: "GET", host: esHost, path: "/openapi/instances/es-1", action: "DescribeInstance", when: "2017-06-13"},
	}
)

// request builds the call's request, without a signature.
func (c plannedCall) request(ctx context.Context) *http.Request {
	k := c.kind
	params := url.Values{"Name": {c.name}, "Description": {special}}
	if c.token != "" && !c.inContext {
		params.Set(k.tokenName(), c.token)
	}
	byName := k.path == "/" && !k.acs3
	if byName {
		params.Set("Action", k.action)
		params.Set("Version", k.when)
		params.Set("Format", "JSON")
	}
	body, target := "", "http://"+k.host+k.path
	switch {
	case k.form:
		body = params.Encode()
	default:
		target += "?" + params.Encode()
		if k.path != "/" && k.method == "POST" {
			body = jsonBody
		}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	switch {
	case k.form:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case body != "":
		req.Header.Set("Content-Type", "application/json")
	}
	if !byName {
		req.Header.Set("Accept", "application/json")
		req.Header.Set("x-acs-action", k.action)
		req.Header.Set("x-acs-version", k.when)
	}
	if k.path != "/" {
		req.Header.Set("x-acs-signature-version", "1.0")
	}
	return req
}

func (k kind) tokenName() string {
	if k.token != "" {
		return k.token
	}
	return "ClientToken"
}

// protected reports whether repeating the call cannot add an effect.
func (c plannedCall) protected() bool {
	switch c.kind.use {
	case takes, reads:
		return true
	case trusts:
		return c.token != ""
	}
	return false
}

// context returns what the call says of itself by its context.
func (c plannedCall) context(ctx context.Context) context.Context {
	if c.inContext {
		ctx = retry.WithToken(ctx, c.token)
	}
	if c.vouched {
		ctx = retry.WithReplaySafe(ctx)
	}
	return ctx
}
