package crash_test

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// mutants are journals that break a promise.
var mutants = map[string]func(*sqljournal.Journal) token.Journal{
	"forgets in a crash":             func(*sqljournal.Journal) token.Journal { return &inMemory{records: map[string]token.Record{}} },
	"new token for an open record":   func(j *sqljournal.Journal) token.Journal { return &renewing{Journal: j, real: map[string]string{}} },
	"not done while others are open": func(j *sqljournal.Journal) token.Journal { return &hasty{j} },
	"forgets what is done":           func(j *sqljournal.Journal) token.Journal { return &forgetful{j} },
}

// TestCheckerSeesDuplicates kills processes that have such journals: the check finds the duplicates.
// With the real one, all is well after the same.
func TestCheckerSeesDuplicates(t *testing.T) {
	names := []string{""}
	for name := range mutants {
		names = append(names, name)
	}
	for _, name := range names {
		t.Run(cmp.Or(name, "the real journal"), func(t *testing.T) {
			r := newRound(newSQLite(t, "wal"), 3, refuseSecond())
			defer r.close()
			r.Mutant = name
			for _, p := range []plan{{replied, 1}, {replied, 4}, {}} {
				if _, err := r.live(p); err != nil {
					t.Fatal(err)
				}
			}
			e, err := r.verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wrong, duplicates := e.check(), 0
			for _, text := range wrong {
				t.Log(text)
				if strings.Contains(text, " effects; ") && !strings.Contains(text, "has 0 effects") {
					duplicates++
				}
			}
			switch {
			case name == "" && len(wrong) > 0:
				t.Error("with the real journal too")
			case name != "" && duplicates == 0:
				t.Error("no duplicate was found")
			}
		})
	}
}

// refuseSecond has the second attempt under each token refused, as by a quota: that attempt
// had no effect, for certain, and the first had one.
func refuseSecond() func(retrytest.Attempt) retrytest.Fault {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(a retrytest.Attempt) retrytest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if seen[a.ClientToken]++; seen[a.ClientToken] == 2 {
			return refused
		}
		return retrytest.OK()
	}
}

// inMemory keeps the rules, for as long as its process lives.
type inMemory struct {
	mu      sync.Mutex
	records map[string]token.Record
}

func (j *inMemory) held(key string) *token.Record {
	if r, ok := j.records[key]; ok {
		return &r
	}
	return nil
}

func (j *inMemory) Begin(_ context.Context, i token.Intent) (token.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r, err := token.Begin(j.held(i.Key), i, time.Now())
	if err == nil {
		j.records[i.Key] = r
	}
	return r, err
}

func (j *inMemory) End(_ context.Context, ended token.Record, result token.Result) (token.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r, changed := token.End(j.held(ended.Key), ended, result, time.Now())
	if changed {
		j.records[r.Key] = r
	}
	return r, nil
}

// renewing has the next call sent under a token of its own.
type renewing struct {
	token.Journal
	mu   sync.Mutex
	real map[string]string
}

func (j *renewing) Begin(ctx context.Context, i token.Intent) (token.Record, error) {
	r, err := j.Journal.Begin(ctx, i)
	if err == nil && r.State == token.Open && r.Unsettled > 1 {
		j.mu.Lock()
		defer j.mu.Unlock()
		real := r.Token
		r.Token = token.New()
		j.real[r.Token] = real
	}
	return r, err
}

func (j *renewing) End(ctx context.Context, r token.Record, result token.Result) (token.Record, error) {
	j.mu.Lock()
	if real, ok := j.real[r.Token]; ok {
		r.Token = real
	}
	j.mu.Unlock()
	return j.Journal.End(ctx, r, result)
}

// hasty believes of a key what one of its calls says.
type hasty struct{ *sqljournal.Journal }

func (j *hasty) End(ctx context.Context, ended token.Record, result token.Result) (token.Record, error) {
	r, err := j.Journal.End(ctx, ended, result)
	if err == nil && result.State == token.NotDone && r.State == token.Open {
		r.State = token.NotDone
		err = j.Resolve(ctx, r, r.State)
	}
	return r, err
}

// forgetful drops what needs no more attention.
type forgetful struct{ *sqljournal.Journal }

func (j *forgetful) End(ctx context.Context, ended token.Record, result token.Result) (token.Record, error) {
	r, err := j.Journal.End(ctx, ended, result)
	if err == nil && r.State == token.Done {
		err = j.Forget(ctx, r)
	}
	return r, err
}
