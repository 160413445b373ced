package retry

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// resolve settles what is known of the call's operation, and with it the attempt timeout:
// what the policy says of the operation, of all, what the caller asks for, what the
// catalogue says, the default.
func (c *call) resolve(asked time.Duration) {
	r := &c.request
	host := cmp.Or(c.wire.Host, c.wire.URL.Host)
	e, known := c.catalogued(host)
	o := fromEntry(r.Version, r.Action, e, known)
	byName := o // as Lookup has it, so that an entry made from it says nothing new
	if !methodFits(r.ByPath, c.method, o.Safety) {
		o.Safety = Unsafe
	}
	timeout := cmp.Or(c.policy.AttemptTimeout, asked, o.AttemptTimeout, defaultAttemptTimeout)
	if u := c.policy.operation(&o, host); u != nil {
		o.Product = cmp.Or(u.Product, o.Product)
		o.RetryableCodes = slices.Clone(u.RetryableCodes) // an Info shows it to anybody
		if u.AttemptTimeout != byName.AttemptTimeout {
			timeout = cmp.Or(u.AttemptTimeout, timeout)
		}
		if !c.contradictory {
			o.Token = cmp.Or(u.Token, o.Token)
			if !known || u.Safety != byName.Safety {
				o.Safety = cmp.Or(u.Safety, o.Safety)
			}
			known = known || u.Token != TokenUnknown || u.Safety != SafetyUnknown
		}
	}
	o.AttemptTimeout, c.policy.AttemptTimeout = timeout, timeout
	c.operation = o
	c.dryRun = isDryRun(r, e.DryRun, known)
	c.readOnly = o.Safety == ReadOnly || c.dryRun && known
}

// catalogued looks the operation up. Where the servers go by method and path, these
// outrank a name that belongs elsewhere. A name that is known, on a path that is not,
// contradicts it, and the request may do anything; so may a path that is known under a
// name that is not, but that may be a newer operation, whose path fits an older pattern.
func (c *call) catalogued(host string) (e catalogue.Entry, known bool) {
	r := &c.request
	if e, known = catalogue.Lookup(r.Version, r.Action, host); !r.ByPath {
		return e, known
	}
	routed := catalogue.Route(r.Version, c.method, c.wire.URL.EscapedPath())
	switch {
	case routed == r.Action, routed == "" && !known:
		return e, known
	case routed == "":
		c.contradictory = true
		return catalogue.Entry{Token: catalogue.NoToken, Safety: catalogue.Unsafe, Timeout: e.Timeout}, true
	case r.Action != "" && !known:
		if e, _ = catalogue.Lookup(r.Version, routed, host); e.Token != catalogue.NoToken {
			e.Token = catalogue.TokenUnknown // a newer operation need not take what the older one does
		}
		return catalogue.Entry{Token: e.Token, Safety: catalogue.Unsafe}, true
	}
	r.Action = routed
	return catalogue.Lookup(r.Version, r.Action, host)
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
func isDryRun(r *openapi.Request, how catalogue.DryRun, known bool) bool {
	upper := how == catalogue.UpperDryRun || !known
	lower := how == catalogue.LowerDryRun || !known
	if !r.ByPath {
		return upper && isTrue(openapi.DryRun, r.Query, r.Form)
	}
	return upper && isTrue(openapi.DryRun, r.Form) || lower && isTrue(openapi.LowerDryRun, r.Query)
}

// isTrue reports whether a parameter is there and true, everywhere that it stands.
func isTrue(role openapi.Role, parts ...[]openapi.Param) bool {
	found := false
	for _, params := range parts {
		for i := range params {
			if params[i].Role != role {
				continue
			}
			if !strings.EqualFold(params[i].Value(), "true") {
				return false
			}
			found = true
		}
	}
	return found
}
