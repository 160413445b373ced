package retry

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// resolve settles what is known of the call's operation, and with it the attempt timeout:
// what the policy says of the operation, of all, what the catalogue says, the default.
func (c *call) resolve(req *http.Request) {
	r := &c.request
	host := cmp.Or(req.Host, req.URL.Host)
	e, known, contradictory := c.catalogued(req, host)
	o := fromEntry(r.Version, r.Action, e, known)
	if !methodFits(byPath(r, req), c.wire.Method, o.Safety) {
		o.Safety = Unsafe
	}
	timeout := cmp.Or(c.policy.AttemptTimeout, o.AttemptTimeout, defaultAttemptTimeout)
	if u := c.policy.operation(&o, host); u != nil && !contradictory {
		o.Product = cmp.Or(u.Product, o.Product)
		o.Token = cmp.Or(u.Token, o.Token)
		o.Safety = cmp.Or(u.Safety, o.Safety)
		o.RetryableCodes = slices.Clone(u.RetryableCodes) // an Info shows it to anybody
		timeout = cmp.Or(u.AttemptTimeout, timeout)
		known = known || u.Token != TokenUnknown || u.Safety != SafetyUnknown
	}
	o.AttemptTimeout, c.policy.AttemptTimeout = timeout, timeout
	c.operation = o
	c.dryRun = isDryRun(r, byPath(r, req), e.DryRun, known)
	c.readOnly = o.Safety == ReadOnly || c.dryRun && known
}

// byPath reports whether the server tells a request's operation by method and path, as in
// the ROA style; or else by name, as in the RPC style. ACS3 carries operations of both.
func byPath(r *openapi.Request, req *http.Request) bool {
	return r.Style == openapi.ROA || r.Style == openapi.ACS3 && len(req.URL.Path) > len("/")
}

// catalogued looks the operation up. Where the servers go by method and path,
// these outrank a name that belongs elsewhere. Where they are not known, or the name is
// not, the two contradict each other and the request may do anything; but a path that is
// not known with a name that is not known either may be newer than the catalogue.
func (c *call) catalogued(req *http.Request, host string) (e catalogue.Entry, known, contradictory bool) {
	r := &c.request
	if e, known = catalogue.Lookup(r.Version, r.Action, host); !byPath(r, req) {
		return e, known, false
	}
	routed := catalogue.Route(r.Version, c.wire.Method, req.URL.EscapedPath())
	switch {
	case routed == r.Action, routed == "" && !known:
		return e, known, false
	case routed == "":
		return catalogue.Entry{Safety: catalogue.Unsafe}, true, true
	case r.Action != "" && !known: // a newer path may fit an older pattern
		return catalogue.Entry{Safety: catalogue.Unsafe}, true, false
	}
	r.Action = routed
	e, known = catalogue.Lookup(r.Version, r.Action, host)
	return e, known, false
}

// methodFits reports whether a request's method bears out what is known of its operation
// by name.
func methodFits(byPath bool, method string, s Safety) bool {
	switch {
	case s == ReplaySafe:
		return method == http.MethodPut || method == http.MethodDelete
	case s == ReadOnly && byPath:
		return method == http.MethodGet || method == http.MethodHead
	}
	return true
}

// isDryRun reports whether a request asks not to be carried out, in the way that its
// operation understands: any other would be passed over. Of an operation that is not
// known the caller's word is taken.
func isDryRun(r *openapi.Request, byPath bool, how catalogue.DryRun, known bool) bool {
	upper := how == catalogue.UpperDryRun || !known
	lower := how == catalogue.LowerDryRun || !known
	if !byPath {
		return upper && isTrue("DryRun", r.Query, r.Form)
	}
	return upper && isTrue("DryRun", r.Form) || lower && isTrue("dryRun", r.Query)
}

// isTrue reports whether a parameter is there and true, everywhere that it stands.
func isTrue(name string, parts ...[]openapi.Param) bool {
	found := false
	for _, params := range parts {
		for i := range params {
			if params[i].Name != name {
				continue
			}
			if !strings.EqualFold(params[i].Value, "true") {
				return false
			}
			found = true
		}
	}
	return found
}
