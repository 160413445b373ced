package journal_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// TestRules takes keys through their lives. The rules are token.Begin's and token.End's; what is
// tested is that records come through the database as they are.
func TestRules(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		j, other := w.open(t, sqljournal.Options{}), w.open(t, sqljournal.Options{})

		t.Run("a new key", func(t *testing.T) {
			start := time.Now().Add(-time.Second)
			i := intent("new", "web")
			i.Params = append(i.Params, token.Param{Name: "\xff\x00", Value: "x"}, token.Param{Name: "\ufffd", Value: "y"}, token.Param{Name: "名", Value: "z"})
			record := begin(t, j, i)
			if record.Key != "new" || record.Generation != 1 || record.State != token.Open || record.Unsettled != 1 ||
				token.Validate(record.Token) != nil || record.Operation != i.Operation || record.Begun.Before(start) || record.Begun.After(time.Now().Add(time.Second)) {
				t.Errorf("the first record is %+v", record)
			}
			listed := held(t, other)["new"]
			if listed.Age < 0 || listed.Age > time.Minute {
				t.Errorf("its age is %v", listed.Age)
			}
			listed.Age = record.Age
			if !reflect.DeepEqual(listed, record) {
				t.Errorf("begun: %+v\nheld:  %+v", record, listed)
			}
			again := begin(t, other, i)
			if again.Token != record.Token || again.Unsettled != 2 || !again.Begun.Equal(record.Begun) {
				t.Errorf("the second Begin returns %+v", again)
			}
		})

		t.Run("not done", func(t *testing.T) {
			i := intent("not done", "web")
			first := begin(t, j, i)
			second := begin(t, other, i)
			if record := end(t, j, first, token.Result{State: token.Open}); record.State != token.Open || record.Unsettled != 2 {
				t.Errorf("ended as Open: %+v", record)
			}
			if record := end(t, j, first, token.Result{State: token.NotDone}); record.State != token.Open || record.Unsettled != 1 {
				t.Errorf("one of two ended: %+v", record)
			}
			if record := end(t, other, second, token.Result{State: token.NotDone}); record.State != token.NotDone || record.Unsettled != 0 || record.Ended.Before(record.Begun) {
				t.Errorf("two of two ended: %+v", record)
			}
			third := begin(t, j, intent("not done", "another"))
			if third.Generation != 2 || third.Token == first.Token || third.Unsettled != 1 || !third.Ended.IsZero() {
				t.Errorf("the next generation begins as %+v", third)
			}
			if record := end(t, j, first, token.Result{State: token.Done}); record.Generation != 2 || record.State != token.Open {
				t.Errorf("an old generation's end changed it: %+v", record)
			}
		})

		t.Run("done", func(t *testing.T) {
			i := intent("done", "web")
			first := begin(t, j, i)
			if record := end(t, j, first, token.Result{State: token.Done, Reply: []byte("{}")}); record.State != token.Done || record.Reply != nil {
				t.Errorf("ended: %+v", record)
			}
			record, err := other.Begin(soon(t), i)
			if !errors.Is(err, token.ErrDoneNoReply) || record.State != token.Done || record.Token != first.Token {
				t.Errorf("Begin of a done key: %v, %+v", err, record)
			}
			if record := end(t, j, first, token.Result{State: token.NotDone}); record.State != token.Done {
				t.Errorf("done for good, and then %+v", record)
			}
		})

		t.Run("refused", func(t *testing.T) {
			i := intent("refused", "web")
			i.Token = "my token, of 1"
			first := begin(t, j, i)
			if first.Token != i.Token {
				t.Errorf("the token is %q", first.Token)
			}
			for want, change := range map[error]func(*token.Intent){
				token.ErrOtherCall:  func(i *token.Intent) { i.Params[0].Value = "other" },
				token.ErrOtherToken: func(i *token.Intent) { i.Token = "MY token, of 1" },
				token.ErrExpired:    func(i *token.Intent) { i.Lifetime = -1 },
			} {
				i := intent("refused", "web")
				change(&i)
				record, err := other.Begin(soon(t), i)
				if !errors.Is(err, want) || record.Token != first.Token || record.Unsettled != 1 {
					t.Errorf("want %v; Begin: %v, %+v", want, err, record)
				}
			}
			if n := held(t, j)["refused"].Unsettled; n != 1 {
				t.Errorf("what was refused counts: %d", n)
			}
		})

		t.Run("bad keys", func(t *testing.T) {
			for _, key := range []string{"", "\x00", "a\nb", "\xff", strings.Repeat("x", token.MaxKey+1)} {
				if _, err := j.Begin(soon(t), intent(key, "web")); !errors.Is(err, token.ErrKey) {
					t.Errorf("%q: %v", key, err)
				}
			}
			if _, err := j.Begin(soon(t), token.Intent{Key: "bad token", Token: "é"}); !errors.Is(err, token.ErrNotASCII) {
				t.Errorf("a bad token: %v", err)
			}
			if _, there := held(t, j)["bad token"]; there {
				t.Error("a call that was not begun is recorded")
			}
		})

		t.Run("an operation's name", func(t *testing.T) {
			i := intent("operation", "web")
			i.Operation = "a\x00b\xff\n" + strings.Repeat("é", 200)
			begin(t, j, i)
			if got := held(t, j)["operation"].Operation; !strings.HasPrefix(got, "a b? é") || len(got) > 255 {
				t.Errorf("it is %q", got)
			}
		})

		t.Run("no record", func(t *testing.T) {
			ghost := token.Record{Key: "ghost", Generation: 1, Token: "x", Unsettled: 1}
			if record := end(t, j, ghost, token.Result{State: token.Done}); record.State != token.Open {
				t.Errorf("ended: %+v", record)
			}
			if _, there := held(t, j)["ghost"]; there {
				t.Error("End made a record")
			}
		})
	})
}
