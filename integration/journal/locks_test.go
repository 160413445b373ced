package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// hold locks the row of key, as another process that is slow, and returns what lets it go.
func hold(t *testing.T, w world, key string) (release func()) {
	t.Helper()
	conn, err := w.pool(t).Conn(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"BEGIN", "SELECT * FROM aliretry_journal WHERE call_key = '" + key + "' FOR UPDATE"}
	if w.Dialect == sqljournal.SQLite {
		statements = []string{"BEGIN IMMEDIATE"}
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(soon(t), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if _, err := conn.ExecContext(soon(t), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// waiter returns the server's connection that waits for a lock, when there is one other than
// those given.
func waiter(t *testing.T, w world, not []int64) int64 {
	t.Helper()
	query := "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%aliretry_journal%'"
	if w.Dialect == sqljournal.MySQL {
		query = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
	}
	db := w.pool(t)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(150 * time.Millisecond) {
		// InnoDB shows the same picture until nobody has looked for 100 ms.
		var id int64
		switch err := db.QueryRowContext(soon(t), query).Scan(&id); {
		case err == nil && !slices.Contains(not, id):
			return id
		case err != nil && err != sql.ErrNoRows:
			t.Fatal(err)
		}
	}
	t.Fatal("nobody waits for the row")
	return 0
}

// TestCutConnection breaks the connection of a Begin that waits for its row, three times: none
// of it had an effect, and Begin goes on with another connection.
func TestCutConnection(t *testing.T) {
	eachServer(t, func(t *testing.T, w world) {
		j := w.open(t, sqljournal.Options{})
		first := begin(t, j, intent("key", "web"))
		release := hold(t, w, "key")
		got := make(chan error, 1)
		var second token.Record
		go func() (err error) {
			defer func() { got <- err }()
			second, err = j.Begin(context.Background(), intent("key", "web"))
			return err
		}()
		var cut []int64
		for range 3 {
			id := waiter(t, w, cut)
			if cut = append(cut, id); w.Dialect == sqljournal.PostgreSQL {
				execute(t, w, "SELECT pg_terminate_backend($1)", id)
			} else {
				execute(t, w, fmt.Sprint("KILL CONNECTION ", id))
			}
		}
		waiter(t, w, cut)
		release()
		if err := <-got; err != nil || second.Token != first.Token || second.Unsettled != 2 {
			t.Errorf("Begin: %v, %+v", err, second)
		}
		if n := held(t, j)["key"].Unsettled; n != 2 {
			t.Errorf("%d are unsettled after two Begins", n)
		}
	})
}

// TestStalePool breaks the pool's idle connections, as a server that was restarted does.
func TestStalePool(t *testing.T) {
	eachServer(t, func(t *testing.T, w world) {
		db := w.pool(t)
		j, err := sqljournal.Open(soon(t), db, w.Dialect, sqljournal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		begin(t, j, intent("key", "web"))
		var id int64
		if w.Dialect == sqljournal.PostgreSQL {
			err = db.QueryRow("SELECT pg_backend_pid()").Scan(&id)
			execute(t, w, "SELECT pg_terminate_backend($1)", id)
		} else {
			err = db.QueryRow("SELECT CONNECTION_ID()").Scan(&id)
			execute(t, w, fmt.Sprint("KILL CONNECTION ", id))
		}
		if err != nil {
			t.Fatal(err)
		}
		if r := begin(t, j, intent("key", "web")); r.Unsettled != 2 {
			t.Errorf("the second Begin: %+v", r)
		}
	})
}

// TestCancel ends the context of calls that wait for a row.
func TestCancel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		db := w.pool(t)
		j, err := sqljournal.Open(soon(t), db, w.Dialect, sqljournal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		record := begin(t, j, intent("key", "web"))
		for name, call := range map[string]func(context.Context) error{
			"Begin": func(ctx context.Context) error { _, err := j.Begin(ctx, intent("key", "web")); return err },
			"End": func(ctx context.Context) error {
				_, err := j.End(ctx, record, token.Result{State: token.Done})
				return err
			},
			"Resolve": func(ctx context.Context) error { return j.Resolve(ctx, record, token.Done) },
			"Forget":  func(ctx context.Context) error { return j.Forget(ctx, record) },
		} {
			release := hold(t, w, "key")
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			start := time.Now()
			err := call(ctx)
			cancel()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s ended after %v", name, took)
			}
			if !isDeadline(err) {
				t.Errorf("%s: %v", name, err)
			}
			release()
		}
		// Nothing of it is there, and no connection kept anything.
		if r := begin(t, j, intent("key", "web")); r.Unsettled != 2 || r.State != token.Open {
			t.Errorf("the next Begin: %+v", r)
		}
		if n := db.Stats().InUse; n != 0 {
			t.Errorf("%d connections are in use", n)
		}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := j.Begin(done, intent("key", "web")); err == nil {
			t.Error("a context that has ended began a call")
		}
	})
}

// TestBeginWhileForgotten has the record go away while Begin waits for it: Begin makes a new one.
func TestBeginWhileForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		if w.Dialect == sqljournal.SQLite {
			return // which has no row to wait for: one transaction writes at a time
		}
		j := w.open(t, sqljournal.Options{})
		end(t, j, begin(t, j, intent("k", "web")), token.Result{State: token.NotDone})
		conn, err := w.pool(t).Conn(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		do := func(statement string) {
			if _, err := conn.ExecContext(soon(t), statement); err != nil {
				t.Fatal(err)
			}
		}
		do("BEGIN")
		do("SELECT * FROM aliretry_journal WHERE call_key = 'k' FOR UPDATE")
		done := make(chan error, 1)
		go func() { _, err := j.Begin(soon(t), intent("k", "web")); done <- err }()
		waiter(t, w, nil)
		do("DELETE FROM aliretry_journal WHERE call_key = 'k'")
		do("COMMIT")
		if err := <-done; err != nil {
			t.Error(err)
		}
		if r := held(t, j)["k"]; r.Generation != 1 || r.State != token.Open {
			t.Errorf("%+v", r)
		}
	})
}
