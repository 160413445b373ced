package retry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/token"
)

// Causes of an *[Error] of a call under a key ([WithKey]), besides those of package token.
var (
	// ErrNoJournal: the context has a key, and the Transport no Journal. Nothing was sent, and the
	// Outcome is Unknown, as of every call that ends before the Journal was asked.
	ErrNoJournal = errors.New("the context has a key and the Transport no Journal")
	// ErrJournal: the Journal failed before the call, and nothing was sent. The Outcome is
	// Unknown, since an earlier call under the key may have had its effect.
	ErrJournal = errors.New("the journal could not be written")
)

// journalTimeout is for how long the end of a call may take to be written, whatever has become
// of the caller meanwhile.
const journalTimeout = 5 * time.Second

// underKey is what a call under a key knows of it. Nil stands for a call without one.
type underKey struct {
	key    *bound
	record *token.Record // until the call is settled

	mu         sync.Mutex // a reply that is still arriving is read while others look
	byKey      *Outcome   // where the call's own attempts are not all that counts
	why        string     // the record could not be written
	resumed    bool
	replayed   bool
	recordedAt time.Time
	recordOpen bool
}

// newUnderKey returns what is known under a context's key before the Journal was asked: an earlier
// call may have had its effect.
func newUnderKey(ctx context.Context) *underKey {
	given, _ := ctx.Value(keyKey{}).(*bound)
	if given == nil {
		return nil
	}
	k := &underKey{key: given}
	k.know(Unknown)
	return k
}

func (k *underKey) know(o Outcome) { k.byKey = &o }

func (k *underKey) tell(i *Info) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	i.Key, i.Resumed, i.Replayed, i.RecordedAt, i.RecordOpen = k.key.to, k.resumed, k.replayed, k.recordedAt, k.recordOpen
	i.Reason += k.why
	if k.byKey != nil {
		i.Outcome = *k.byKey
	}
}

// isReplay reports whether the Journal has the reply already.
func (k *underKey) isReplay() bool {
	return k != nil && k.record != nil && k.record.State == token.Done
}

// isOpen reports whether the record stays open although the call has ended.
func (k *underKey) isOpen() bool { return k != nil && k.recordOpen }

// begin asks the Journal for the token of a call under a key. One that the call has already is the
// caller's own.
func (c *call) begin(body []byte) error {
	k := c.keyed
	if k == nil {
		return nil
	}
	switch err := token.ValidateKey(k.key.to); {
	case err != nil:
		k.byKey = nil // no call can have been made under it
		return err
	case c.contradictory, c.operation.Token == NoToken:
		k.byKey = nil
		return ErrNoToken
	case isNil(c.t.Journal):
		return ErrNoJournal
	}
	parts := openapi.Parts(&c.request, c.wire, body)
	if !k.key.bind(openapi.Fingerprint(parts)) {
		return fmt.Errorf("%w: its context has served that one", token.ErrOtherCall)
	}
	intent := token.Intent{Key: k.key.to, Operation: c.operation.String(), Params: make([]token.Param, len(parts)), Token: c.token, Lifetime: c.policy.TokenLifetime}
	for i := range parts {
		intent.Params[i] = token.Param{Name: parts[i].Name(), Value: parts[i].Value()}
	}
	ctx, cancel := context.WithDeadline(foreignContext{c.caller}, c.end)
	defer cancel()
	asked := time.Now()
	r, err := c.t.Journal.Begin(ctx, intent)
	if err != nil {
		return c.notBegun(r, err)
	}
	c.token, c.born = r.Token, asked.Add(-r.Age)
	k.record, k.byKey = &r, nil // what becomes of this call counts
	k.resumed = r.State == token.Open && r.Unsettled > 1
	return nil
}

