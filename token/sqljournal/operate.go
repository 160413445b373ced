package sqljournal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aliretry/aliretry/token"
)

// page is how many records List reads, and Purge removes, in one transaction.
const page = 200

// List returns the records of the journal's namespace that are in one of states, or all if none is
// given, in the order of their keys' bytes, and without replies. It reads them by the page, each
// as it is at the time, and holds no connection while the caller looks at them, who may resolve
// or forget them. An error is the last thing it yields; they are the database's or the context's.
func (j *Journal) List(ctx context.Context, states ...token.State) iter.Seq2[token.Record, error] {
	return func(yield func(token.Record, error) bool) {
		for after := ""; ; {
			records, err := j.page(ctx, after, states)
			if err != nil {
				yield(token.Record{}, fmt.Errorf("sqljournal: listing: %w", err))
				return
			}
			for _, record := range records {
				if !yield(record, nil) {
					return
				}
			}
			if len(records) < page {
				return
			}
			after = records[len(records)-1].Key
		}
	}
}

// page returns the first records whose keys come after one.
func (j *Journal) page(ctx context.Context, after string, states []token.State) (records []token.Record, err error) {
	query := "SELECT " + columns + " FROM aliretry_journal WHERE namespace = ? AND call_key > ?"
	args := []any{j.namespace, after}
	if len(states) > 0 {
		query += " AND state IN (?" + strings.Repeat(", ?", len(states)-1) + ")"
		for _, state := range states {
			args = append(args, int64(state))
		}
	}
	query = j.db.form(fmt.Sprintf("%s ORDER BY call_key LIMIT %d", query, page))
	err = j.transact(ctx, func(t *tx) (bool, error) {
		records = nil // of a try that failed
		if err := t.clock(); err != nil {
			return false, err
		}
		rows, err := t.conn.QueryContext(ctx, query, j.db.args(args)...)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		for rows.Next() {
			record, err := scan(rows)
			if err != nil {
				return false, err
			}
			record.Age = max(0, t.now.Sub(record.Begun))
			records = append(records, record)
		}
		return false, rows.Err()
	})
	return records, err
}

// Resolve ends an open record by the word of someone who has looked what became of its call: Done,
// after which Begin sends no more under the key and has no reply to give, or NotDone, after which the
// next Begin makes a new call. Who says NotDone of a call that is still under way, or had its effect
// after all, has it made twice. A record that is NotDone can still become Done; one that has the
// state already stays as it is.
//
// The word is about the record as it was seen, by List or beside Begin's error: if the key has gone
// over to another generation since or, for NotDone, another call has been begun or ended under it,
// nothing changes, and it is [ErrChanged]. Other errors wrap
// [ErrNoRecord], [ErrDone] if a record that is Done were to become NotDone, [ErrUncertain], or the
// database's own.
func (j *Journal) Resolve(ctx context.Context, seen token.Record, state token.State) error {
	if state != token.Done && state != token.NotDone {
		return fmt.Errorf("sqljournal: a record cannot be resolved as %v", state)
	}
	err := j.operate(ctx, seen, func(t *tx, held *row) (bool, error) {
		switch {
		case held.State == state:
			return false, nil
		case held.State == token.Done:
			return false, ErrDone
		case state == token.NotDone && held.Unsettled != seen.Unsettled:
			return false, ErrChanged
		}
		held.State, held.Ended = state, t.now
		if state == token.NotDone {
			held.Unsettled = 0
		}
		return true, t.update(*held)
	})
	if err != nil {
		return fmt.Errorf("sqljournal: resolving a record: %w", err)
	}
	return nil
}

// Forget removes a record, whatever its state. The next Begin under its key makes a new call, with
// a new token. It is about the record as it was seen: [ErrChanged] if it is another by now. The errors wrap
// [ErrNoRecord], [ErrChanged], [ErrUncertain] or the database's own.
func (j *Journal) Forget(ctx context.Context, seen token.Record) error {
	err := j.operate(ctx, seen, func(t *tx, held *row) (bool, error) {
		if held.State != seen.State || held.Unsettled != seen.Unsettled {
			return false, ErrChanged
		}
		n, err := t.exec(j.db.form("DELETE FROM aliretry_journal WHERE namespace = ? AND call_key = ?"), j.namespace, seen.Key)
		return n > 0, err
	})
	if err != nil {
		return fmt.Errorf("sqljournal: forgetting a record: %w", err)
	}
	return nil
}

// operate lets f change a record by the word of someone who has seen it, if it is still as it was.
func (j *Journal) operate(ctx context.Context, seen token.Record, f func(*tx, *row) (bool, error)) error {
	var refused error
	err := j.transact(ctx, func(t *tx) (bool, error) {
		refused = nil
		held, err := t.lock(seen.Key)
		switch {
		case err != nil:
			return false, err
		case held == nil:
			refused = ErrNoRecord
			return false, nil
		case held.Generation != seen.Generation, held.Token != seen.Token, !held.Begun.Equal(seen.Begun):
			refused = ErrChanged
			return false, nil
		}
		commit, err := f(t, held)
		if err == ErrDone || err == ErrChanged {
			refused, err = err, nil
		}
		return commit, err
	})
	return errors.Join(err, refused)
}

// Purge removes the records of the journal's namespace that ended, as Done or NotDone, longer ago
// than olderThan, and returns how many; open ones stay. It should be longer than any key is used
// for: under the key of a removed record, Begin makes a new call. It works in short transactions; after
// an error, some records may have been removed. The errors wrap [ErrUncertain] or the database's own.
func (j *Journal) Purge(ctx context.Context, olderThan time.Duration) (removed int64, err error) {
	if olderThan < 0 {
		return 0, fmt.Errorf("sqljournal: records cannot have ended longer ago than %v", olderThan)
	}
	for after, more := "", true; more; {
		var n int64
		var last string
		err := j.transact(ctx, func(t *tx) (_ bool, err error) {
			n, last, more, err = t.purge(after, olderThan)
			return n > 0, err
		})
		if err != nil {
			return removed, fmt.Errorf("sqljournal: purging: %w", err)
		}
		removed, after = removed+n, last
	}
	return removed, nil
}

// purge removes a page of the records whose keys come after one. It locks what it removes by
// primary key, in order, as Begin and End do, and looks at it again then.
func (t *tx) purge(after string, olderThan time.Duration) (n int64, last string, more bool, err error) {
	if err := t.clock(); err != nil {
		return 0, "", false, err
	}
	const old = "state IN (1, 2) AND ended < ?"
	before := t.now.Add(-olderThan).UnixMilli()
	query := fmt.Sprintf("SELECT call_key FROM aliretry_journal WHERE namespace = ? AND call_key > ? AND %s ORDER BY call_key LIMIT %d", old, page)
	rows, err := t.conn.QueryContext(t.ctx, t.j.db.form(query), t.j.db.args([]any{t.j.namespace, after, before})...)
	if err != nil {
		return 0, "", false, err
	}
	defer rows.Close()
	args := []any{t.j.namespace, before}
	for rows.Next() {
		if err := rows.Scan(&last); err != nil {
			return 0, "", false, err
		}
		args = append(args, last)
	}
	found := len(args) - 2
	if err := rows.Err(); err != nil || found == 0 {
		return 0, "", false, err
	}
	n, err = t.exec(t.j.db.form("DELETE FROM aliretry_journal WHERE namespace = ? AND "+old+" AND call_key IN (?"+strings.Repeat(", ?", found-1)+")"), args...)
	return n, last, found == page, err
}
