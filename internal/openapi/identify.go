package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Style is a signature style: where a request carries its operation, its parameters
// and its signature.
type Style uint8

const (
	NoStyle Style = iota // not a request to an Alibaba Cloud API
	RPC                  // RPC 1.0: Action and Version are parameters, and so is the Signature
	ROA                  // ROA 1.0: "Authorization: acs ID:SIGNATURE"
	ACS3                 // "Authorization: ACS3-HMAC-SHA256 ..." and its kin
)

func (s Style) String() string {
	return [...]string{"none", "RPC", "ROA", "ACS3"}[s]
}

// Place is the part of a request that carries a parameter.
type Place uint8

const (
	Query Place = iota // the query of the URL
	Form               // a body of application/x-www-form-urlencoded
)

// Request is what an outgoing request says of itself.
type Request struct {
	Style   Style
	Version string
	Action  string  // empty where a ROA request names its operation by method and path alone
	ByPath  bool    // the server tells the operation by method and path, else by name; ACS3 carries both kinds
	Format  string  // the reply format asked for, such as "JSON" or "XML"; "" if that is left to the server
	Query   []Param // parameters of the URL
	Form    []Param // parameters of a form body; nil for any other body
	System  Place   // RPC: where Action stands, and so the signature's own parameters
	KeyID   string  // the AccessKey ID that signed it; "" if none did, or a style does not show it
}

// ErrParams is wrapped by an error of [Identify] that tells of parameters which
// cannot be read.
var ErrParams = errors.New("malformed parameters")

// ErrStyle is returned by [Identify] for a request that names no operation.
var ErrStyle = errors.New("request names no operation: neither Action and Version parameters nor x-acs-action and x-acs-version headers")

// What the Authorization of the header styles begins with. In the ROA style the AccessKey
// ID follows, and a colon.
const (
	acs  = "acs "
	acs3 = "ACS3-"
)

// Identify takes a request apart. It looks at header keys in any case, since the SDK
// writes some of them straight into the map, and changes nothing.
func Identify(req *http.Request, body []byte) (Request, error) {
	var r Request
	var err, formErr error
	if r.Query, err = ParseParams(req.URL.RawQuery); err != nil {
		return Request{}, errors.Join(ErrParams, err)
	}
	h := readHeaders(req.Header)
	if h.form && len(body) > 0 {
		r.Form, formErr = ParseParams(string(body))
	}
	r.Version, r.Action = h.version, h.action
	switch {
	case hasPrefixFold(h.authorization, acs3):
		r.Style = ACS3
		_, r.KeyID, _ = strings.Cut(h.authorization, "Credential=")
		r.KeyID, _, _ = strings.Cut(r.KeyID, ",")
	case hasPrefixFold(h.authorization, acs):
		r.Style = ROA
		r.KeyID, _, _ = strings.Cut(h.authorization[len(acs):], ":")
	case r.readRPC():
		if formErr != nil {
			return Request{}, errors.Join(ErrParams, formErr)
		}
		r.Style = RPC
		r.KeyID, _ = r.Param("AccessKeyId")
		return r, r.ambiguous()
	case h.signatureVersion == "1.0" && h.version != "":
		r.Style = ROA
	case h.action != "" && h.version != "":
		r.Style = ACS3
	case formErr != nil:
		return Request{}, errors.Join(ErrParams, formErr)
	default:
		return Request{}, ErrStyle
	}
	r.ByPath = r.Style == ROA || len(req.URL.Path) > len("/")
	if h.twice != "" {
		return Request{}, fmt.Errorf("%w: header %s stands there twice", ErrParams, h.twice)
	}
	// The header styles do not sign a form's parameters, and leave it to the operation
	// what a body is: JSON under the type that curl gives by itself is JSON. A form that
	// cannot be read must not hide a token of the caller's, though.
	if isDocument(body) {
		r.Form = nil
	} else if formErr != nil && bytes.Contains(body, []byte("lientToken")) {
		return Request{}, errors.Join(ErrParams, formErr)
	}
	// The reply format of the two header styles is a matter of Accept; both ask for
	// JSON in every SDK unless the program says otherwise.
	r.Format = "JSON"
	if strings.Contains(strings.ToLower(h.accept), "xml") {
		r.Format = "XML"
	}
	return r, nil
}

