package sqljournal

import "errors"

// Errors that are told apart with errors.Is. After one of them from Begin nothing may be sent, as
// after any other.
var (
	// ErrUncertain: the transaction's COMMIT failed, and it may have taken effect or not. The
	// database's error is wrapped too. After any other error the transaction had no effect.
	ErrUncertain = errors.New("the journal's transaction may have been committed or not")
	// ErrNotDurable: the database is set up so that it could forget a transaction in a crash. The
	// error says which setting it is.
	ErrNotDurable = errors.New("the database may lose what it has committed")
	// ErrReadOnly: the database takes no writes, such as a standby or a replica.
	ErrReadOnly = errors.New("the database is read-only")
	// ErrVersion: the journal's tables were made or changed by a newer release of this package.
	ErrVersion = errors.New("the journal's tables are of a newer version")
	// ErrReply: the reply that was kept of a call cannot be opened: it was sealed, and
	// Options.Open failed, whose error is wrapped, or is missing. The record comes with it.
	ErrReply = errors.New("the call's reply was kept, and cannot be opened")
	// ErrSeal: Options.Seal failed, whose error is wrapped. The call is recorded as done all the
	// same, without its reply, and the record comes with the error.
	ErrSeal = errors.New("the call is recorded as done, and its reply was not kept, since it could not be sealed")
	// ErrNoRecord: there is no record under the key.
	ErrNoRecord = errors.New("no record under this key")
	// ErrChanged: the record is not as it was seen. Look again.
	ErrChanged = errors.New("another call was begun or ended under the key meanwhile")
	// ErrDone: the record is done, which no word makes undone.
	ErrDone = errors.New("the key's call is recorded as done")
)
