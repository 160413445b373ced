// Package journal holds tests alone: of package sqljournal on real databases, SQLite in files,
// and PostgreSQL and MariaDB in servers that the tests start and stop (package servers). It is a
// module of its own, for the drivers. A server that is not installed fails the tests;
// databases.sh installs what is missing.
//
// Each test runs on all databases, with a database or schema of its own:
//
//	TestRules            what token.Begin and token.End say, through the database
//	TestProcesses        32 processes that begin the same keys agree on every token
//	TestOpenAtOnce       16 processes open an empty database
//	TestKilledProcess    kill -9 in the middle of anything leaves whole records, and no locks
//	TestKilledServer     what Begin returned is there after a crash of the server
//	TestCutConnection    a connection that breaks before COMMIT is nothing that a caller sees
//	TestStalePool        nor are the pool's connections to a server that was restarted
//	TestUncertainCommit  a COMMIT whose reply is lost is neither believed nor repeated
//	TestBusyCommit       a COMMIT that SQLite refuses is undone, for certain
//	TestCancel           a context ends the wait for a row
//	TestKeys             keys and namespaces are told apart by their bytes
//	TestReplies          replies are kept, sealed, and opened, or not
//	TestOperate          List, Resolve, Forget, Purge
//	TestNotDurable       settings that lose transactions are refused, also later
//	TestSessionSettings  those of a session are not what a transaction has
//	TestStandby          and so are servers that take no writes
//	TestSchema           tables of a newer version, and of a migration that was broken off
//	TestRights           a journal that is there is opened without the right to create tables
//	TestOptions          options that cannot be
//
// The benchmarks tell what a call pays: go test -run '^$' -bench .
package journal
