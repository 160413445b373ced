package crash_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
)

// TestChecker shows that check sees what is wrong, and nothing where all is well.
func TestChecker(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		spoil      func(*evidence)
	}{
		{"all is well", "", func(*evidence) {}},
		{"two effects", "has 2 effects", func(e *evidence) { e.effects = append(e.effects, effect("a", "t9", "asg-9")) }},
		{"no effect", "has 0 effects", func(e *evidence) { e.effects = e.effects[1:] }},
		{"a lost key", "there are 1 records", func(e *evidence) { delete(e.records, "b") }},
		{"a record that is open", "its record is Open", func(e *evidence) { e.records["a"] = token.Record{Key: "a", Generation: 2, Token: "t2"} }},
		{"another token recorded", `under "t9"`, func(e *evidence) {
			e.records["a"] = token.Record{Key: "a", Generation: 2, Token: "t9", State: token.Done}
		}},
		{"a token comes back", `under "t1" after another`, func(e *evidence) { e.attempts = append(e.attempts, attempt("a", "t1")) }},
		{"two tokens in a generation", "under 2 tokens in 1 generations", func(e *evidence) {
			e.records["a"] = token.Record{Key: "a", Generation: 1, Token: "t2", State: token.Done}
		}},
		{"no token", `under ""`, func(e *evidence) { e.attempts = append(e.attempts, attempt("b", "")) }},
		{"nobody told", "nobody was told of asg-1", func(e *evidence) { e.told["a"] = nil }},
		{"told wrongly", "a caller was told of asg-2", func(e *evidence) { e.told["a"] = append(e.told["a"], "asg-2") }},
		{"told that it is not done", "told that it is not done", func(e *evidence) { e.notDone["t2"] = "a" }},
		{"sent at last", "the last calls were sent, in 1 attempts", func(e *evidence) { e.sent-- }},
		{"not replayed", "was not answered with asg-1", func(e *evidence) { e.last["a"] = called{ID: "asg-1"} }},
		{"replayed wrongly", "was not answered with asg-1", func(e *evidence) { e.last["a"] = called{ID: "asg-2", Replayed: true} }},
		{"an effect of nobody's", "effects of 1 other keys", func(e *evidence) { e.effects = append(e.effects, effect("c", "t9", "asg-9")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := well()
			e.sent = len(e.attempts)
			tt.spoil(e)
			e.sent += len(e.attempts) - len(well().attempts)
			wrong := strings.Join(e.check(), "\n")
			if tt.want == "" && wrong != "" || !strings.Contains(wrong, tt.want) {
				t.Errorf("it sees %q, and not %q", wrong, tt.want)
			}
		})
	}
}

// well is the evidence of two calls, the first of which was made anew under a second token.
func well() *evidence {
	return &evidence{
		keys:     []string{"a", "b"},
		told:     map[string][]string{"a": {"asg-1", "asg-1"}, "b": {"asg-2"}},
		notDone:  map[string]string{"t1": "a"},
		attempts: []retrytest.Attempt{attempt("a", "t1"), attempt("a", "t2"), attempt("b", "t3"), attempt("a", "t2")},
		effects:  []retrytest.Effect{effect("a", "t2", "asg-1"), effect("b", "t3", "asg-2")},
		records: map[string]token.Record{
			"a": {Key: "a", Generation: 2, Token: "t2", State: token.Done},
			"b": {Key: "b", Generation: 1, Token: "t3", State: token.Done},
		},
		last: map[string]called{"a": {ID: "asg-1", Replayed: true}, "b": {ID: "asg-2", Replayed: true}},
	}
}

func attempt(key, token string) retrytest.Attempt {
	return retrytest.Attempt{ClientToken: token, Query: url.Values{"ScalingGroupName": {key}}}
}

func effect(key, token, id string) retrytest.Effect {
	return retrytest.Effect{ClientToken: token, ResourceID: id, Params: url.Values{"ScalingGroupName": {key}}}
}
