package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/aliretry/aliretry/integration/journal/servers"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// The servers of all tests. Tests that change or kill them are not parallel.
var postgres, mariadb *servers.Server

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		child(job)
		return
	}
	_ = mysql.SetLogger(&mysql.NopLogger{}) // which would tell of every connection that a test breaks
	os.Exit(run(m))
}

func run(m *testing.M) int {
	failed := make(chan error, 2)
	go func() (err error) {
		defer func() { failed <- err }()
		postgres, err = servers.Postgres()
		return err
	}()
	go func() (err error) {
		defer func() { failed <- err }()
		mariadb, err = servers.MariaDB()
		return err
	}()
	ok := true
	for range 2 {
		if err := <-failed; err != nil {
			fmt.Fprintln(os.Stderr, err)
			ok = false
		}
	}
	code := 1
	if ok {
		code = m.Run()
	}
	for _, s := range []*servers.Server{postgres, mariadb} {
		if s == nil {
			continue
		}
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// world is one empty database, and how to reach it.
type world struct {
	Dialect     sqljournal.Dialect
	Driver, DSN string
	name        string // of the schema or database
}

var worlds atomic.Int32

// newWorld makes an empty database.
func newWorld(t testing.TB, dialect sqljournal.Dialect) world {
	w := world{Dialect: dialect, name: fmt.Sprintf("w%d", worlds.Add(1))}
	switch dialect {
	case sqljournal.SQLite:
		w.Driver, w.DSN = "sqlite", filepath.Join(t.TempDir(), "journal.db")
		execute(t, w, "PRAGMA journal_mode = WAL") // that of most who share a file
	case sqljournal.PostgreSQL:
		w.Driver, w.DSN = "pgx", postgres.PostgresDSN(w.name)
		execute(t, w, "CREATE SCHEMA "+w.name)
	case sqljournal.MySQL:
		w.Driver = "mysql"
		w.DSN = mariadb.MariaDBDSN("")
		execute(t, w, "CREATE DATABASE "+w.name)
		w.DSN = mariadb.MariaDBDSN(w.name)
	}
	return w
}

var dialects = []sqljournal.Dialect{sqljournal.SQLite, sqljournal.PostgreSQL, sqljournal.MySQL}

// each runs a test on every database.
func each(t *testing.T, test func(*testing.T, world)) {
	for _, dialect := range dialects {
		t.Run(dialect.String(), func(t *testing.T) { test(t, newWorld(t, dialect)) })
	}
}

// eachServer runs a test on every database that is a server.
func eachServer(t *testing.T, test func(*testing.T, world)) {
	for _, dialect := range dialects[1:] {
		t.Run(dialect.String(), func(t *testing.T) { test(t, newWorld(t, dialect)) })
	}
}

// pool returns a pool of connections, which ends with the test.
func (w world) pool(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(w.Driver, w.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// open returns a journal, which ends with the test.
func (w world) open(t testing.TB, o sqljournal.Options) *sqljournal.Journal {
	t.Helper()
	j, err := sqljournal.Open(soon(t), w.pool(t), w.Dialect, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// execute executes a statement past the journal.
func execute(t testing.TB, w world, query string, args ...any) {
	t.Helper()
	db := w.pool(t)
	defer db.Close()
	if _, err := db.ExecContext(soon(t), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// soon returns a context that ends long after everything should have.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// intent is a call under key, of one parameter.
func intent(key, value string) token.Intent {
	return token.Intent{Key: key, Operation: "Ess 2014-08-28 CreateScalingGroup", Lifetime: time.Hour,
		Params: []token.Param{{Name: "ScalingGroupName", Value: value}, {Name: "MinSize", Value: "2"}}}
}

// begin begins a call that the journal lets begin.
func begin(t testing.TB, j *sqljournal.Journal, i token.Intent) token.Record {
	t.Helper()
	record, err := j.Begin(soon(t), i)
	if err != nil {
		t.Fatalf("beginning %q: %v", i.Key, err)
	}
	return record
}

// end ends a call.
func end(t testing.TB, j *sqljournal.Journal, record token.Record, result token.Result) token.Record {
	t.Helper()
	record, err := j.End(soon(t), record, result)
	if err != nil {
		t.Fatalf("ending %q: %v", record.Key, err)
	}
	return record
}

// held returns the records that the journal lists, by key.
func held(t testing.TB, j *sqljournal.Journal, states ...token.State) map[string]token.Record {
	t.Helper()
	records := map[string]token.Record{}
	for record, err := range j.List(soon(t), states...) {
		if err != nil {
			t.Fatal(err)
		}
		records[record.Key] = record
	}
	return records
}
