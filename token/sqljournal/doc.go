// Package sqljournal keeps a [token.Journal] in a database of SQLite, PostgreSQL, or MySQL or
// MariaDB with InnoDB, through database/sql and any driver. Processes that share the database
// share the journal.
//
//	db, err := sql.Open("pgx", dsn)
//	...
//	journal, err := sqljournal.Open(ctx, db, sqljournal.PostgreSQL, sqljournal.Options{})
//
// # What a record holds
//
// The table aliretry_journal has one row for each key of a namespace: the key, the operation's
// name, the client token, what is known of the call, when it was begun and ended by the
// database's clock, and a fingerprint of its parameters: their names, and a salted MAC of each
// value (see [token.Fingerprint]). It holds no credential, no signature, no host or account that
// is not in the key or the namespace, and no value of a parameter. The reply is there only with
// [Options.KeepReplies], in the clear unless [Options.Seal] says otherwise.
//
// # What survives
//
// [Journal.Begin] and [Journal.End] are one short transaction each, in which the row is locked
// and the rules of token.Begin and token.End decide; nothing is held while the call is made.
// Each transaction waits until the database has it on disk, whatever the session's settings are:
//
//   - PostgreSQL: synchronous_commit is on, or remote_apply if that is the session's. fsync must
//     be on, and the table logged.
//   - MySQL, MariaDB: the table is InnoDB's, innodb_flush_log_at_trx_commit is 1, and sync_binlog
//     too where there is a binary log, for recovery drops what that has lost.
//   - SQLite: PRAGMA synchronous is EXTRA, since FULL can lose the last transaction of a rollback
//     journal to a loss of power. One transaction at a time has the file: for a few processes, not
//     for dozens on a slow disk. The journal mode is yours, but for MEMORY and OFF, with which a
//     crash can destroy the file, and databases in memory.
//
// What cannot be had ends in [ErrNotDurable], on Open and in every later transaction. A disk
// that lies, and a replica that is promoted without the last transactions, cannot be seen from
// here: such a database forgets tokens, and a call may then be made twice.
//
// # When the database fails
//
// A transaction is repeated a few times, if it failed before its COMMIT was sent and the reason
// may pass: a deadlock, a lock that is not to be had, a connection that broke. A COMMIT that
// fails may have taken effect: [ErrUncertain]. It is never repeated. After such a Begin nothing
// is sent, and nothing is lost, but the record may be open with one call more that nobody will
// end: the next Begin under the key goes on with its token, or [Journal.Resolve] closes it. After
// such an End the record may still be open, with the same consequence.
//
// A process that dies without End leaves its record open too, which is what a journal is for.
package sqljournal
