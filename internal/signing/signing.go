// Package signing takes requests apart and signs them. It is the core of package signer, and
// lets package retry sign what it has taken apart already.
package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/internal/openapi"
)

// Key is the signer.Credentials of one attempt.
type Key struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	BearerToken     string
	Anonymous       bool
}

// Stamp is a signer.Stamp.
type Stamp struct {
	Nonce string
	Time  time.Time
}

// Errors of package signer.
var (
	ErrUnsupported   = errors.New("unsupported signature style")
	ErrMalformed     = errors.New("request cannot be signed")
	ErrNoCredentials = errors.New("no credentials: need an AccessKey ID with its secret, or a bearer token")
)

// Validate refuses a key that cannot sign, and one that is not Anonymous alone.
func (k *Key) Validate() error {
	switch {
	case k.Anonymous && *k != Key{Anonymous: true}:
		return fmt.Errorf("%w; or none of them, where Anonymous is set", ErrNoCredentials)
	case !k.Anonymous && k.BearerToken == "" && (k.AccessKeyID == "" || k.AccessKeySecret == ""):
		return ErrNoCredentials
	}
	return nil
}

// Sign signs a request once.
func Sign(req *http.Request, body []byte, k Key, at Stamp) error {
	m := NewScratch()
	defer m.Release()
	r, err := identify(req, body, m.Params[:])
	if err != nil {
		return err
	}
	if at, err = checked(&k, at); err != nil {
		return err
	}
	// What is signed but once need not outlive it: the concrete types keep it off the heap.
	switch r.Style {
	case openapi.ROA:
		var p roa
		if err = p.prepare(req, &r); err == nil {
			err = p.sign(req, body, k, at)
		}
	case openapi.ACS3:
		var p acs3
		if err = p.prepare(req, &r, body); err == nil {
			err = p.sign(req, body, k, at)
		}
	default:
		var p *rpc
		if p, err = m.takeApart(req.Method, &r); err == nil {
			err = p.sign(req, body, k, at)
		}
	}
	return err
}

// Prepared is a request whose constant parts are canonicalised once. One that [PrepareRequest]
// returns is immutable.
type Prepared struct {
	scheme scheme
	body   []byte
}

// scheme is a prepared request of one style.
type scheme interface {
	sign(req *http.Request, body []byte, k Key, at Stamp) error
}

// PrepareRequest takes a request apart, for any number of signatures.
func PrepareRequest(req *http.Request, body []byte) (Prepared, error) {
	m := new(Scratch)
	r, err := identify(req, body, m.Params[:])
	if err != nil {
		return Prepared{}, err
	}
	p, err := Prepare(req, &r, body, m)
	if s, ok := p.scheme.(*rpc); ok && err == nil {
		s.canonicalise(&slotted{}) // further signatures change nothing
	}
	return p, err
}

func identify(req *http.Request, body []byte, room []openapi.Param) (openapi.Request, error) {
	if req.URL == nil || req.URL.Opaque != "" {
		return openapi.Request{}, fmt.Errorf("%w: it has no URL, or an opaque one", ErrMalformed)
	}
	r, err := openapi.Identify(req, body, room)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return r, err
}

// Prepare is PrepareRequest of what r says of the request. Where r has other parameters than
// the URL's query, those count in the RPC style, and the URL's query must have them in the
// other styles. It may change their order. What it returns is good until m is released, and its
// first signature may change it.
func Prepare(req *http.Request, r *openapi.Request, body []byte, m *Scratch) (Prepared, error) {
	s, err := newScheme(req, r, body, m)
	return Prepared{s, body}, err
}

func newScheme(req *http.Request, r *openapi.Request, body []byte, m *Scratch) (scheme, error) {
	switch r.Style {
	case openapi.ROA:
		p := new(roa)
		return p, p.prepare(req, r)
	case openapi.ACS3:
		p := new(acs3)
		return p, p.prepare(req, r, body)
	}
	return m.takeApart(req.Method, r)
}

// Sign writes the request, signed, to a clone of it.
func (p *Prepared) Sign(req *http.Request, k Key, at Stamp) error {
	at, err := checked(&k, at)
	if err != nil {
		return err
	}
	return p.scheme.sign(req, p.body, k, at)
}

// checked refuses a key that is none, and fills in what the stamp leaves open.
func checked(k *Key, at Stamp) (Stamp, error) {
	if at.Nonce == "" {
		at.Nonce = uuid.NewString()
	}
	if at.Time.IsZero() {
		at.Time = time.Now()
	}
	return at, k.Validate()
}

// setBody makes req send body, with its length stated.
func setBody(req *http.Request, body []byte) {
	if len(body) == 0 {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, func() (io.ReadCloser, error) { return http.NoBody, nil }, 0
		return
	}
	setReader(req, len(body), func() io.Reader { return bytes.NewReader(body) })
}

func setReader(req *http.Request, length int, body func() io.Reader) {
	req.ContentLength = int64(length)
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(body()), nil }
	req.Body, _ = req.GetBody()
}
