package journal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/integration/journal/servers"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// TestNotDurable sets servers up so that they could forget. The settings are the whole server's.
func TestNotDurable(t *testing.T) {
	type setting struct {
		set, reset string
		want       error
	}
	settings := map[sqljournal.Dialect][]setting{
		sqljournal.PostgreSQL: {
			{"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM RESET fsync", sqljournal.ErrNotDurable},
			{"ALTER TABLE aliretry_journal SET UNLOGGED", "ALTER TABLE aliretry_journal SET LOGGED", sqljournal.ErrNotDurable},
		},
		sqljournal.MySQL: {
			{"SET GLOBAL innodb_flush_log_at_trx_commit = 2", "SET GLOBAL innodb_flush_log_at_trx_commit = 1", sqljournal.ErrNotDurable},
			{"SET GLOBAL innodb_flush_log_at_trx_commit = 0", "SET GLOBAL innodb_flush_log_at_trx_commit = 1", sqljournal.ErrNotDurable},
			{"SET GLOBAL sync_binlog = 0", "SET GLOBAL sync_binlog = 1", sqljournal.ErrNotDurable},
			{"SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0", sqljournal.ErrReadOnly},
			{"ALTER TABLE aliretry_journal ENGINE = Aria", "ALTER TABLE aliretry_journal ENGINE = InnoDB", sqljournal.ErrNotDurable},
		},
	}
	eachServer(t, func(t *testing.T, w world) {
		j := w.open(t, sqljournal.Options{})
		record := begin(t, j, intent("key", "web"))
		for _, s := range settings[w.Dialect] {
			apply := func(statement string) {
				execute(t, w, statement)
				if strings.HasPrefix(statement, "ALTER SYSTEM") {
					reload(t, w, "fsync", map[bool]string{true: "off", false: "on"}[statement == s.set])
				}
			}
			apply(s.set)
			if _, err := sqljournal.Open(soon(t), w.pool(t), w.Dialect, sqljournal.Options{}); !errors.Is(err, s.want) {
				t.Errorf("%s: Open: %v", s.set, err)
			}
			if !strings.HasPrefix(s.set, "ALTER TABLE") { // nobody does that meanwhile
				if _, err := j.Begin(soon(t), intent("key", "web")); !errors.Is(err, s.want) {
					t.Errorf("%s: Begin: %v", s.set, err)
				}
				if _, err := j.End(soon(t), record, token.Result{State: token.Done}); !errors.Is(err, s.want) {
					t.Errorf("%s: End: %v", s.set, err)
				}
			}
			apply(s.reset)
		}
		if r := begin(t, j, intent("key", "web")); r.Unsettled != 2 {
			t.Errorf("what was refused is recorded: %+v", r)
		}
	})
}

// reload has PostgreSQL read its settings again, and returns when a connection sees one.
func reload(t *testing.T, w world, name, want string) {
	t.Helper()
	execute(t, w, "SELECT pg_reload_conf()")
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var got string
		db := w.pool(t)
		err := db.QueryRowContext(soon(t), "SHOW "+name).Scan(&got)
		db.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
	}
	t.Fatalf("%s does not become %s", name, want)
}

