package journal_test

import (
	"errors"
	"testing"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// TestSchema opens tables of other versions.
func TestSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		j := w.open(t, sqljournal.Options{})
		record := begin(t, j, intent("key", "web"))

		t.Run("broken off", func(t *testing.T) { // before the version was written
			execute(t, w, "DELETE FROM aliretry_journal_schema")
			j := w.open(t, sqljournal.Options{})
			if r := begin(t, j, intent("key", "web")); r.Token != record.Token {
				t.Errorf("the record is %+v", r)
			}
		})

		t.Run("newer", func(t *testing.T) {
			execute(t, w, "UPDATE aliretry_journal_schema SET version = 1000")
			if _, err := sqljournal.Open(soon(t), w.pool(t), w.Dialect, sqljournal.Options{}); !errors.Is(err, sqljournal.ErrVersion) {
				t.Errorf("Open: %v", err)
			}
			if _, err := j.Begin(soon(t), intent("key", "web")); !errors.Is(err, sqljournal.ErrVersion) {
				t.Errorf("Begin: %v", err)
			}
			if _, err := j.End(soon(t), record, token.Result{State: token.Done}); !errors.Is(err, sqljournal.ErrVersion) {
				t.Errorf("End: %v", err)
			}
			for _, err := range j.List(soon(t)) {
				if !errors.Is(err, sqljournal.ErrVersion) {
					t.Errorf("List: %v", err)
				}
			}
		})
	})
}

// TestRights opens a journal that is there already as a user who may not create tables.
func TestRights(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		w := newWorld(t, sqljournal.PostgreSQL)
		w.open(t, sqljournal.Options{})
		for _, statement := range []string{
			"CREATE ROLE clerk", "GRANT USAGE ON SCHEMA " + w.name + " TO clerk",
			"GRANT SELECT, INSERT, UPDATE, DELETE ON aliretry_journal TO clerk", "GRANT SELECT ON aliretry_journal_schema TO clerk",
		} {
			execute(t, w, statement)
		}
		w.DSN += "&role=clerk"
		begin(t, w.open(t, sqljournal.Options{}), intent("key", "web"))
	})
	t.Run("MySQL", func(t *testing.T) {
		w := newWorld(t, sqljournal.MySQL)
		w.open(t, sqljournal.Options{})
		execute(t, w, "CREATE USER clerk IDENTIFIED BY 'clerk'")
		execute(t, w, "GRANT SELECT, INSERT, UPDATE, DELETE ON "+w.name+".* TO clerk")
		w.DSN = "clerk:clerk@" + w.DSN[len("root@"):]
		begin(t, w.open(t, sqljournal.Options{}), intent("key", "web"))
	})
}
