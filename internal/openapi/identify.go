package openapi

import (
	"bytes"
	"cmp"
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

// acs is what the Authorization of the ROA style begins with. The AccessKey ID follows, and a
// colon.
const acs = "acs "

// IsACS reports whether an Authorization is one of ACS3, or of a later version of it.
func IsACS(authorization string) bool {
	const version = len("ACS")
	return HasPrefixFold(authorization, "ACS") && len(authorization) > version+1 &&
		'0' <= authorization[version] && authorization[version] <= '9' && authorization[version+1] == '-'
}

// Identify takes a request apart. It looks at header keys in any case, since the SDK
// writes some of them straight into the map, and changes nothing. room is memory for the
// query's parameters, if there are few enough; it may be nil.
func Identify(req *http.Request, body []byte, room []Param) (Request, error) {
	var r Request
	var err, formErr error
	if r.Query, err = ParseParams(req.URL.RawQuery, room); err != nil {
		return Request{}, errors.Join(ErrParams, err)
	}
	query := commonIn(r.Query)
	//lint:ignore SA1008 the V2 SDK writes it straight into the map
	if query.signature != nil && len(body) == 0 && req.Header["Authorization"] == nil && req.Header["authorization"] == nil {
		// As the V1 SDK makes most: nothing that the headers tell counts then.
		if isRPC, err := r.readRPC(query, common{}); isRPC {
			r.Style = RPC
			return r, err
		}
	}
	h := readHeaders(req.Header)
	if h.form && len(body) > 0 {
		r.Form, formErr = ParseParams(string(body), nil)
	}
	r.Version, r.Action = h.version, h.action
	switch {
	case IsACS(h.authorization):
		r.Style = ACS3
		_, r.KeyID, _ = strings.Cut(h.authorization, "Credential=")
		r.KeyID, _, _ = strings.Cut(r.KeyID, ",")
	case HasPrefixFold(h.authorization, acs):
		r.Style = ROA
		r.KeyID, _, _ = strings.Cut(h.authorization[len(acs):], ":")
	default:
		isRPC, err := r.readRPC(query, commonIn(r.Form))
		switch {
		case isRPC && formErr == nil:
			r.Style = RPC
			return r, err
		case formErr != nil && (isRPC || !h.names()):
			return Request{}, errors.Join(ErrParams, formErr)
		case h.signatureVersion == "1.0" && h.version != "":
			r.Style = ROA
		case h.action != "" && h.version != "":
			r.Style = ACS3
		default:
			return Request{}, ErrStyle
		}
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
func (r *Request) readRPC(query, form common) (bool, error) {
	action, version, format := cmp.Or(query.action, form.action), cmp.Or(query.version, form.version), cmp.Or(query.format, form.format)
	if action == nil || version == nil || action.Is("") || version.Is("") {
		return false, nil
	}
	r.Action, r.Version = action.Value(), version.Value()
	if query.action == nil {
		r.System = Form
	}
	if key := cmp.Or(form.key, query.key); key != nil {
		r.KeyID = key.Value()
	}
	if format != nil {
		value := strings.ToUpper(format.Value())
		if format == query.format || r.System == Form || value == "JSON" || value == "XML" {
			r.Format = value
		}
	}
	// Of two operations, nobody could say which one the server would carry out.
	if differ(query.action, form.action) || differ(query.version, form.version) {
		return true, fmt.Errorf("%w: query and form differ in the operation that they name", ErrParams)
	}
	return true, nil
}

func differ(a, b *Param) bool { return a != nil && b != nil && a.Value() != b.Value() }

// common are the parameters that tell what an RPC request is; nil where it has none.
type common struct{ action, version, format, key, signature *Param }

// commonIn returns the first of each name.
func commonIn(params []Param) (c common) {
	for i := len(params) - 1; i >= 0; i-- {
		switch p := &params[i]; p.Role {
		case Action:
			c.action = p
		case Version:
			c.version = p
		case Format:
			c.format = p
		case AccessKeyID:
			c.key = p
		case Signature:
			c.signature = p
		}
	}
	return c
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
		if key != name && !strings.EqualFold(key, name) {
			return false
		}
		for _, v := range values {
			v = TrimSpace(v)
			switch {
			case v == "", v == *to, to == &out.authorization && !HasPrefixFold(v, acs) && !IsACS(v):
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
			if key != "Content-Type" && !strings.EqualFold(key, "Content-Type") {
				read(&out.action, key, "x-acs-action", values)
				continue
			}
			for _, v := range values {
				// The SDK adds its own type to that of a program which spells the key otherwise.
				out.form = out.form || HasPrefixFold(TrimSpace(v), "application/x-www-form-urlencoded")
			}
		case len("x-acs-version"): // also the length of Authorization
			_ = read(&out.version, key, "x-acs-version", values) || read(&out.authorization, key, "Authorization", values)
		case len("x-acs-signature-version"):
			read(&out.signatureVersion, key, "x-acs-signature-version", values)
		}
	}
	return out
}

// names reports whether they name an operation of a header style.
func (h *headers) names() bool {
	return h.version != "" && (h.action != "" || h.signatureVersion == "1.0")
}
