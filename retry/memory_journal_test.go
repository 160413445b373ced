package retry

import (
	"context"
	"sync"
	"time"

	"github.com/aliretry/aliretry/token"
)

// memoryJournal is a journal by the rules of package token, and can be made to fail.
type memoryJournal struct {
	beginErr, endErr error
	unreadable       error         // what comes with a Done record
	sealing          error         // what comes with the End of one
	ahead            time.Duration // of its clock

	mu      sync.Mutex
	records map[string]token.Record
	asked   []context.Context
}

func (j *memoryJournal) now() time.Time { return time.Now().Add(j.ahead) }

func (j *memoryJournal) held(key string) *token.Record {
	if r, ok := j.records[key]; ok {
		return &r
	}
	return nil
}

func (j *memoryJournal) Begin(ctx context.Context, i token.Intent) (token.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, ctx)
	if j.beginErr != nil {
		return token.Record{}, j.beginErr
	}
	r, err := token.Begin(j.held(i.Key), i, j.now())
	if err == nil && r.State == token.Done {
		return r, j.unreadable
	}
	if err == nil {
		if j.records == nil {
			j.records = make(map[string]token.Record)
		}
		j.records[i.Key] = r
	}
	return r, err
}

func (j *memoryJournal) End(ctx context.Context, ended token.Record, result token.Result) (token.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, ctx)
	if j.endErr != nil {
		return token.Record{}, j.endErr
	}
	if err := ctx.Err(); err != nil {
		return token.Record{}, err
	}
	r, changed := token.End(j.held(ended.Key), ended, result, j.now())
	if changed {
		j.records[ended.Key] = r
	}
	return r, j.sealing
}
