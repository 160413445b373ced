package journal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

var errBadSeal = errors.New("bad seal")

// flip is encryption enough to tell what was stored from what was meant.
func flip(b []byte) []byte {
	out := []byte{'S'}
	for _, c := range b {
		out = append(out, ^c)
	}
	return out
}

func sealed() sqljournal.Options {
	return sqljournal.Options{
		KeepReplies: true,
		Seal:        func(b []byte) ([]byte, error) { return flip(b), nil },
		Open: func(b []byte) ([]byte, error) {
			if len(b) == 0 || b[0] != 'S' {
				return nil, errBadSeal
			}
			return flip(b[1:])[1:], nil
		},
	}
}

// TestReplies ends calls with replies, and begins them again.
func TestReplies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		plain, closed, none := w.open(t, sqljournal.Options{KeepReplies: true}), w.open(t, sealed()), w.open(t, sqljournal.Options{})
		every := make([]byte, 1000)
		for i := range every {
			every[i] = byte(i)
		}
		for name, reply := range map[string][]byte{
			"every byte": every,
			"empty":      {},
			"large":      bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16),
		} {
			for kind, j := range map[string]*sqljournal.Journal{"plain": plain, "sealed": closed} {
				i := intent(kind+" "+name, "web")
				if r := end(t, j, begin(t, j, i), token.Result{State: token.Done, Reply: reply}); r.State != token.Done || r.Reply == nil || !bytes.Equal(r.Reply, reply) {
					t.Errorf("%s: End returns %v and %d bytes", i.Key, r.State, len(r.Reply))
				}
				r, err := closed.Begin(soon(t), i) // which can open both
				if err != nil || r.State != token.Done || r.Reply == nil || !bytes.Equal(r.Reply, reply) {
					t.Errorf("%s: %v; Begin returns %v and %d bytes", i.Key, err, r.State, len(r.Reply))
				}
				if listed := held(t, j)[i.Key]; listed.Reply != nil {
					t.Errorf("%s: listed with its reply", i.Key)
				}
				var stored []byte
				query := map[bool]string{false: "SELECT reply FROM aliretry_journal WHERE call_key = ?", true: "SELECT reply FROM aliretry_journal WHERE call_key = $1"}[w.Dialect == sqljournal.PostgreSQL]
				if err := w.pool(t).QueryRow(query, i.Key).Scan(&stored); err != nil {
					t.Fatal(err)
				}
				if kind == "sealed" && len(reply) > 0 && bytes.Contains(stored, reply[:len(reply)/2]) {
					t.Errorf("%s: the reply is stored in the clear", i.Key)
				}
				changed := intent(i.Key, "other")
				if r, err := closed.Begin(soon(t), changed); !errors.Is(err, token.ErrOtherCall) || r.Reply != nil {
					t.Errorf("another call: %v, and %d bytes", err, len(r.Reply))
				}
			}
		}
		if r, err := none.Begin(soon(t), intent("sealed empty", "web")); !errors.Is(err, sqljournal.ErrReply) || r.State != token.Done || r.Reply != nil {
			t.Errorf("without Open: %v, %+v", err, r)
		}
		damaged := map[bool]string{true: `'\x00'`, false: "X'00'"}[w.Dialect == sqljournal.PostgreSQL]
		execute(t, w, "UPDATE aliretry_journal SET reply = "+damaged+" WHERE call_key = 'sealed every byte'")
		if r, err := closed.Begin(soon(t), intent("sealed every byte", "web")); !errors.Is(err, sqljournal.ErrReply) || !errors.Is(err, errBadSeal) || r.State != token.Done || r.Reply != nil {
			t.Errorf("damaged: %v, %+v", err, r)
		}

		for name, test := range map[string]struct {
			o     sqljournal.Options
			reply []byte
			err   error
		}{
			"not kept":  {sqljournal.Options{}, every, nil},
			"no reply":  {sealed(), nil, nil},
			"too large": {sealed(), make([]byte, 4<<20+1), nil},
			"cannot be sealed": {sqljournal.Options{KeepReplies: true, Open: sealed().Open,
				Seal: func([]byte) ([]byte, error) { return nil, errBadSeal }}, every, sqljournal.ErrSeal},
		} {
			j := w.open(t, test.o)
			r, err := j.End(soon(t), begin(t, j, intent(name, "web")), token.Result{State: token.Done, Reply: test.reply})
			if !errors.Is(err, test.err) || r.State != token.Done || r.Reply != nil {
				t.Errorf("%s: End: %v, %v and %d bytes", name, err, r.State, len(r.Reply))
			}
			if _, err := j.Begin(soon(t), intent(name, "web")); !errors.Is(err, token.ErrDoneNoReply) {
				t.Errorf("%s: Begin: %v", name, err)
			}
		}
	})
}
