package sqljournal

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// stated is an error as PostgreSQL's drivers have it.
type stated string

func (s stated) Error() string    { return "ERROR (SQLSTATE " + string(s) + ")" }
func (s stated) SQLState() string { return string(s) }

var errOther = errors.New("something else")

// TestTransact has statements fail, and looks at what is repeated, and what becomes of the
// connection.
func TestTransact(t *testing.T) {
	on := func(statement string, times int, err error) func(string, int) error {
		return func(s string, nth int) error {
			if s == statement && nth <= times {
				return err
			}
			return nil
		}
	}
	deadlock, gone := stated("40P01"), fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
	for name, test := range map[string]struct {
		dialect Dialect
		fail    func(string, int) error
		want    error // nil for success
		runs    int   // of the function
		commits int
		closed  int // connections that were not given back
	}{
		"nothing fails":                {PostgreSQL, nil, nil, 1, 1, 0},
		"a deadlock, three times":      {PostgreSQL, on("UPDATE", 3, deadlock), nil, 4, 1, 0},
		"a deadlock, for ever":         {PostgreSQL, on("UPDATE", 99, deadlock), deadlock, maxTries, 0, 0},
		"another error":                {PostgreSQL, on("UPDATE", 1, errOther), errOther, 1, 0, 0},
		"a stale connection":           {MySQL, on("SET", 2, driver.ErrBadConn), nil, 1, 1, 2},
		"a lost connection":            {MySQL, on("UPDATE", 1, gone), nil, 2, 1, 0},
		"BEGIN is refused":             {PostgreSQL, on("BEGIN", 1, errOther), errOther, 0, 0, 0},
		"and so is ROLLBACK":           {PostgreSQL, func(s string, _ int) error { return map[string]error{"UPDATE": errOther, "ROLLBACK": errOther}[s] }, errOther, 1, 0, 1},
		"COMMIT fails":                 {PostgreSQL, on("COMMIT", 1, errOther), ErrUncertain, 1, 1, 0},
		"COMMIT fails, and may pass":   {PostgreSQL, on("COMMIT", 1, deadlock), ErrUncertain, 1, 1, 0},
		"COMMIT loses the connection":  {MySQL, on("COMMIT", 1, driver.ErrBadConn), ErrUncertain, 1, 1, 1},
		"SQLite's BEGIN is busy":       {SQLite, on("BEGIN", 3, errors.New("database is locked (5) (SQLITE_BUSY)")), nil, 1, 1, 0},
		"SQLite's COMMIT is busy":      {SQLite, on("COMMIT", 3, errors.New("database is locked")), nil, 1, 4, 0},
		"SQLite's COMMIT is undone":    {SQLite, on("COMMIT", 1, errOther), errOther, 1, 1, 0},
		"SQLite's COMMIT leaves doubt": {SQLite, func(s string, _ int) error { return map[string]error{"COMMIT": errOther, "ROLLBACK": errOther}[s] }, ErrUncertain, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{fail: test.fail}
			j := f.journal(t, test.dialect)
			if test.dialect == SQLite {
				bare := *j.db
				bare.ready = nil // which asks for what the fake does not have
				j.db = &bare
			}
			runs := 0
			err := j.transact(context.Background(), func(tx *tx) (bool, error) {
				runs++
				_, err := tx.exec("UPDATE it")
				return true, err
			})
			if !errors.Is(err, test.want) || runs != test.runs || f.counts["COMMIT"] != test.commits || f.closed != test.closed {
				t.Errorf("%v after %d runs, %d COMMITs and %d connections closed: %v", err, runs, f.counts["COMMIT"], f.closed, f.asked)
			}
			if test.want != nil && test.want != ErrUncertain && errors.Is(err, ErrUncertain) {
				t.Errorf("it is certain: %v", err)
			}
			if n := j.pool.Stats().InUse; n != 0 {
				t.Errorf("%d connections are in use", n)
			}
		})
	}
}

// TestTransactEnds has a context end, and a function panic.
func TestTransactEnds(t *testing.T) {
	f := &fake{}
	j := f.journal(t, PostgreSQL)
	ctx, cancel := context.WithCancel(context.Background())
	err := j.transact(ctx, func(*tx) (bool, error) {
		cancel()
		return true, nil
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUncertain) || f.counts["COMMIT"] != 0 || f.counts["ROLLBACK"] != 1 {
		t.Errorf("%v, and %v", err, f.asked)
	}
	err = j.transact(context.Background(), func(*tx) (bool, error) { return false, nil })
	if err != nil || f.counts["COMMIT"] != 0 || f.counts["ROLLBACK"] != 2 {
		t.Errorf("what changes nothing: %v, and %v", err, f.asked)
	}
	func() {
		defer func() { _ = recover() }()
		_ = j.transact(context.Background(), func(*tx) (bool, error) { panic("") })
	}()
	if f.counts["ROLLBACK"] != 3 || j.pool.Stats().InUse != 0 {
		t.Errorf("after a panic, %v", f.asked)
	}
}

func TestPassing(t *testing.T) {
	for _, test := range []struct {
		err      error
		passing  bool
		readOnly bool
	}{
		{stated("40001"), true, false},
		{stated("40P01"), true, false},
		{stated("57P01"), true, false},
		{stated("08006"), true, false},
		{stated("57014"), false, false}, // somebody wants it to end
		{stated("55P03"), false, false},
		{stated("23505"), false, false},
		{stated("25006"), false, true},
		{errors.New("Error 1213 (40001): Deadlock found when trying to get lock"), true, false},
		{errors.New("Error 1205 (HY000): Lock wait timeout exceeded"), true, false},
		{errors.New("Error 1064 (42000): You have an error near 'Error 1213'"), false, false},
		{errors.New("Error 1290 (HY000): running with the --read-only option"), false, true},
		{errors.New("Error 1792 (25006): Cannot execute statement in a READ ONLY transaction"), false, true},
		{errors.New("invalid connection"), true, false},
		{errors.New("attempt to write a readonly database (8)"), false, true},
		{errors.New("database is locked"), true, false},
		{errors.New("database disk image is malformed"), false, false},
		{io.EOF, true, false},
		{driver.ErrBadConn, true, false},
		{context.Canceled, false, false},
	} {
		if got := passing(test.err); got != test.passing {
			t.Errorf("%v: passing is %t", test.err, got)
		}
		if got := errors.Is(readOnly(test.err), ErrReadOnly); got != test.readOnly {
			t.Errorf("%v: read-only is %t", test.err, got)
		}
	}
	if readOnly(nil) != nil {
		t.Error("an error of none")
	}
}

func TestForm(t *testing.T) {
	if got := postgres.form("a = ? AND b IN (?, ?)"); got != "a = $1 AND b IN ($2, $3)" {
		t.Error(got)
	}
	for d, db := range databases {
		if n := len(db.migrations); n != len(sqlite.migrations) {
			t.Errorf("%v has %d migrations", Dialect(d), n)
		}
		for _, query := range []string{db.insert, db.lock, db.update, db.tables, db.setVersion} {
			if query == "" || strings.Contains(query, "?") == db.numbered {
				t.Errorf("%v: %q", Dialect(d), query)
			}
		}
	}
}
