package crash_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/aliretry/aliretry/integration/journal/servers"
	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// world is an empty database, and how a process reaches it.
type world struct {
	Dialect     sqljournal.Dialect
	Driver, DSN string

	server *servers.Server // nil for SQLite
}

var worlds atomic.Int32

// newSQLite makes a file that writes ahead, or one that rolls back.
func newSQLite(t testing.TB, mode string) world {
	w := world{Dialect: sqljournal.SQLite, Driver: "sqlite", DSN: filepath.Join(t.TempDir(), mode+".db")}
	w.exec(t, "PRAGMA journal_mode = "+mode)
	return w
}

// newPostgres makes a schema.
func newPostgres(t testing.TB) world {
	s, name := postgres.get(t), fmt.Sprintf("crash%d", worlds.Add(1))
	w := world{Dialect: sqljournal.PostgreSQL, Driver: "pgx", DSN: s.PostgresDSN(name), server: s}
	w.exec(t, "CREATE SCHEMA "+name)
	return w
}

// newMariaDB makes a database.
func newMariaDB(t testing.TB) world {
	s, name := mariadb.get(t), fmt.Sprintf("crash%d", worlds.Add(1))
	w := world{Dialect: sqljournal.MySQL, Driver: "mysql", DSN: s.MariaDBDSN(""), server: s}
	w.exec(t, "CREATE DATABASE "+name)
	w.DSN = s.MariaDBDSN(name)
	return w
}

func (w world) exec(t testing.TB, query string) {
	t.Helper()
	db, err := sql.Open(w.Driver, w.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// open opens one of the journals in the database. The pool is the caller's to close.
func (w world) open(ctx context.Context, namespace string) (*sqljournal.Journal, *sql.DB, error) {
	db, err := sql.Open(w.Driver, w.DSN)
	if err != nil {
		return nil, nil, err
	}
	j, err := sqljournal.Open(ctx, db, w.Dialect, sqljournal.Options{Namespace: namespace, KeepReplies: true})
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return j, db, nil
}

// records returns all that one of the journals holds, by key.
func (w world) records(ctx context.Context, namespace string) (map[string]token.Record, error) {
	j, db, err := w.open(ctx, namespace)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	records := map[string]token.Record{}
	for r, err := range j.List(ctx) {
		if err != nil {
			return nil, err
		}
		records[r.Key] = r
	}
	return records, nil
}
