package sqljournal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	maxTries = 10
	// patience is for how long after its begin a transaction may still be repeated, and how long
	// SQLite's one lock is waited for.
	patience = time.Minute
	// rollbackTimeout bounds a ROLLBACK, which goes on when the context has ended.
	rollbackTimeout = 5 * time.Second
)

// tx is a transaction. BEGIN and COMMIT are statements like others, on a connection held for it,
// and not sql.Tx's: that has no BEGIN IMMEDIATE, and its Commit does not end with a context.
type tx struct {
	ctx  context.Context
	conn *sql.Conn
	j    *Journal
	now  time.Time // by the database's clock, when it was last asked
}

// transact runs f in a transaction, which it commits if f returns true. f is repeated with a new
// transaction if the database failed in a way that may pass, and before COMMIT was sent; f's
// error is the database's, so that no other can be taken for such a failure.
func (j *Journal) transact(ctx context.Context, f func(*tx) (bool, error)) error {
	start := time.Now()
	for try := 1; ; try++ {
		err := j.try(ctx, f)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && !errors.Is(err, ctx.Err()): // drivers report it in ways of their own
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case errors.Is(err, ErrUncertain), ctx.Err() != nil, !passing(err), try == maxTries, time.Since(start) > patience:
			return err
		}
		if ctxErr := wait(ctx, try); ctxErr != nil {
			return fmt.Errorf("%w: %w", ctxErr, err)
		}
	}
}

// try runs f in one transaction.
func (j *Journal) try(ctx context.Context, f func(*tx) (bool, error)) error {
	conn, err := j.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	t := &tx{ctx: ctx, conn: conn, j: j}
	committing := false
	defer func() {
		if !committing { // also if f panics: no connection goes back with a transaction open
			t.rollback()
		}
	}()
	if err := t.begin(); err != nil {
		return readOnly(err)
	}
	commit, err := f(t)
	if err == nil && commit {
		err = ctx.Err() // while it is certain that nothing was committed
	}
	if err != nil || !commit {
		return readOnly(err)
	}
	committing = true
	return t.commit()
}

func (t *tx) begin() error {
	if t.j.db.ready != nil {
		if err := t.j.db.ready(t.ctx, t.conn); err != nil {
			return err
		}
	}
	for _, statement := range t.j.db.begin {
		if err := t.unlocked(statement); err != nil {
			return err
		}
	}
	return nil
}

// commit ends the transaction. An error of COMMIT tells nothing, except by SQLite: a COMMIT that
// failed has taken effect only if there is no transaction any more.
func (t *tx) commit() error {
	err := t.unlocked("COMMIT")
	if err == nil {
		return nil
	}
	if undone := t.rollback(); undone && t.j.db.local {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}

// rollback ends the transaction, or the connection with it, and reports whether a transaction
// was there to be undone. It is not kept from that by the end of the context.
func (t *tx) rollback() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), rollbackTimeout)
	defer cancel()
	_, err := t.conn.ExecContext(ctx, "ROLLBACK")
	if err != nil {
		// database/sql closes a connection of which it is told this.
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err == nil
}

// unlocked executes a statement that begins or ends a transaction. SQLite refuses either while
// another has the file, and has then done nothing; its own wait, busy_timeout, is short, since
// it does not end with a context.
func (t *tx) unlocked(statement string) error {
	start := time.Now()
	for {
		_, err := t.conn.ExecContext(t.ctx, statement)
		if err == nil || !t.j.db.local || !busy(err) || time.Since(start) > patience {
			return err
		}
		if ctxErr := wait(t.ctx, 1); ctxErr != nil {
			return fmt.Errorf("%w: %w", ctxErr, err)
		}
	}
}

// exec executes one statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	result, err := t.conn.ExecContext(t.ctx, query, t.j.db.args(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row scans the one row of a query; sql.ErrNoRows if there is none.
func (t *tx) row(query string, args []any, into ...any) error {
	return t.conn.QueryRowContext(t.ctx, query, t.j.db.args(args)...).Scan(into...)
}

// wait waits before another try, longer each time and never in step with others.
func wait(ctx context.Context, try int) error {
	most := min(5*time.Millisecond<<try, 500*time.Millisecond)
	timer := time.NewTimer(rand.N(most) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
