package retry

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// resolve settles what is known of the call's operation, and with it the attempt timeout:
// what the policy says of the operation, of all, what the catalogue says, the default.
func (c *call) resolve(req *http.Request) {
	r := &c.request
	e, known := c.catalogued(req)
	o := fromEntry(r.Version, r.Action, e, known)
	if r.Style == openapi.ROA && !methodFits(c.wire.Method, o.Safety) {
		o.Safety = Unsafe
	}
	timeout := cmp.Or(c.policy.AttemptTimeout, o.AttemptTimeout, defaultAttemptTimeout)
	if u := c.policy.operation(&o); u != nil {
		o.Product = cmp.Or(u.Product, o.Product)
		o.Token = cmp.Or(u.Token, o.Token)
		o.Safety = cmp.Or(u.Safety, o.Safety)
		o.RetryableCodes = u.RetryableCodes
		timeout = cmp.Or(u.AttemptTimeout, timeout)
	}
	o.AttemptTimeout, c.policy.AttemptTimeout = timeout, timeout
	c.operation = o
	c.dryRun = isDryRun(r, e.DryRun, known)
	c.readOnly = o.Safety == ReadOnly || c.dryRun && known
}

// catalogued looks the operation up. In the ROA style the servers go by method and path:
// these outrank a name that belongs elsewhere, and where they are not known, such a name
// says nothing. A name that is not known either is the caller's word, as it may be newer
// than the catalogue.
func (c *call) catalogued(req *http.Request) (e catalogue.Entry, known bool) {
	r := &c.request
	if e, known = catalogue.Lookup(r.Version, r.Action, req.URL.Host); r.Style != openapi.ROA {
		return e, known
	}
	routed := catalogue.Route(r.Version, c.wire.Method, req.URL.EscapedPath())
	switch {
	case routed == r.Action, r.Action != "" && !known:
		return e, known
	case routed == "":
		return catalogue.Entry{Safety: catalogue.Unsafe}, true
	}
	r.Action = routed
	return catalogue.Lookup(r.Version, r.Action, req.URL.Host)
}

// methodFits reports whether a ROA request's method bears out what its name says.
func methodFits(method string, s Safety) bool {
	switch s {
	case ReadOnly:
		return method == http.MethodGet || method == http.MethodHead
	case ReplaySafe:
		return method == http.MethodPut || method == http.MethodDelete
	}
	return true
}

// isDryRun reports whether a request asks not to be carried out, in the way that its
// operation understands: any other would be passed over. Of an operation that is not
// known the caller's word is taken.
func isDryRun(r *openapi.Request, how catalogue.DryRun, known bool) bool {
	value := ""
	switch {
	case r.Style == openapi.RPC && (how == catalogue.UpperDryRun || !known):
		value, _ = r.Param("DryRun")
	case how == catalogue.UpperDryRun:
		value = r.In(openapi.Form, "DryRun")
	case how == catalogue.LowerDryRun:
		value = r.In(openapi.Query, "dryRun")
	case !known:
		value = cmp.Or(r.In(openapi.Query, "dryRun"), r.In(openapi.Form, "DryRun"))
	}
	return strings.EqualFold(value, "true")
}
