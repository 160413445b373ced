package crash_test

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/aliretry/aliretry/token"
)

// point is where a child dies. Nothing in the product knows of them: those of the child lie
// around its journal and its base, the others in the endpoint.
type point string

const (
	nowhere point = ""

	beforeBegin point = "before the record"
	afterBegin  point = "after the record"
	beforeSend  point = "before the send"
	unworked    point = "sent, and nothing is done"
	worked      point = "sent, and the work is done"
	beforeReply point = "before the reply"
	replied     point = "reply sent"
	beforeEnd   point = "before the outcome is recorded"
	afterEnd    point = "after the outcome is recorded"
	anywhere    point = "at a random moment"
	afterReply  point = "reply read"
)

// points are in the order in which a few kills are given to them.
var points = []point{worked, replied, beforeReply, afterBegin, beforeEnd, unworked, beforeSend, afterEnd, beforeBegin, anywhere, afterReply}

// plan says that a child dies when it passes a point for the Nth time.
type plan struct {
	Point point
	Nth   int32
}

// fuse carries out the plan of the child that it is in.
type fuse struct {
	plan
	passed atomic.Int32
}

func (f *fuse) pass(p point) {
	if p == f.Point && f.passed.Add(1) == f.Nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment, in which nothing is to happen
	}
}

// fusedJournal has points around a journal.
type fusedJournal struct {
	token.Journal
	fuse *fuse
}

func (j *fusedJournal) Begin(ctx context.Context, i token.Intent) (token.Record, error) {
	j.fuse.pass(beforeBegin)
	r, err := j.Journal.Begin(ctx, i)
	if err == nil && r.State == token.Open {
		j.fuse.pass(afterBegin)
	}
	return r, err
}

func (j *fusedJournal) End(ctx context.Context, r token.Record, result token.Result) (token.Record, error) {
	j.fuse.pass(beforeEnd)
	r, err := j.Journal.End(ctx, r, result)
	j.fuse.pass(afterEnd)
	return r, err
}

// fusedBase has points around a base.
type fusedBase struct {
	http.RoundTripper
	fuse *fuse
}

func (b *fusedBase) RoundTrip(req *http.Request) (*http.Response, error) {
	b.fuse.pass(beforeSend)
	resp, err := b.RoundTripper.RoundTrip(req)
	b.fuse.pass(afterReply)
	return resp, err
}
