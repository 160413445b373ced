package sqljournal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

var mysql = (&database{
	binary: true,
	// Under REPEATABLE READ a row that is missing is locked by the gap it would be in, and two
	// that insert into one gap wait for each other.
	begin: []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"},
	// MariaDB's 3 flushes more than 1 does. A binary log that has lost a transaction makes recovery
	// undo it.
	clock: `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000,
		CASE WHEN CONCAT(@@global.read_only, '') NOT IN ('0', 'OFF') THEN 'read_only is on'
			WHEN @@global.innodb_read_only THEN 'innodb_read_only is on' ELSE '' END,
		CASE WHEN @@global.innodb_flush_log_at_trx_commit NOT IN (1, 3) THEN CONCAT('innodb_flush_log_at_trx_commit is ', @@global.innodb_flush_log_at_trx_commit)
			WHEN @@global.log_bin AND @@global.sync_binlog <> 1 THEN CONCAT('log_bin is on, and sync_binlog is ', @@global.sync_binlog) ELSE '' END,
		%s`,
	exclusive: oneMySQL,
	tables:    `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?`,
	unfit: `SELECT COALESCE((SELECT CONCAT('the table is of ', COALESCE(engine, 'no engine')) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'aliretry_journal' AND COALESCE(engine, '') <> 'InnoDB'), '')`,
	migrations: [][]string{{
		// VARBINARY compares bytes, without padding, and no character set applies to it.
		`CREATE TABLE IF NOT EXISTS aliretry_journal (
			namespace  VARBINARY(255) NOT NULL,
			call_key   VARBINARY(255) NOT NULL,
			generation BIGINT NOT NULL DEFAULT 0,
			token      VARBINARY(64) NOT NULL DEFAULT '',
			state      SMALLINT NOT NULL DEFAULT 0,
			unsettled  BIGINT NOT NULL DEFAULT 0,
			operation  VARBINARY(255) NOT NULL DEFAULT '',
			salt       VARBINARY(64),
			macs       MEDIUMBLOB,
			begun      BIGINT NOT NULL DEFAULT 0,
			ended      BIGINT,
			reply_form SMALLINT NOT NULL DEFAULT 0,
			reply      LONGBLOB,
			PRIMARY KEY (namespace, call_key)) ENGINE = InnoDB`,
		`CREATE TABLE IF NOT EXISTS aliretry_journal_schema (one SMALLINT PRIMARY KEY, version INT NOT NULL) ENGINE = InnoDB`,
	}},
	setVersion: `REPLACE INTO aliretry_journal_schema (one, version) VALUES (1, ?)`,
	// INSERT IGNORE would take a shared lock of a row that exists, and all who hold one wait for
	// each other to have it alone; this takes the lock that is needed at once.
}).forms(`INSERT INTO aliretry_journal (namespace, call_key) VALUES (?, ?) ON DUPLICATE KEY UPDATE call_key = call_key`, " FOR UPDATE")

// oneMySQL runs f while nobody else does on the server: a statement of DDL commits what went
// before it, so no transaction can hold migrations together. One that is broken off is begun again
// by the next Open, which every statement of a migration has to bear.
func oneMySQL(ctx context.Context, conn *sql.Conn, f func() error) error {
	const get = "SELECT GET_LOCK('aliretry_journal', 1)"
	for start := time.Now(); ; {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, get).Scan(&got); err != nil {
			return err
		}
		if got.Int64 == 1 {
			break
		}
		if time.Since(start) > patience {
			return errors.New("another process migrates the journal's tables, and takes too long")
		}
	}
	err := f()
	if err == nil { // for sessions without autocommit
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, failed := conn.ExecContext(release, "DO RELEASE_LOCK('aliretry_journal')"); failed != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the lock ends with its connection
	}
	return err
}
