package sqljournal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

var sqlite = (&database{
	local: true,
	ready: readySQLite,
	// Not deferred: a transaction that reads first may find that it cannot write any more.
	begin: []string{"BEGIN IMMEDIATE"},
	// 2440587.5 is the Julian day of 1970.
	clock:     `SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), '', '', %s`,
	serialize: "", // BEGIN IMMEDIATE does
	tables:    `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?`,
	migrations: [][]string{{
		`CREATE TABLE IF NOT EXISTS aliretry_journal (
			namespace  TEXT NOT NULL COLLATE BINARY,
			call_key   TEXT NOT NULL COLLATE BINARY,
			generation INTEGER NOT NULL DEFAULT 0,
			token      TEXT NOT NULL DEFAULT '',
			state      INTEGER NOT NULL DEFAULT 0,
			unsettled  INTEGER NOT NULL DEFAULT 0,
			operation  TEXT NOT NULL DEFAULT '',
			salt       BLOB,
			macs       TEXT,
			begun      INTEGER NOT NULL DEFAULT 0,
			ended      INTEGER,
			reply_form INTEGER NOT NULL DEFAULT 0,
			reply      BLOB,
			PRIMARY KEY (namespace, call_key))`,
		`CREATE TABLE IF NOT EXISTS aliretry_journal_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)`,
	}},
	setVersion: `REPLACE INTO aliretry_journal_schema (one, version) VALUES (1, ?)`,
}).forms(`INSERT INTO aliretry_journal (namespace, call_key) VALUES (?, ?) ON CONFLICT DO NOTHING`, "")

// readySQLite sets what SQLite keeps per connection, and outside of transactions only. The pool
// may have made the connection just now, or lent it to others before.
func readySQLite(ctx context.Context, conn *sql.Conn) error {
	for _, pragma := range []string{
		"PRAGMA busy_timeout = 100", // short, since it does not heed the context: see unlocked
		"PRAGMA synchronous = EXTRA",
	} {
		if _, err := conn.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	var synchronous int
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return err
	}
	if synchronous < 2 {
		return fmt.Errorf("%w: synchronous is %d and cannot be set", ErrNotDurable, synchronous)
	}
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	switch strings.ToLower(mode) {
	case "memory", "off":
		return fmt.Errorf("%w: its journal_mode is %s", ErrNotDurable, mode)
	}
	return nil
}
