package retrytest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Effect is one thing that an operation did. A call that keeps the promise of its
// ClientToken makes one, however many attempts it takes.
type Effect struct {
	Number                                    int // counted from 1
	Action, Version, ClientToken, AccessKeyID string
	Params                                    url.Values // the business parameters
	ResourceID, RequestID                     string     // as in every reply that tells of it
	Attempt                                   int        // Number of the attempt that made it
}

type tokenKey struct{ owner, token string }

// work is what one call asked for, and its result once it is done.
type work struct {
	call   string
	done   bool
	result result
}

// serve applies the rules of the client token and does the work, unless the fault
// comes before it.
func (s *Server) serve(x *exchange) {
	a := &x.attempt
	call := a.call()
	s.mu.Lock()
	defer s.mu.Unlock()
	record := &s.attempts[a.Number-1]
	record.Fault = x.fault

	if x.refusal == nil {
		x.refusal = s.takeToken(x, call)
	}
	switch {
	case x.refusal != nil:
		record.Problem = x.refusal.code
	case x.work == nil: // the fault comes first
	case x.work.done:
		record.Replayed = !a.readOnly()
	case x.fault.when != during:
		s.finish(x)
	}
}

// takeToken finds the work that the attempt is about: new work, whose token is then
// taken, or that of an earlier attempt with the token. It leaves x.work nil if the
// fault comes before any work. The caller holds s.mu.
func (s *Server) takeToken(x *exchange, call string) *problem {
	a := &x.attempt
	if a.readOnly() {
		x.work = &work{done: true, result: result{requestID: x.requestID}}
		return nil
	}
	token := a.ClientToken
	if s.tokenless[a.Action] {
		token = ""
	}
	if !validToken(token) {
		return &problem{400, "InvalidClientToken.ValueNotSupported", "The ClientToken provided is invalid."}
	}
	key := tokenKey{x.owner, token}
	known := s.tokens[key]
	switch {
	case known == nil && x.fault.when == before:
		return nil
	case known == nil:
		x.work = &work{call: call}
		if token != "" {
			s.tokens[key] = x.work
		}
		return nil
	case known.call != call:
		return &problem{400, "IdempotentParameterMismatch",
			"Request uses a client token in a previous request but is not identical to that request."}
	case !known.done:
		return &problem{403, "LastTokenProcessing", "The last token request is processing."}
	case x.fault.when != before:
		x.work = known
	}
	return nil
}

// finish makes the effect. The caller holds s.mu.
func (s *Server) finish(x *exchange) {
	a := &x.attempt
	number := len(s.effects) + 1
	field, prefix := resource(a.Action)
	id := fmt.Sprintf("%s-%08d", prefix, number)
	x.work.result = result{requestID: x.requestID, field: field, id: id}
	x.work.done = true
	s.effects = append(s.effects, Effect{
		Number: number, Action: a.Action, Version: a.Version, ClientToken: a.ClientToken, AccessKeyID: a.AccessKeyID,
		Params: a.business(), ResourceID: id, RequestID: x.requestID, Attempt: a.Number,
	})
	s.attempts[a.Number-1].Effect = true
}

// readOnly reports whether an operation has no effect. One that a ROA request does not
// name goes by its method.
func (a *Attempt) readOnly() bool {
	for _, verb := range []string{"Describe", "List", "Get", "Query"} {
		if strings.HasPrefix(a.Action, verb) {
			return true
		}
	}
	return a.Action == "" && (a.Method == http.MethodGet || a.Method == http.MethodHead)
}

// validToken reports whether the service takes t as a client token. An empty one is
// none.
func validToken(t string) bool {
	for i := range len(t) {
		if t[i] < 0x20 || t[i] > 0x7e {
			return false
		}
	}
	return len(t) <= 64
}
