package sqljournal

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
)

// The database's errors are told apart without its driver: by SQLSTATE where the error has a
// method for it (pgx, lib/pq), and else by what the known drivers write: "Error 1213 (40001):"
// of go-sql-driver/mysql, "database is locked" of SQLite's own texts. What is not recognised is
// not repeated. A text that is taken for another costs a repetition of what had no effect.

// errGone: the row was removed between Begin's insert, which found it, and the lock.
var errGone = errors.New("the record was removed meanwhile")

// passing reports whether an error that came before COMMIT may be gone if the transaction is
// repeated: a deadlock, a lock, a lost connection, a server that starts or is full.
func passing(err error) bool {
	if errors.Is(err, errGone) {
		return true
	}
	if state, ok := sqlState(err); ok {
		switch state {
		case "40001", "40P01", // serialization failure, deadlock
			"53300",                   // too many connections
			"57P01", "57P02", "57P03": // shut down, crashed, not up yet
			return true
		}
		return strings.HasPrefix(state, "08") // connections
	}
	switch mysqlNumber(err) {
	case "1213", "1205", // deadlock, lock wait timeout
		"1040",                         // too many connections
		"1053", "1927", "2006", "2013": // shutdown, killed, gone, lost
		return true
	}
	return busy(err) || broken(err)
}

// broken reports whether the connection was lost, or could not be made.
func broken(err error) bool {
	var network *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network) ||
		strings.Contains(err.Error(), "invalid connection") || strings.Contains(err.Error(), "conn closed")
}

// busy reports whether SQLite refused because another has the file or a table.
func busy(err error) bool {
	text := err.Error()
	return strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "database is locked") || strings.Contains(text, "table is locked")
}

// readOnly wraps ErrReadOnly around an error that says so.
func readOnly(err error) error {
	if err == nil || errors.Is(err, ErrReadOnly) {
		return err
	}
	state, _ := sqlState(err)
	number := mysqlNumber(err)
	if state == "25006" || number == "1290" || number == "1792" || strings.Contains(err.Error(), "attempt to write a readonly database") {
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

func sqlState(err error) (string, bool) {
	var s interface{ SQLState() string }
	if errors.As(err, &s) {
		return s.SQLState(), true
	}
	return "", false
}

var mysqlError = regexp.MustCompile(`\bError (\d{4})\b`)

func mysqlNumber(err error) string {
	if m := mysqlError.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return ""
}
