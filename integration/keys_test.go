package integration

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// keys is where a Transport has its credentials from.
type keys int

const (
	longLived  keys = iota
	oneSession      // which nobody renews
	freshSessions
	refreshedSessions // the provider gives the next session only when told to refresh
	lateSessions      // the provider has the next session only after a while
	otherAccount      // a long-lived key, then one of another account
)

var keysNames = [...]string{"a long-lived key", "one session", "fresh sessions", "refreshed sessions", "late sessions", "another account"}

func (k keys) String() string { return keysNames[k] }

// session returns the temporary pair of a number; all are of one cloud account.
func session(n int) retrytest.Account {
	id := fmt.Sprintf("STS.%d", n)
	return retrytest.Account{AccessKeyID: id, AccessKeySecret: "secret of " + id, SecurityToken: "security token of " + id, Owner: "one"}
}

// accounts are those that the server knows at the beginning.
func (w *world) accounts() []retrytest.Account {
	if w.plan.keys == longLived || w.plan.keys == otherAccount {
		return []retrytest.Account{{AccessKeyID: "key1", AccessKeySecret: "secret of key1"}, {AccessKeyID: "key2", AccessKeySecret: "secret of key2"}}
	}
	return []retrytest.Account{session(0)}
}

// renewSession ends the present session and begins the next.
func (w *world) renewSession() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions++
	if w.plan.keys != otherAccount {
		w.server.AddAccount(session(w.sessions))
		w.server.Expire(session(w.sessions - 1).AccessKeyID)
	}
}

func (w *world) provider() signer.Provider {
	switch p := (provider{w}); w.plan.keys {
	case longLived:
		return signer.Static(signer.Credentials{AccessKeyID: "key1", AccessKeySecret: "secret of key1"})
	case oneSession:
		return signer.Static(credentialsOf(session(0)))
	case refreshedSessions:
		return &refresher{provider: p}
	default:
		return p
	}
}

func credentialsOf(a retrytest.Account) signer.Credentials {
	return signer.Credentials{AccessKeyID: a.AccessKeyID, AccessKeySecret: a.AccessKeySecret, SecurityToken: a.SecurityToken}
}

// provider gives what is good now.
type provider struct{ w *world }

func (p provider) Credentials(ctx context.Context) (signer.Credentials, error) {
	if err := p.wait(ctx); err != nil {
		return signer.Credentials{}, err
	}
	n := p.present()
	switch p.w.plan.keys {
	case otherAccount:
		id := fmt.Sprintf("key%d", 1+min(n, 1))
		return signer.Credentials{AccessKeyID: id, AccessKeySecret: "secret of " + id}, nil
	case lateSessions:
		for n > 0 && time.Since(p.w.began) < p.w.plan.renewals[n-1]+10*time.Second {
			n--
		}
	}
	return credentialsOf(session(n)), nil
}

func (p provider) present() int {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.sessions
}

// wait takes the time that the provider takes.
func (p provider) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.w.plan.takes):
		return nil
	}
}

// refresher stays with its session until it is told otherwise.
type refresher struct {
	provider
	kept atomic.Int64
}

func (r *refresher) Credentials(context.Context) (signer.Credentials, error) {
	return credentialsOf(session(int(r.kept.Load()))), nil
}

func (r *refresher) Refresh(ctx context.Context) error {
	err := r.wait(ctx)
	if err == nil {
		r.kept.Store(int64(r.present()))
	}
	return err
}
