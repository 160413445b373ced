package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aliretry/aliretry/integration/journal/servers"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// isDeadline reports an error of the context's that leaves nothing in doubt.
func isDeadline(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, sqljournal.ErrUncertain)
}

// throughProxy returns a journal of the world whose connections go through a proxy.
func throughProxy(t *testing.T, w world) (*sqljournal.Journal, *servers.Proxy) {
	t.Helper()
	addr := postgres.Addr()
	if w.Dialect == sqljournal.MySQL {
		addr = mariadb.Addr()
	}
	proxy, err := servers.NewProxy(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	server := servers.Server{Port: proxy.Port()}
	if w.DSN = server.PostgresDSN(w.name); w.Dialect == sqljournal.MySQL {
		w.DSN = server.MariaDBDSN(w.name)
	}
	return w.open(t, sqljournal.Options{}), proxy
}

// TestUncertainCommit loses a COMMIT, or its reply. The caller is told that nobody knows, COMMIT is
// sent once, and the record is what the server made of it.
func TestUncertainCommit(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, w world) {
		j, proxy := throughProxy(t, w)
		direct := w.open(t, sqljournal.Options{})
		for name, test := range map[string]struct {
			cut  servers.Cut
			took bool
		}{
			"the COMMIT is lost": {servers.Lost, false},
			"its reply is lost":  {servers.ReplyLost, true},
		} {
			t.Run(name, func(t *testing.T) {
				uncertain := func(what string, call func() error) {
					t.Helper()
					before := proxy.Commits.Load()
					proxy.Cut(test.cut)
					if err := call(); !errors.Is(err, sqljournal.ErrUncertain) {
						t.Errorf("%s: %v", what, err)
					}
					if n := proxy.Commits.Load() - before; n != 1 {
						t.Errorf("%s sent %d COMMITs", what, n)
					}
				}
				key := name
				uncertain("Begin", func() error { _, err := j.Begin(soon(t), intent(key, "web")); return err })
				want := 0
				if test.took {
					want = 1
				}
				if n := held(t, direct)[key].Unsettled; n != want {
					t.Errorf("after Begin, %d are unsettled", n)
				}

				record := begin(t, direct, intent(key, "web"))
				begin(t, direct, intent(key, "web"))
				uncertain("End", func() error { _, err := j.End(soon(t), record, token.Result{State: token.NotDone}); return err })
				if n := held(t, direct)[key].Unsettled; n != 2 {
					t.Errorf("after End, %d are unsettled", n) // two, or three of which one has ended
				}
				uncertain("End as done", func() error { _, err := j.End(soon(t), record, token.Result{State: token.Done}); return err })
				if state := held(t, direct)[key].State; (state == token.Done) != test.took {
					t.Errorf("after End as done, it is %v", state)
				}
				seen := held(t, direct)[key]
				uncertain("Forget", func() error { return j.Forget(soon(t), seen) })
				if _, there := held(t, direct)[key]; there == test.took {
					t.Errorf("after Forget, is it there: %t", there)
				}
			})
		}
	})
}

// TestBusyCommit has SQLite refuse a COMMIT, since another reads the file: it is tried again,
// or undone for certain when the context ends.
func TestBusyCommit(t *testing.T) {
	t.Parallel()
	w := world{Dialect: sqljournal.SQLite, Driver: "sqlite", DSN: filepath.Join(t.TempDir(), "journal.db")} // with a rollback journal
	j := w.open(t, sqljournal.Options{})
	record := begin(t, j, intent("key", "web"))

	reader, err := w.pool(t).BeginTx(soon(t), &sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	var n int
	if err := reader.QueryRow("SELECT COUNT(*) FROM aliretry_journal").Scan(&n); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := j.End(ctx, record, token.Result{State: token.Done}); !isDeadline(err) {
		t.Errorf("while another reads: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := j.End(context.Background(), record, token.Result{State: token.NotDone})
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Errorf("End did not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	reader.Rollback()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r := held(t, j)["key"]; r.State != token.NotDone {
		t.Errorf("the record is %+v", r)
	}
}
