package retry

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/token"
)

// assignToken settles the call's client token and whether the call is replay-safe. It
// returns the body to send.
func (c *call) assignToken(body []byte) ([]byte, error) {
	inJSON, err := c.jsonTokens(body)
	if err != nil {
		return nil, err
	}
	own, err := ownToken(c.request.Query, c.request.Form, inJSON)
	if err != nil {
		return nil, err
	}
	c.token = own
	given, _ := c.caller.Value(tokenKey{}).(*bound)
	switch {
	case given != nil:
		if err := token.Validate(given.to); err != nil {
			return nil, err
		}
		switch {
		case own != "" && own != given.to:
			return nil, fmt.Errorf("%w: one in the request, another in its context", ErrTokenConflict)
		case c.contradictory:
			return nil, fmt.Errorf("%w: its name and its path do not belong together", ErrNoToken)
		case c.operation.Token == NoToken:
			return nil, ErrNoToken
		}
		c.token = given.to
	case own == "" && !c.dryRun && c.operation.Token.parameter() != "" && c.keyed == nil:
		// Also where the caller vouches for a replay: then a second effect would do no
		// harm, and with the token there is none.
		c.token = token.New()
	}
	if err := c.begin(body); err != nil {
		return nil, err
	}
	_, vouched := c.caller.Value(replaySafeKey{}).(bool)
	// A token of the caller's for an operation that is known to take none is sent, since
	// the caller wants it so, and protects from nothing.
	protected := c.token != "" && c.operation.Token != NoToken
	c.replaySafe = c.readOnly || c.dryRun || vouched || protected || c.operation.Safety == ReplaySafe
	if c.token == "" {
		return body, nil
	}
	return c.placeToken(body, inJSON), nil
}

// placeToken writes the call's token into the request: into every token parameter of query
// and form that is there and, where the operation's own is not among them, as a new one. An
// empty one that stayed in the form would hide a token in the query.
func (c *call) placeToken(body []byte, inJSON []openapi.Param) []byte {
	r := &c.request
	name, place := c.tokenPlace(body)
	parts := [...]*[]openapi.Param{openapi.Query: &r.Query, openapi.Form: &r.Form}
	var changed [len(parts)]bool
	set := func(at openapi.Place, name string) {
		*parts[at] = openapi.SetParam(*parts[at], name, c.token)
		changed[at] = true
	}
	placed := false
	for at, params := range parts {
		at := openapi.Place(at)
		for i := 0; i < len(*params); i++ {
			p := &(*params)[i]
			if !p.IsToken() {
				continue
			}
			// A gateway takes the parameters of the RPC style from either part.
			placed = placed || name == "" || p.Name() == name && (r.Style == openapi.RPC || at == place)
			if !p.Is(c.token) {
				set(at, p.Name())
				i = -1 // it may have taken others away
			}
		}
	}
	if name == "" { // of an unknown operation: where its caller has it
		name, placed = "ClientToken", placed || len(inJSON) > 0
	}
	if !placed {
		set(place, name)
	}
	if changed[openapi.Query] && r.Style != openapi.RPC { // there, the signer writes the query
		url := *c.wire.URL
		url.RawQuery = openapi.JoinParams(r.Query)
		c.changeWire(func(w *http.Request) { w.URL = &url })
	}
	if changed[openapi.Form] {
		body = []byte(openapi.JoinParams(r.Form))
		c.changedForm(body)
	}
	return body
}

// tokenPlace returns the parameter and the part of the request that the operation takes
// its token in; the name is "" where that is not known.
func (c *call) tokenPlace(body []byte) (name string, place openapi.Place) {
	name = c.operation.Token.parameter()
	switch {
	case c.operation.Token == TokenInForm && c.method != http.MethodGet && c.method != http.MethodHead &&
		(c.request.Form != nil || c.method == http.MethodPost && len(body) == 0):
		return name, openapi.Form
	case c.request.Style != openapi.RPC:
		return name, openapi.Query
	}
	return name, c.request.System
}

// changedForm makes the headers of the wire copy fit a form that is not the caller's.
func (c *call) changedForm(form []byte) {
	const formType = "application/x-www-form-urlencoded"
	h := c.wire.Header.Clone()
	typed := false
	for key, values := range h {
		switch {
		case strings.EqualFold(key, "Content-Type"):
			if typed = len(values) > 0 && strings.HasPrefix(strings.ToLower(values[0]), formType); !typed {
				delete(h, key)
			}
		case strings.EqualFold(key, "Content-MD5"):
			sum := md5.Sum(form)
			h[key] = []string{base64.StdEncoding.EncodeToString(sum[:])}
		}
	}
	if !typed {
		h.Set("Content-Type", formType)
	}
	c.changeWire(func(w *http.Request) { w.Header = h })
}

// jsonTokens returns the token parameters of a body that is a JSON object; an empty one,
// or one that is no string, counts as none. Of two in one body nobody could say which the
// server reads, so they must not differ.
func (c *call) jsonTokens(body []byte) ([]openapi.Param, error) {
	if c.request.Form != nil || !bytes.Contains(body, []byte("lientToken")) {
		return nil, nil
	}
	found := openapi.JSONMembers(body, openapi.IsTokenName)
	for _, p := range found {
		if p.Value() != found[0].Value() {
			return nil, fmt.Errorf("%w in one body", ErrTokenConflict)
		}
	}
	if len(found) > 0 && found[0].Value() == "" {
		return nil, nil
	}
	return found, nil
}

// ownToken returns the caller's own token, which may stand in several parts of a request
// and in either spelling; an empty one counts as none.
func ownToken(parts ...[]openapi.Param) (string, error) {
	own := ""
	for _, params := range parts {
		for i := range params {
			switch p := &params[i]; {
			case !p.IsToken(), p.Is(""):
			case own != "" && !p.Is(own):
				return "", fmt.Errorf("%w in one request", ErrTokenConflict)
			default:
				own = p.Value()
			}
		}
	}
	if own == "" {
		return "", nil
	}
	return own, token.Validate(own)
}
