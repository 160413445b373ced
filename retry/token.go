package retry

import (
	"fmt"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/token"
)

// assignToken settles the call's client token and whether the call is replay-safe. It
// returns the body to send.
func (c *call) assignToken(body []byte) ([]byte, error) {
	r := &c.request
	product, parameter, _ := openapi.Lookup(r.Version, r.Action)
	c.operation = Operation{product, r.Version, r.Action}
	c.readOnly = isReadOnly(r.Action)
	own, err := requestToken(r)
	if err != nil {
		return nil, err
	}
	c.token = own
	given, _ := c.caller.Value(tokenKey{}).(*boundToken)
	switch {
	case given != nil:
		if err := token.Validate(given.token); err != nil {
			return nil, err
		}
		if own != "" && own != given.token {
			return nil, fmt.Errorf("%w: one in the request, another in its context", ErrTokenConflict)
		}
		c.token = given.token
	case own == "" && parameter != "":
		// Also where the caller vouches for a replay: then a second effect would do no
		// harm, and with the token there is none.
		c.token = token.New()
	}
	_, vouched := c.caller.Value(replaySafeKey{}).(bool)
	dryRun, _ := r.Param("DryRun")
	c.replaySafe = c.readOnly || c.token != "" || vouched || strings.EqualFold(dryRun, "true")
	if c.token == "" {
		return body, nil
	}
	return c.placeToken(body, parameter), nil
}

// placeToken writes the call's token into the wire copy: into every token parameter that
// is there and, where none has the name that the operation knows, as a new one beside
// Action. An empty one that stayed in the form would hide a token in the query.
func (c *call) placeToken(body []byte, name string) []byte {
	if name == "" {
		name = "ClientToken"
		if _, ok := c.request.Param("clientToken"); ok { // an unknown operation, and its caller's spelling
			name = "clientToken"
		}
	}
	query, form := c.wire.URL.RawQuery, ""
	if c.request.Form != nil {
		form = string(body)
	}
	parts := [...]struct {
		raw    *string
		params []openapi.Param
	}{openapi.Query: {&query, c.request.Query}, openapi.Form: {&form, c.request.Form}}
	placed := false
	for _, part := range parts {
		for _, p := range part.params {
			if !isToken(p.Name) {
				continue
			}
			placed = placed || p.Name == name
			if p.Value != c.token {
				*part.raw = openapi.SetParam(*part.raw, p.Name, c.token)
			}
		}
	}
	if !placed {
		system := parts[c.request.System].raw
		*system = openapi.SetParam(*system, name, c.token)
	}
	if query != c.wire.URL.RawQuery {
		url := *c.wire.URL
		url.RawQuery = query
		c.wire.URL = &url
	}
	if c.request.Form != nil && form != string(body) {
		return []byte(form)
	}
	return body
}

func isToken(name string) bool { return name == "ClientToken" || name == "clientToken" }

// requestToken returns the caller's own token in a request, in either spelling; an
// empty one counts as none.
func requestToken(r *openapi.Request) (string, error) {
	own := ""
	for _, params := range [...][]openapi.Param{r.Query, r.Form} {
		for _, p := range params {
			switch {
			case p.Value == "" || !isToken(p.Name):
			case own != "" && own != p.Value:
				return "", fmt.Errorf("%w in one request", ErrTokenConflict)
			default:
				own = p.Value
			}
		}
	}
	if own == "" {
		return "", nil
	}
	return own, token.Validate(own)
}

// isReadOnly reports whether an operation has no effect to lose or to double, by its
// verb. In doubt it is a write.
func isReadOnly(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "List")
}
