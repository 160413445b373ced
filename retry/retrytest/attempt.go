package retrytest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const maxBody = 32 << 20

// rpcMethods are those that the documentation names, and the two that a few operations
// of the SDK have besides.
var rpcMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}

// Attempt is one request as it reached the server, and what became of it.
type Attempt struct {
	Number       int       // counted from 1
	Received     time.Time // when it had been read and verified, by the real clock
	Style        string    // the signature style: "RPC", "ROA" or "ACS3"
	Method, Host string
	Path         string // as it came, escaped
	Header       http.Header
	Query, Form  url.Values // as far as they can be read; Form only of a form-encoded body
	Body         []byte     // as it came

	// The common parameters; in the ROA and ACS3 styles those are headers, but for the client token.
	// One that stands in both query and form is read from the query; the form's is then a
	// business parameter of the same name.
	Action, Version, AccessKeyID, ClientToken, Nonce, Signature string
	Timestamp                                                   time.Time // the signing time; zero if it cannot be read

	Problem  string // code with which it was refused; empty if it was not
	Fault    Fault  // the step that it used up, played unless Problem says otherwise
	Effect   bool   // it made a new effect
	Replayed bool   // its work had been done under its token before: the first result was fetched for it
	Status   int    // of the reply; 0 when no whole reply was written
}

func (a Attempt) clone() Attempt {
	a.Header = a.Header.Clone()
	a.Query, a.Form = cloneValues(a.Query), cloneValues(a.Form)
	a.Body = bytes.Clone(a.Body)
	return a
}

func cloneValues(v url.Values) url.Values {
	v = maps.Clone(v)
	for k, list := range v {
		v[k] = slices.Clone(list)
	}
	return v
}

// commonNames are the parameters that every operation takes and that differ, or may
// differ, between two attempts of one call.
var commonNames = map[string]bool{
	"Action": true, "Version": true, "Format": true, "AccessKeyId": true,
	"Signature": true, "SignatureMethod": true, "SignatureVersion": true,
	"SignatureNonce": true, "SignatureType": true, "Timestamp": true, "TimeStamp": true,
	"SecurityToken": true, "BearerToken": true, "ClientToken": true,
}

// readAttempt reads the request whole. The attempt is filled in as far as possible
// even when there is a problem.
func readAttempt(r *http.Request) (Attempt, *problem) {
	body, bodyErr := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	a := Attempt{
		Style:  "RPC",
		Method: r.Method,
		Host:   r.Host,
		Path:   pathOf(r),
		Header: r.Header.Clone(),
		Body:   body,
	}
	var queryErr, formErr error
	a.Query, queryErr = url.ParseQuery(r.URL.RawQuery)
	a.Form = url.Values{}
	if a.formEncoded() {
		a.Form, formErr = url.ParseQuery(string(body))
	}
	var tokens []string
	switch {
	case a.isACS3():
		a.Style = "ACS3"
		a.readACS3()
		tokens = a.anyTokens()
	case strings.HasPrefix(a.Header.Get("Authorization"), acs), a.common("Action") == "" && a.Header.Get("x-acs-version") != "":
		a.Style = "ROA"
		a.readROA()
		tokens = a.anyTokens()
	default:
		a.readRPC()
		tokens = slices.Concat(a.Query["ClientToken"], a.Form["ClientToken"])
	}
	if len(tokens) > 0 {
		a.ClientToken = tokens[0]
	}

	switch {
	case !slices.Contains(a.methods(), r.Method):
		return a, &problem{405, "UnsupportedHTTPMethod", "This http method is not supported."}
	case a.rpc() && r.URL.Path != "/":
		return a, &actionNotFound
	case len(body) > maxBody:
		return a, &problem{413, "RequestEntityTooLarge", "The request body is larger than 32 MiB."}
	case bodyErr != nil:
		return a, &problem{400, "IncompleteBody", "The request body ended too early."}
	case queryErr != nil || formErr != nil:
		return a, &problem{400, "InvalidParameter", "The request parameters are not properly encoded."}
	}
	for _, part := range []url.Values{a.Query, a.Form} {
		for name, values := range part {
			if len(values) > 1 {
				return a, givenTwice(name)
			}
		}
	}
	if len(slices.Compact(tokens)) > 1 {
		return a, givenTwice("ClientToken")
	}
	return a, nil
}

func (a *Attempt) rpc() bool { return a.Style == "RPC" }

func (a *Attempt) methods() []string {
	if a.rpc() {
		return rpcMethods
	}
	return roaMethods
}

// readRPC fills in the common parameters of the RPC style.
func (a *Attempt) readRPC() {
	a.Action, a.Version = a.common("Action"), a.common("Version")
	a.AccessKeyID = a.common("AccessKeyId")
	a.Nonce, a.Signature = a.common("SignatureNonce"), a.common("Signature")
	if t, ok := parseTimestamp(a.timestamp()); ok {
		a.Timestamp = t
	}
}

func givenTwice(name string) *problem {
	return &problem{400, "InvalidParameter", fmt.Sprintf("The specified parameter %q is given twice.", name)}
}

func (a *Attempt) formEncoded() bool {
	t, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return err == nil && t == "application/x-www-form-urlencoded"
}

// common returns a common parameter, which may stand in the query or in the form.
func (a *Attempt) common(name string) string {
	if a.Query.Has(name) {
		return a.Query.Get(name)
	}
	return a.Form.Get(name)
}

// hasCommon reports whether a common parameter is there at all.
func (a *Attempt) hasCommon(name string) bool { return a.Query.Has(name) || a.Form.Has(name) }

// timestamp returns the time parameter, which has two spellings.
func (a *Attempt) timestamp() string {
	if t := a.common("Timestamp"); t != "" {
		return t
	}
	return a.common("TimeStamp")
}

// json reports whether the reply is wanted in JSON. In the RPC style, XML is what the
// service gives to those who do not ask.
func (a *Attempt) json() bool {
	if !a.rpc() {
		return !strings.Contains(a.Header.Get("Accept"), "xml")
	}
	return strings.EqualFold(a.common("Format"), "JSON")
}

// business returns the parameters that say what is to be done.
func (a *Attempt) business() url.Values {
	if !a.rpc() {
		return a.anyParams()
	}
	params := url.Values{}
	for name, values := range a.Query {
		if !commonNames[name] {
			params[name] = slices.Clone(values)
		}
	}
	for name, values := range a.Form {
		if !commonNames[name] || a.Query.Has(name) && name != "ClientToken" {
			params[name] = slices.Clone(values)
		}
	}
	return params
}

// call says in one string what the attempt asks for: two attempts of one call give
// the same.
func (a *Attempt) call() string {
	call := a.Action + " " + a.Version + " " + a.Method + " " + a.Path + " "
	if a.rpc() {
		call += a.business().Encode()
	} else { // what moves between query and form is another call
		call += withoutTokens(a.Query).Encode() + "\n" + withoutTokens(a.Form).Encode()
	}
	if len(a.Body) > 0 && !a.formEncoded() {
		call += "\n" + string(a.Body)
	}
	return call
}
