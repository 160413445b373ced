// Package crash holds tests alone: of calls under a key (retry.WithKey) with a journal in a
// database (package sqljournal), whose processes, and whose database, are killed. Children make
// calls through a wrapped client of the SDK against package retrytest's endpoint, which is in
// the parent and keeps account of what was done:
//
//	TestKilled                  processes die at every named point and at random ones, and are started again
//	TestRestartedDatabase       PostgreSQL and MariaDB are killed and started again under load
//	TestHerd                    many processes make the same 100 calls
//	TestChecker                 what the tests above are checked by sees what it is to see
//	TestCheckerSeesDuplicates   and the duplicates that worse journals make
//
// In the end each key has one effect and a record that is Done, was sent under one token for
// each generation of its call, and every caller was told the effect's resource.
//
// How much of it is set by flags, which come last on the command line. The whole is
//
//	go test ./crash -kills-sqlite=500 -kills-postgres=200 -kills-mysql=200 -restarts=10 -herd=32
//
// BenchmarkCall tells what a journal adds to a call.
package crash
