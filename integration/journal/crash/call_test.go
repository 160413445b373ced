package crash_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
)

// quick makes delays of a few milliseconds, few attempts, so that calls end Unknown and NotDone
// too, and timeouts that are shorter than the endpoint's long work.
var quick = retry.Policy{
	MaxAttempts: 3, CallTimeout: 20 * time.Second, AttemptTimeout: slow * 3 / 4,
	Transient: retry.Delay{Base: time.Millisecond, Max: 4 * time.Millisecond},
	Busy:      retry.Delay{Base: 2 * time.Millisecond, Max: 8 * time.Millisecond},
}

// newClient wraps a client of the SDK.
func newClient(journal token.Journal, base http.RoundTripper) (*retry.Client, error) {
	account := retrytest.DefaultAccount()
	key := credentials.NewAccessKeyCredential(account.AccessKeyID, account.AccessKeySecret)
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), key)
	if err != nil {
		return nil, err
	}
	return retry.Wrap(client, key, func(t *retry.Transport) {
		t.Journal, t.Base, t.Policy, t.Budget = journal, base, quick, retry.Unlimited()
	})
}

// create makes the call of a key, and returns the resource's ID.
func create(ctx context.Context, client *retry.Client, host, key string) (string, error) {
	request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
	request.Domain, request.ScalingGroupName, request.MinSize, request.MaxSize = host, key, "2", "20"
	err := client.DoAction(ctx, request, response)
	return response.ScalingGroupId, err
}

// caller makes a child's calls.
type caller struct {
	job
	client *retry.Client
	db     *sql.DB
}

func newCaller(ctx context.Context, j job) (*caller, error) {
	f := &fuse{plan: j.Plan}
	inner, db, err := j.World.open(ctx, j.Namespace)
	if err != nil {
		return nil, err
	}
	var journal token.Journal = inner
	if j.Mutant != "" {
		journal = mutants[j.Mutant](inner)
	}
	// A connection for each attempt: net/http sends nothing twice, and none outlives its process.
	base := &http.Transport{DisableKeepAlives: true}
	client, err := newClient(&fusedJournal{journal, f}, &fusedBase{base, f})
	return &caller{j, client, db}, err
}

// called is what a call came to.
type called struct {
	Key      string `json:",omitempty"`
	ID       string `json:",omitempty"` // of the resource, if the call succeeded
	Token    string `json:",omitempty"`
	Outcome  retry.Outcome
	Replayed bool `json:",omitempty"`
	Open     bool `json:",omitempty"` // Info.RecordOpen
	Journal  bool `json:",omitempty"` // the error was ErrJournal
}

// call makes one call of a key. An error is one that should never be.
func (c *caller) call(ctx context.Context, key string) (called, error) {
	var i retry.Info
	ended := 0
	traced := retry.WithTrace(retry.WithKey(ctx, key), &retry.Trace{CallEnd: func(info retry.Info) { i, ended = info, ended+1 }})
	id, err := create(traced, c.client, c.Host, key)
	call := called{key, id, i.ClientToken, i.Outcome, i.Replayed, i.RecordOpen, errors.Is(err, retry.ErrJournal)}
	told, isTold := retry.InfoOf(err)
	switch {
	case ctx.Err() != nil:
		return call, fmt.Errorf("no end in %v: %w", c.Timeout, cmp.Or(err, ctx.Err()))
	case ended != 1 || i.Key != key:
		return call, fmt.Errorf("it ended %d times, as the call of %q: %w", ended, i.Key, err)
	case err == nil && (id == "" || i.Outcome != retry.Done || i.Replayed != (len(i.Attempts) == 0)):
		return call, fmt.Errorf("it succeeded with %q and %+v", id, i)
	case err == nil && i.RecordOpen && !c.Outages:
		return call, fmt.Errorf("its outcome was not recorded: %s", i.Reason)
	case err == nil:
		return call, nil
	case !isTold || told.Outcome != i.Outcome || told.RecordOpen != i.RecordOpen || told.ClientToken != i.ClientToken:
		return call, fmt.Errorf("it ended with %+v, and the error tells %+v: %w", i, told, err)
	case call.Journal && c.Outages && i.Outcome == retry.Unknown && len(i.Attempts) == 0:
		return call, nil
	case len(i.Attempts) == 0: // refused
		return call, err
	case (i.Outcome == retry.Unknown) != i.RecordOpen:
		return call, fmt.Errorf("it failed with %+v: %w", i, err)
	}
	call.ID = ""
	return call, nil
}
