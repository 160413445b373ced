package retry

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aliretry/aliretry/signer"
)

// sequence is a provider that gives other credentials at each call, or an error.
type sequence struct {
	steps []any
	n     int
}

func (s *sequence) Credentials(context.Context) (signer.Credentials, error) {
	step := s.steps[s.n]
	s.n++
	if err, ok := step.(error); ok {
		return signer.Credentials{}, err
	}
	return step.(signer.Credentials), nil
}

// Credentials are fetched for each attempt, and what becomes of them never hides what is
// known of the attempts before.
func TestLoopCredentials(t *testing.T) {
	broken := errors.New("Get \"http://sts/?Signature=S3cret\": vault sealed")
	other := signer.Credentials{AccessKeyID: "other", AccessKeySecret: "s"}
	session := func(id string) signer.Credentials {
		return signer.Credentials{AccessKeyID: "STS." + id, AccessKeySecret: "s", SecurityToken: id}
	}
	good := step{status: 200, body: okBody}
	tests := map[string]struct {
		provider []any
		steps    []step
		outcome  Outcome
		err      error
	}{
		"fails at first":                           {[]any{broken}, nil, NotDone, broken},
		"are empty":                                {[]any{signer.Credentials{}}, nil, NotDone, signer.ErrNoCredentials},
		"fail after an unclear attempt":            {[]any{testKey, broken}, []step{{status: 500}}, Unknown, broken},
		"fail after a refusal":                     {[]any{testKey, broken}, []step{{status: 429}}, NotDone, broken},
		"change after an unclear attempt":          {[]any{testKey, other}, []step{{status: 500}}, Unknown, ErrCredentials},
		"change with a session between":            {[]any{testKey, session("1"), other}, []step{{status: 500}, {status: 500}}, Unknown, ErrCredentials},
		"change after a refusal":                   {[]any{testKey, other}, []step{{status: 429}, good}, Done, nil},
		"session renewed after an unclear attempt": {[]any{session("1"), session("2")}, []step{{status: 500}, good}, Done, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, provider := &scripted{steps: tt.steps}, &sequence{steps: tt.provider}
				var end Info
				tr := &Transport{Base: base, Credentials: provider, Trace: &Trace{CallEnd: func(i Info) { end = i }}}
				_, err := tr.RoundTrip(newRequest(context.Background(), createURL))
				if !errors.Is(err, tt.err) || err != nil && !errors.Is(err, ErrCredentials) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if err != nil && strings.Contains(err.Error(), "S3cret") {
					t.Errorf("the provider's request shows: %v", err)
				}
				if end.Outcome != tt.outcome || len(base.seen) != len(tt.steps) || provider.n != len(tt.provider) {
					t.Errorf("outcome %v after %d attempts with %d credentials", end.Outcome, len(base.seen), provider.n)
				}
			})
		})
	}
}
