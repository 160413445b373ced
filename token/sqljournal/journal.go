package sqljournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aliretry/aliretry/token"
)

// Options say how a journal is kept. The zero value is one without replies.
type Options struct {
	// Namespace is part of every key, such as the account that the calls are made for: the same
	// key in two namespaces names two calls. It may be empty, and is otherwise as a key
	// ([token.ValidateKey]).
	Namespace string
	// KeepReplies keeps the reply of a call that is done, for the next Begin under its key to
	// return. A reply of more than 4 MiB is not kept. Replies may hold secrets.
	KeepReplies bool
	// Seal and Open encrypt the replies that are kept; both are set, or none. They are called
	// outside of transactions, and by several goroutines at a time. What they are given is not
	// bound to a key: who can write to the database can exchange the replies of two records.
	// Replies kept without Seal stay readable.
	Seal, Open func([]byte) ([]byte, error)
}

// Journal is a [token.Journal] in a database. It is safe for concurrent use, also by
// several processes; transactions on one key wait for each other, up to the end of the context.
type Journal struct {
	pool      *sql.DB
	db        *database
	namespace string
	o         Options
}

var _ token.Journal = (*Journal)(nil)

// Open returns the journal in db, whose tables, aliretry_journal and aliretry_journal_schema, it
// creates if need be: in the schema or database that db's connections use. Many processes may open it at
// once. db remains the caller's, who closes it after the journal's last use; with SQLite, it should be one of the
// journal's own, since connections stay set as the journal needs them. The errors wrap [ErrVersion],
// [ErrNotDurable], [ErrReadOnly], [token.ErrKey] for a bad namespace, or the database's own.
func Open(ctx context.Context, db *sql.DB, dialect Dialect, o Options) (*Journal, error) {
	switch {
	case db == nil:
		return nil, errors.New("sqljournal: no database")
	case int(dialect) >= len(databases):
		return nil, fmt.Errorf("sqljournal: unknown dialect %v", dialect)
	case (o.Seal == nil) != (o.Open == nil):
		return nil, errors.New("sqljournal: of Seal and Open, one is missing")
	case o.Seal != nil && !o.KeepReplies:
		return nil, errors.New("sqljournal: Seal without KeepReplies")
	}
	if o.Namespace != "" {
		if err := token.ValidateKey(o.Namespace); err != nil {
			return nil, fmt.Errorf("sqljournal: namespace: %w", err)
		}
	}
	j := &Journal{pool: db, db: databases[dialect], namespace: o.Namespace, o: o}
	if err := j.migrate(ctx); err != nil {
		return nil, fmt.Errorf("sqljournal: opening on %v: %w", dialect, err)
	}
	return j, nil
}

// Begin implements [token.Journal]: it returns the record as token.Begin makes it, and an error
// of token.Begin's with the record that is its reason, without a reply. Other errors wrap
// [ErrReply], with the record, [ErrUncertain], [ErrNotDurable], [ErrReadOnly], [ErrVersion], the
// context's error or the database's own.
func (j *Journal) Begin(ctx context.Context, intent token.Intent) (token.Record, error) {
	if err := token.ValidateKey(intent.Key); err != nil { // nothing that the database could choke on
		return token.Record{}, err
	}
	intent.Operation = legible(intent.Operation)
	var made token.Record
	var form replyForm
	var refused error
	err := j.transact(ctx, func(t *tx) (bool, error) {
		if _, err := t.exec(j.db.insert, j.namespace, intent.Key); err != nil {
			return false, err
		}
		held, err := t.lock(intent.Key)
		if err != nil {
			return false, err
		}
		if held != nil {
			form = held.form
		}
		made, refused = token.Begin(held.record(), intent, t.now)
		if refused != nil || made.State != token.Open { // refused or done: nothing changes
			return false, nil
		}
		return true, t.update(row{Record: made})
	})
	if err != nil {
		return token.Record{}, fmt.Errorf("sqljournal: beginning a call: %w", err)
	}
	if refused != nil {
		made.Reply = nil
		return made, refused
	}
	if made.Reply, err = j.open(made.Reply, form); err != nil {
		return made, err
	}
	return made, nil
}

// End implements [token.Journal]: it returns the record as token.End makes it, with a reply
// only if this End has kept one. Errors wrap [ErrSeal], with the record, [ErrUncertain],
// [ErrNotDurable], [ErrReadOnly], [ErrVersion], the context's error or the database's own. The
// context should outlive the call's own, which may have ended together with the call.
func (j *Journal) End(ctx context.Context, record token.Record, result token.Result) (token.Record, error) {
	reply := result.Reply
	kept, form, sealing := j.seal(result)
	result.Reply = kept
	var made token.Record
	var changed bool
	err := j.transact(ctx, func(t *tx) (bool, error) {
		held, err := t.lock(record.Key)
		if err != nil {
			return false, err
		}
		made, changed = token.End(held.record(), record, result, t.now)
		made.Age = max(0, t.now.Sub(made.Begun))
		if !changed {
			return false, nil
		}
		return true, t.update(row{made, form})
	})
	if err != nil {
		return token.Record{}, fmt.Errorf("sqljournal: ending a call: %w", err)
	}
	made.Reply = nil
	if changed && form != replyNone {
		made.Reply = reply
	}
	if changed {
		return made, sealing
	}
	return made, nil
}
