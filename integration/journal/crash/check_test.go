package crash_test

import (
	"fmt"
	"slices"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
)

// evidence is all that is known when every key is settled: what callers were told, what the
// endpoint saw and did, what the journal holds, and what a last call of each key came to.
type evidence struct {
	keys     []string
	told     map[string][]string // see books
	notDone  map[string]string
	calls    int
	outages  int
	open     int
	sent     int // attempts before the last calls
	attempts []retrytest.Attempt
	effects  []retrytest.Effect
	records  map[string]token.Record
	last     map[string]called
}

// keyOf is the key of a call: its resource's name.
func keyOf(a retrytest.Attempt) string {
	return a.Query.Get("ScalingGroupName") + a.Form.Get("ScalingGroupName")
}

// check returns all that is wrong.
func (e *evidence) check() (wrong []string) {
	attempts, effects := map[string][]retrytest.Attempt{}, map[string][]retrytest.Effect{}
	for _, a := range e.attempts {
		attempts[keyOf(a)] = append(attempts[keyOf(a)], a)
	}
	for _, effect := range e.effects {
		key := effect.Params.Get("ScalingGroupName")
		effects[key] = append(effects[key], effect)
		if e.notDone[effect.ClientToken] != "" {
			wrong = append(wrong, fmt.Sprintf("%q: has an effect under %s, of which a caller was told that it is not done", key, effect.ClientToken))
		}
	}
	for _, key := range e.keys {
		for _, text := range e.checkKey(key, attempts[key], effects[key]) {
			wrong = append(wrong, fmt.Sprintf("%q: %s", key, text))
		}
		delete(attempts, key)
		delete(effects, key)
	}
	if n := len(e.attempts) - e.sent; n > 0 {
		wrong = append(wrong, fmt.Sprintf("the last calls were sent, in %d attempts", n))
	}
	if len(attempts) > 0 || len(effects) > 0 || len(e.records) != len(e.keys) {
		wrong = append(wrong, fmt.Sprintf("%d keys were asked for: there are %d records, and attempts of %d and effects of %d other keys", len(e.keys), len(e.records), len(attempts), len(effects)))
	}
	return wrong
}

func (e *evidence) checkKey(key string, attempts []retrytest.Attempt, effects []retrytest.Effect) (wrong []string) {
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(effects) != 1 {
		fail("has %d effects; its attempts:%s", len(effects), timeline(attempts))
		return wrong
	}
	effect, record := effects[0], e.records[key]
	if record.Key != key || record.State != token.Done || record.Token != effect.ClientToken {
		fail("its record is %v in generation %d under %q, and its effect was made under %s", record.State, record.Generation, record.Token, effect.ClientToken)
	}

	// A token is given up for good, and each of the generations has one.
	var tokens []string
	for _, a := range attempts {
		if n := len(tokens); n > 0 && tokens[n-1] == a.ClientToken {
			continue
		}
		if slices.Contains(tokens, a.ClientToken) || a.ClientToken == "" {
			fail("was sent under %q after another token; its attempts:%s", a.ClientToken, timeline(attempts))
		}
		tokens = append(tokens, a.ClientToken)
	}
	if n := len(tokens); n == 0 || int64(n) > record.Generation || tokens[n-1] != record.Token {
		fail("was sent under %d tokens in %d generations, the last of which is recorded with %q; its attempts:%s", n, record.Generation, record.Token, timeline(attempts))
	}

	if len(e.told[key]) == 0 {
		fail("nobody was told of %s", effect.ResourceID)
	}
	for _, id := range e.told[key] {
		if id != effect.ResourceID {
			fail("a caller was told of %s, and the effect is %s", id, effect.ResourceID)
		}
	}
	if last := e.last[key]; !last.Replayed || last.ID != effect.ResourceID {
		fail("the last call was not answered with %s by the journal: %+v", effect.ResourceID, last)
	}
	return wrong
}

// timeline shows attempts to people.
func timeline(attempts []retrytest.Attempt) (text string) {
	for _, a := range attempts {
		text += fmt.Sprintf("\n\t%s  #%d under %s: %v, %s, status %d, effect %t, replayed %t",
			a.Received.Format("04:05.000"), a.Number, a.ClientToken, a.Fault, a.Problem, a.Status, a.Effect, a.Replayed)
	}
	return text
}