// TestSessionSettings has the user's sessions give up durability, which a transaction of the
// journal's takes back.
func TestSessionSettings(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		w := newWorld(t, sqljournal.PostgreSQL)
		for set, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply"} {
			w := w
			w.DSN += "&synchronous_commit=" + set + "&default_transaction_isolation=serializable"
			j := w.open(t, sqljournal.Options{})
			begin(t, j, intent("key "+set, "web"))
			if got := seenAtCommit(t, w, j, "key "+set); got != want {
				t.Errorf("%s is %s at COMMIT, want %s", set, got, want)
			}
		}
		w.DSN += "&default_transaction_read_only=on" // as operators do when a disk is full
		if _, err := sqljournal.Open(soon(t), w.pool(t), w.Dialect, sqljournal.Options{}); !errors.Is(err, sqljournal.ErrReadOnly) {
			t.Errorf("Open of what is read-only: %v", err)
		}
	})
	t.Run("SQLite", func(t *testing.T) {
		for _, mode := range []string{"DELETE", "TRUNCATE", "PERSIST", "WAL", "MEMORY", "OFF"} {
			w := world{Dialect: sqljournal.SQLite, Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "journal.db") + "?_pragma=synchronous(0)&_pragma=journal_mode(" + mode + ")"}
			db := w.pool(t)
			j, err := sqljournal.Open(soon(t), db, w.Dialect, sqljournal.Options{})
			if refused := mode == "MEMORY" || mode == "OFF"; refused {
				if !errors.Is(err, sqljournal.ErrNotDurable) {
					t.Errorf("journal_mode %s: %v", mode, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("journal_mode %s: %v", mode, err)
			}
			begin(t, j, intent("key", "web"))
			var synchronous int
			if err := db.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil || synchronous != 3 {
				t.Errorf("journal_mode %s: synchronous is %d, %v", mode, synchronous, err)
			}
		}
		memory := world{Dialect: sqljournal.SQLite, Driver: "sqlite", DSN: ":memory:"}
		if _, err := sqljournal.Open(soon(t), memory.pool(t), memory.Dialect, sqljournal.Options{}); !errors.Is(err, sqljournal.ErrNotDurable) {
			t.Errorf("in memory: %v", err)
		}
	})
	t.Run("MySQL", func(t *testing.T) {
		w := newWorld(t, sqljournal.MySQL)
		for _, set := range []string{"autocommit=0", "sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'", "tx_isolation='SERIALIZABLE'", "time_zone='-11:00'"} {
			w := w
			w.DSN += "?clientFoundRows=true&parseTime=true&" + set
			j := w.open(t, sqljournal.Options{})
			r := begin(t, j, intent(set, "web"))
			if d := time.Since(r.Begun); d < -time.Minute || d > time.Minute {
				t.Errorf("%s: begun at %v", set, r.Begun)
			}
			if r := end(t, j, r, token.Result{State: token.NotDone}); r.State != token.NotDone {
				t.Errorf("%s: ended as %+v", set, r)
			}
		}
		if n := len(held(t, w.open(t, sqljournal.Options{}))); n != 4 {
			t.Errorf("%d records are there", n)
		}
		w.DSN += "?tx_read_only=1"
		if _, err := w.open(t, sqljournal.Options{}).Begin(soon(t), intent("key", "web")); !errors.Is(err, sqljournal.ErrReadOnly) {
			t.Errorf("Begin in a session that is read-only: %v", err)
		}
	})
}

// seenAtCommit returns synchronous_commit as it is when a transaction on key commits.
func seenAtCommit(t *testing.T, w world, j *sqljournal.Journal, key string) string {
	t.Helper()
	w.DSN = postgres.PostgresDSN(w.name)
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS seen (setting text)",
		"DELETE FROM seen",
		"CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$",
		"DROP TRIGGER IF EXISTS noted ON aliretry_journal",
		"CREATE CONSTRAINT TRIGGER noted AFTER UPDATE ON aliretry_journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()",
	} {
		execute(t, w, statement)
	}
	begin(t, j, intent(key, "web"))
	var got string
	if err := w.pool(t).QueryRow("SELECT setting FROM seen").Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestStandby opens a journal on a standby, which has the tables and takes no writes.
func TestStandby(t *testing.T) {
	w := newWorld(t, sqljournal.PostgreSQL)
	begin(t, w.open(t, sqljournal.Options{}), intent("key", "web"))
	standby, err := servers.PostgresStandby(postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	}()
	w.DSN = standby.PostgresDSN(w.name)
	if _, err := sqljournal.Open(soon(t), w.pool(t), w.Dialect, sqljournal.Options{}); !errors.Is(err, sqljournal.ErrReadOnly) {
		t.Errorf("Open: %v", err)
	}
}

// TestKilledServer kills the server after Begins, and after one that waits: what has returned is
// there when the server is up again.
func TestKilledServer(t *testing.T) {
	eachServer(t, func(t *testing.T, w world) {
		server := map[sqljournal.Dialect]*servers.Server{sqljournal.PostgreSQL: postgres, sqljournal.MySQL: mariadb}[w.Dialect]
		j := w.open(t, sqljournal.Options{})
		tokens := map[string]string{}
		for n := range 20 {
			key := fmt.Sprint("key ", n)
			tokens[key] = begin(t, j, intent(key, "web")).Token
		}
		server.Kill()
		if _, err := j.Begin(soon(t), intent("key 0", "web")); err == nil {
			t.Error("no server, and no error")
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		for key, want := range tokens {
			if r := begin(t, j, intent(key, "web")); r.Token != want || r.Unsettled != 2 {
				t.Errorf("after the crash: %+v", r)
			}
		}
	})
}
