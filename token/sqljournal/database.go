package sqljournal

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dialect names the kind of database. The suite in integration/journal runs on SQLite 3.53,
// PostgreSQL 15 and MariaDB 10.11; what is written for older releases, and for MySQL itself, follows their manuals.
type Dialect uint8

const (
	SQLite     Dialect = iota // 3.24 or newer
	PostgreSQL                // 12 or newer
	MySQL                     // 8.0 or newer, and MariaDB 10.6 or newer
)

var (
	databases    = [...]*database{SQLite: sqlite, PostgreSQL: postgres, MySQL: mysql}
	dialectNames = [...]string{SQLite: "SQLite", PostgreSQL: "PostgreSQL", MySQL: "MySQL"}
)

// String returns the dialect's name.
func (d Dialect) String() string {
	if int(d) >= len(dialectNames) {
		return fmt.Sprintf("Dialect(%d)", uint8(d))
	}
	return dialectNames[d]
}

// database is what differs from one dialect to the other.
type database struct {
	local    bool // it is in this process, which has the last word on a COMMIT
	numbered bool // parameters are $1, $2 and not ?
	binary   bool // text is stored as bytes, and goes as such
	// ready prepares a connection for a transaction, and begin are the statements that begin it.
	ready func(context.Context, *sql.Conn) error
	begin []string
	// clock selects the time in milliseconds, why the database takes no writes, why it may lose
	// them, both "" if not so, and what %s says.
	clock string
	// insert makes the row exist of which it is given namespace and key, and lock selects it and
	// keeps others out until the transaction ends.
	insert, lock, update string
	// tables counts those of the name given, and unfit says why the journal's cannot be used.
	tables, unfit string
	// migrations lead from each version of the schema to the next.
	migrations [][]string
	setVersion string
	// serialize makes sure that one migrates at a time: a statement in the transaction, or, if
	// DDL takes no part in transactions, a function that has its connection to itself.
	serialize string
	exclusive func(context.Context, *sql.Conn, func() error) error
}

// forms fills in the statements that differ in their parameters alone.
func (d *database) forms(insert, forUpdate string) *database {
	d.insert = d.form(insert)
	d.lock = d.form("SELECT " + columns + ", reply_form, reply FROM aliretry_journal WHERE namespace = ? AND call_key = ?" + forUpdate)
	d.update = d.form("UPDATE aliretry_journal SET generation = ?, token = ?, state = ?, unsettled = ?, operation = ?, salt = ?, macs = ?," +
		" begun = ?, ended = ?, reply_form = ?, reply = ? WHERE namespace = ? AND call_key = ?")
	d.tables, d.setVersion = d.form(d.tables), d.form(d.setVersion)
	return d
}

// form gives a query the dialect's parameters.
func (d *database) form(query string) string {
	if !d.numbered {
		return query
	}
	var out strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			out.WriteString("$" + strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

// args gives arguments the dialect's types.
func (d *database) args(args []any) []any {
	if d.binary {
		for i, arg := range args {
			if text, ok := arg.(string); ok {
				args[i] = []byte(text)
			}
		}
	}
	return args
}

// clock sets the transaction's time, and fails if the database is not what Open found: its
// settings can change, another server can have taken its place, and a newer release can have
// changed its tables.
func (t *tx) clock() error {
	version, err := t.state("(SELECT version FROM aliretry_journal_schema)")
	if err == nil {
		err = known(version)
	}
	return err
}

// state sets the transaction's time, and returns what the query says of the version.
func (t *tx) state(query string) (version int, err error) {
	var now int64
	var refuses, forgets string
	if err := t.row(fmt.Sprintf(t.j.db.clock, query), nil, &now, &refuses, &forgets, &version); err != nil {
		return 0, err
	}
	switch {
	case refuses != "":
		return 0, fmt.Errorf("%w: %s", ErrReadOnly, refuses)
	case forgets != "":
		return 0, fmt.Errorf("%w: %s", ErrNotDurable, forgets)
	}
	t.now = time.UnixMilli(now).UTC()
	return version, nil
}