// notBegun is what the Journal's refusal says of the key, and the error to end with. The record is
// there where it is the reason.
func (c *call) notBegun(r token.Record, err error) error {
	k, other := c.keyed, errors.Is(err, token.ErrOtherCall)
	switch {
	case r.State == token.Done && !other:
		k.know(Done)
		k.recordedAt = r.Ended
	case r.Key != "":
		k.recordOpen = r.State == token.Open
	}
	switch {
	case other, errors.Is(err, token.ErrDoneNoReply):
		return err
	case errors.Is(err, token.ErrExpired):
		c.token = r.Token
		return err
	case errors.Is(err, token.ErrOtherToken):
		return fmt.Errorf("%w: %w", ErrTokenConflict, err)
	case r.State == token.Done:
		return fmt.Errorf("%w: %w", token.ErrDoneNoReply, Redact(err))
	}
	return fmt.Errorf("%w: %w", ErrJournal, Redact(err))
}

// endRecord settles the record when the call ends, unless its reply is still arriving, which may
// yet break off: then its reader does, at its end.
func (c *call) endRecord() {
	if k := c.keyed; k != nil && k.record != nil && c.reply.rest != nil && c.reply.class == Success {
		k.recordOpen = true
		return
	}
	c.settleRecord()
}

// settleRecord writes what became of the call into the Journal, once, and learns from it what
// is known of the key: other calls under it may be open, or may be done.
func (c *call) settleRecord() {
	k := c.keyed
	if k == nil || k.record == nil {
		return
	}
	r := *k.record
	k.record = nil
	result := token.Result{State: stateOf[settle(c.readOnly, c.effects)]}
	switch result.State {
	case token.Open:
		k.recordOpen = true
		return
	case token.Done:
		result.Reply = c.reply.kept()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(foreignContext{c.caller}), journalTimeout)
	defer cancel()
	now, err := c.t.Journal.End(ctx, r, result)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recordOpen = false
	if err != nil {
		k.why = "; the journal: " + scrub(causeOf(Redact(err)))
	}
	switch {
	case now.State == token.Done:
		k.know(Done)
	case err == nil && now.State == token.NotDone:
	case result.State == token.Done:
		k.recordOpen = true
	default:
		k.recordOpen = true
		k.know(Unknown)
	}
}

var stateOf = [...]token.State{Unknown: token.Open, NotDone: token.NotDone, Done: token.Done}

// keptReply is the form of a reply in the Journal.
type keptReply struct {
	Status    int    `json:"status"`
	Type      string `json:"type,omitempty"`
	RequestID string `json:"request,omitempty"`
	Body      []byte `json:"body"`
}

// kept returns the reply as the Journal keeps it, nil if it is not in memory.
func (r *reply) kept() []byte {
	if r.resp == nil || r.rest != nil {
		return nil
	}
	body, _ := io.ReadAll(&r.memory)
	_, _ = r.memory.Seek(0, io.SeekStart)
	h := r.resp.Header
	text, _ := json.Marshal(keptReply{r.resp.StatusCode, h.Get("Content-Type"), h.Get("X-Acs-Request-Id"), body})
	return text
}

// replay answers a call whose record is Done, without sending anything.
func (c *call) replay() (*http.Response, error) {
	k, record := c.keyed, c.keyed.record
	k.record, k.recordedAt = nil, record.Ended
	k.know(Done)
	var kept keptReply
	if err := json.Unmarshal(record.Reply, &kept); err != nil {
		return nil, c.fail("the reply in the journal cannot be read", fmt.Errorf("%w: %w", token.ErrDoneNoReply, err), nil)
	}
	k.replayed, c.reason = true, "the journal has the reply"
	resp := &http.Response{
		Status: fmt.Sprint(kept.Status, " ", http.StatusText(kept.Status)), StatusCode: kept.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: io.NopCloser(strings.NewReader(string(kept.Body))), ContentLength: int64(len(kept.Body)),
		Request: c.wire.WithContext(&c.ctx),
	}
	for name, value := range map[string]string{"Content-Type": kept.Type, "X-Acs-Request-Id": kept.RequestID} {
		if value != "" {
			resp.Header.Set(name, value)
		}
	}
	i := c.snapshot()
	i.write(resp.Header)
	c.hooks.callEnd(c.snapshot)
	return resp, nil
}