// isDocument reports whether a body is JSON or XML by its first character.
func isDocument(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	return len(body) > 0 && strings.IndexByte(`{["<`, body[0]) >= 0
}

// readRPC fills in what RPC keeps in parameters, and reports whether the request is
// one. Parameters of the query outrank those of the form: they are where the SDK puts
// its own, and a few operations have a business parameter named Format in the body.
func (r *Request) readRPC() bool {
	system := Query
	action, ok := lookup(r.Query, "Action")
	if !ok {
		system = Form
		action, _ = lookup(r.Form, "Action")
	}
	version, ok := lookup(r.Query, "Version")
	if !ok {
		version, _ = lookup(r.Form, "Version")
	}
	if action == "" || version == "" {
		return false
	}
	r.Action, r.Version, r.System = action, version, system
	format, ok := lookup(r.Query, "Format")
	if !ok {
		format, _ = lookup(r.Form, "Format")
	}
	switch format = strings.ToUpper(format); {
	case ok, system == Form, format == "JSON", format == "XML":
		r.Format = format
	}
	return true
}

// ambiguous refuses a request that names two operations: which one the server would
// carry out, nobody could say.
func (r *Request) ambiguous() error {
	for _, name := range [...]string{"Action", "Version"} {
		inQuery, ok := lookup(r.Query, name)
		if inForm, both := lookup(r.Form, name); ok && both && inQuery != inForm {
			return fmt.Errorf("%w: query and form differ in %s", ErrParams, name)
		}
	}
	return nil
}

// Param returns the value of a parameter as the server sees it: the form's where a
// name stands in both places, which is also the one that the SDK signs.
func (r *Request) Param(name string) (string, bool) {
	if v, ok := lookup(r.Form, name); ok {
		return v, true
	}
	return lookup(r.Query, name)
}

func lookup(params []Param, name string) (string, bool) {
	for i := range params {
		if params[i].Name == name {
			return params[i].Value, true
		}
	}
	return "", false
}

// headers are the header fields that tell a request's style.
type headers struct {
	authorization, action, version, signatureVersion, accept string
	form                                                     bool   // the body is one, by a type that is given
	twice                                                    string // one that stands there with two values
}

// readHeaders picks them out. Which of two values of one header a server goes by, nobody
// could say; the RPC style goes by none of them.
func readHeaders(h http.Header) (out headers) {
	read := func(to *string, key, name string, values []string) bool {
		if !strings.EqualFold(key, name) {
			return false
		}
		for _, v := range values {
			v = strings.Trim(v, " \t") // as net/http sends it
			switch {
			case v == "", v == *to, to == &out.authorization && !hasPrefixFold(v, acs) && !hasPrefixFold(v, acs3):
				// Another kind of authorization is replaced by the signature.
			case *to == "":
				*to = v
			default:
				out.twice = name
			}
		}
		return true
	}
	for key, values := range h {
		if len(values) == 0 {
			continue
		}
		switch len(key) { // spares the common header a comparison with every name
		case len("Accept"):
			read(&out.accept, key, "Accept", values)
		case len("Content-Type"): // also the length of x-acs-action
			if !strings.EqualFold(key, "Content-Type") {
				read(&out.action, key, "x-acs-action", values)
				continue
			}
			for _, v := range values {
				// The SDK adds its own type to that of a program which spells the key otherwise.
				out.form = out.form || hasPrefixFold(strings.Trim(v, " \t"), "application/x-www-form-urlencoded")
			}
		case len("x-acs-version"): // also the length of Authorization
			_ = read(&out.version, key, "x-acs-version", values) || read(&out.authorization, key, "Authorization", values)
		case len("x-acs-signature-version"):
			read(&out.signatureVersion, key, "x-acs-signature-version", values)
		}
	}
	return out
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
