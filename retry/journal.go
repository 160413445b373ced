package retry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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

// underKey is what a call under a key knows of it.
type underKey struct {
	key        string
	record     *token.Record // until the call is settled
	byKey      *Outcome      // where the call's own attempts are not all that counts
	resumed    bool
	replayed   bool
	recordedAt time.Time
	recordOpen bool
}

func (k *underKey) tell(i *Info) {
	i.Key, i.Resumed, i.Replayed, i.RecordedAt, i.RecordOpen = k.key, k.resumed, k.replayed, k.recordedAt, k.recordOpen
	if k.byKey != nil {
		i.Outcome = *k.byKey
	}
}

// ignorant is what is known under a context's key before the Journal was asked: an earlier call
// may have had its effect.
func (k *underKey) ignorant(ctx context.Context) {
	if given, _ := ctx.Value(keyKey{}).(*bound); given != nil {
		k.key = given.to
		k.know(Unknown)
	}
}

func (k *underKey) know(o Outcome) { k.byKey = &o }

// isReplay reports whether the Journal has the reply already.
func (k *underKey) isReplay() bool { return k.record != nil && k.record.State == token.Done }

// isKeyed reports whether the call is made under a key.
func (c *call) isKeyed() bool {
	given, _ := c.caller.Value(keyKey{}).(*bound)
	return given != nil && !c.readOnly && !c.dryRun
}

// begin asks the Journal for the token of a call under a key. One that the call has already is the
// caller's own.
func (c *call) begin(body []byte) error {
	if !c.isKeyed() {
		return nil
	}
	switch err := token.ValidateKey(c.key); {
	case err != nil:
		c.byKey = nil // no call can have been made under it
		return err
	case c.contradictory, c.operation.Token == NoToken:
		c.byKey = nil
		return ErrNoToken
	case isNil(c.t.Journal):
		return ErrNoJournal
	}
	given := c.caller.Value(keyKey{}).(*bound)
	parts := openapi.Parts(&c.request, &c.wire, body)
	if !given.bind(openapi.Fingerprint(parts)) {
		return fmt.Errorf("%w: its context has served that one", token.ErrOtherCall)
	}
	intent := token.Intent{Key: c.key, Operation: c.operation.String(), Params: make([]token.Param, len(parts)), Token: c.token, Lifetime: c.policy.TokenLifetime}
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
	c.byKey = nil // what becomes of this call counts
	c.record, c.token, c.born = &r, r.Token, asked.Add(-r.Age)
	c.resumed = r.State == token.Open && r.Unsettled > 1
	return nil
}

// notBegun is what the Journal's refusal says of the key, and the error to end with. The record is
// there where it is the reason.
func (c *call) notBegun(r token.Record, err error) error {
	other := errors.Is(err, token.ErrOtherCall)
	switch {
	case r.State == token.Done && !other:
		c.know(Done)
		c.recordedAt = r.Ended
	case r.Key != "":
		c.recordOpen = r.State == token.Open
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

// settleRecord writes what became of the call into the Journal, once, and learns from it what
// is known of the key: other calls under it may be open, or may be done.
func (c *call) settleRecord() {
	if c.record == nil {
		return
	}
	if c.reply.rest != nil && c.reply.class == Success && !c.whole.Load() {
		c.recordOpen = true // until it was read to its end: it may yet break off
		return
	}
	r := c.record
	c.record = nil
	result := token.Result{State: stateOf[settle(c.readOnly, c.effects)]}
	switch result.State {
	case token.Open:
		c.recordOpen = true
		return
	case token.Done:
		result.Reply = c.reply.kept()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(foreignContext{c.caller}), journalTimeout)
	defer cancel()
	now, err := c.t.Journal.End(ctx, *r, result)
	c.settling.Lock()
	defer c.settling.Unlock()
	c.recordOpen = false
	if err != nil {
		c.reason += "; the journal: " + scrub(causeOf(Redact(err)))
	}
	switch {
	case now.State == token.Done:
		c.know(Done)
	case err == nil && now.State == token.NotDone:
	case result.State == token.Done:
		c.recordOpen = true
	default:
		c.recordOpen = true
		c.know(Unknown)
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
	record := c.record
	c.record, c.recordedAt = nil, record.Ended
	c.know(Done)
	var kept keptReply
	if err := json.Unmarshal(record.Reply, &kept); err != nil {
		return nil, c.fail("the reply in the journal cannot be read", fmt.Errorf("%w: %w", token.ErrDoneNoReply, err), nil)
	}
	c.replayed, c.reason = true, "the journal has the reply"
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
