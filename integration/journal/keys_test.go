package journal_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// TestKeys begins calls under keys and in namespaces that databases like to take for the same.
func TestKeys(t *testing.T) {
	t.Parallel()
	keys := []string{
		"asg/web", "ASG/web", "asg/web ", " asg/web", "asg/web  ",
		"caf\u00e9", "cafe\u0301", "cafe", "CAF\u00c9", "stra\u00dfe", "strasse", "\u540d\u524d", "\U0001f600", "\U0001f601",
		"a'b", `a"b`, `a\b`, `a\\b`, "a%b", "a_b", "a?b", "$1", "?", "NULL", "0", "00", "1e0", "1", "\u200b", "\u00a0",
		strings.Repeat("x", token.MaxKey), strings.Repeat("x", token.MaxKey-1) + "y", strings.Repeat("x", token.MaxKey-1),
	}
	// The same record has to come of every way to write a key on the wire.
	wires := map[sqljournal.Dialect][]string{
		sqljournal.SQLite:     {""},
		sqljournal.PostgreSQL: {"", "&default_query_exec_mode=simple_protocol", "&default_query_exec_mode=exec"},
		sqljournal.MySQL:      {"", "?charset=latin1", "?interpolateParams=true"},
	}
	type name struct{ namespace, key string }
	each(t, func(t *testing.T, w world) {
		tokens, names := map[name]string{}, map[string]name{}
		for _, wire := range wires[w.Dialect] {
			w := w
			w.DSN += wire
			for _, namespace := range append([]string{""}, keys...) {
				j := w.open(t, sqljournal.Options{Namespace: namespace, KeepReplies: true})
				keys := keys
				if namespace != "" && namespace != "asg/web" {
					keys = keys[:2]
				}
				for _, key := range keys {
					this := name{namespace, key}
					r := begin(t, j, intent(key, "web"))
					if other, taken := names[r.Token]; taken && other != this || r.Key != key {
						t.Errorf("%q: %q has the record of %q: %+v", wire, this, other, r)
					}
					if before := tokens[this]; before != "" && before != r.Token {
						t.Errorf("%q: %q had the token %s, and has %s", wire, this, before, r.Token)
					}
					tokens[this], names[r.Token] = r.Token, this
				}
				var listed []string
				for r, err := range j.List(soon(t)) {
					if err != nil {
						t.Fatal(err)
					}
					listed = append(listed, r.Key)
				}
				if want := slices.Sorted(slices.Values(keys)); !slices.Equal(listed, want) {
					t.Errorf("%q: in %q are\n%q, want\n%q", wire, namespace, listed, want)
				}
			}
			j := w.open(t, sqljournal.Options{Namespace: "a reply", KeepReplies: true})
			i, reply := intent("key"+wire, "web"), []byte("{\"a\": \"\\'\x00\xff\"}")
			end(t, j, begin(t, j, i), token.Result{State: token.Done, Reply: reply})
			if r := begin(t, j, i); !bytes.Equal(r.Reply, reply) {
				t.Errorf("%q: the reply is %q", wire, r.Reply)
			}
		}
	})
}

// TestOptions refuses what cannot be.
func TestOptions(t *testing.T) {
	t.Parallel()
	seal := func(b []byte) ([]byte, error) { return b, nil }
	w := newWorld(t, sqljournal.SQLite)
	db := w.pool(t)
	for name, o := range map[string]sqljournal.Options{
		"Seal alone":          {KeepReplies: true, Seal: seal},
		"Open alone":          {KeepReplies: true, Open: seal},
		"without KeepReplies": {Seal: seal, Open: seal},
	} {
		if _, err := sqljournal.Open(soon(t), db, w.Dialect, o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, namespace := range []string{"a\nb", "\xff", strings.Repeat("x", token.MaxKey+1)} {
		if _, err := sqljournal.Open(soon(t), db, w.Dialect, sqljournal.Options{Namespace: namespace}); !errors.Is(err, token.ErrKey) {
			t.Errorf("the namespace %q: %v", namespace, err)
		}
	}
	if _, err := sqljournal.Open(soon(t), nil, w.Dialect, sqljournal.Options{}); err == nil {
		t.Error("no database is taken")
	}
	if _, err := sqljournal.Open(soon(t), db, 9, sqljournal.Options{}); err == nil || !strings.Contains(err.Error(), "Dialect(9)") {
		t.Errorf("an unknown dialect: %v", err)
	}
}
