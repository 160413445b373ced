package sqljournal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
)

// fake is a database that does as it is told: fail decides, for each statement in turn, and a
// query has one row, of what rows says for it. It notes what it was asked.
type fake struct {
	mu     sync.Mutex
	fail   func(statement string, nth int) error // nth of those that begin alike, from 1
	asked  []string
	counts map[string]int
	opened int
	closed int
}

func (f *fake) ask(query string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	word, _, _ := strings.Cut(query, " ")
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[word]++
	f.asked = append(f.asked, word)
	if f.fail == nil {
		return nil
	}
	return f.fail(word, f.counts[word])
}

func (f *fake) Connect(context.Context) (driver.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	return &fakeConn{f}, nil
}
func (f *fake) Driver() driver.Driver { return nil }

type fakeConn struct{ f *fake }

func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (c *fakeConn) Begin() (driver.Tx, error) {
	return nil, errors.New("no transactions of the driver's")
}
func (c *fakeConn) Close() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.closed++
	return nil
}
func (c *fakeConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), c.f.ask(query)
}
func (c *fakeConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if err := c.f.ask(query); err != nil {
		return nil, err
	}
	return &fakeRows{}, nil
}

// fakeRows are those of tx.state.
type fakeRows struct{ read bool }

func (r *fakeRows) Columns() []string { return []string{"now", "refuses", "forgets", "version"} }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(row []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	row[0], row[1], row[2], row[3] = int64(1000), "", "", int64(1)
	return nil
}

// journal returns a journal on the fake, of a dialect.
func (f *fake) journal(t *testing.T, d Dialect) *Journal {
	pool := sql.OpenDB(f)
	t.Cleanup(func() { pool.Close() })
	return &Journal{pool: pool, db: databases[d]}
}
