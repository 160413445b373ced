package sqljournal

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aliretry/aliretry/token"
)

// row is a row of the table: a record, and how its reply is stored.
type row struct {
	token.Record
	form replyForm
}

// record returns the record as token.Begin and token.End take it: nil if there is none.
func (r *row) record() *token.Record {
	if r == nil {
		return nil
	}
	return &r.Record
}

const columns = "call_key, generation, token, state, unsettled, operation, salt, macs, begun, ended"

// scan reads a row of columns and whatever else was selected.
func scan(from interface{ Scan(...any) error }, more ...any) (token.Record, error) {
	var r token.Record
	var state, begun int64
	var ended sql.NullInt64
	var names []byte
	err := from.Scan(append([]any{&r.Key, &r.Generation, &r.Token, &state, &r.Unsettled, &r.Operation, &r.Print.Salt, &names, &begun, &ended}, more...)...)
	if err != nil || r.Generation == 0 {
		return r, err
	}
	r.State, r.Begun = token.State(state), time.UnixMilli(begun).UTC()
	if ended.Valid {
		r.Ended = time.UnixMilli(ended.Int64).UTC()
	}
	if state < int64(token.Open) || state > int64(token.Done) {
		return r, fmt.Errorf("the record has the unknown state %d", state)
	}
	r.Print.MACs, err = decodeMACs(names)
	return r, err
}

// lock returns the row under key, locked until the transaction ends, or nil if there is none,
// and sets the transaction's time: not before the lock, for which it may have waited.
func (t *tx) lock(key string) (*row, error) {
	var form replyForm
	var reply []byte
	record, err := scan(t.conn.QueryRowContext(t.ctx, t.j.db.lock, t.j.db.args([]any{t.j.namespace, key})...), &form, &reply)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	missing := err != nil || record.Generation == 0 // the row that Begin's insert made is no record yet
	if err := t.clock(); err != nil || missing {
		return nil, err
	}
	if form != replyNone { // which also tells an empty reply from none, as drivers may not
		record.Reply = append([]byte{}, reply...)
	}
	return &row{record, form}, nil
}

// update stores the row, which is locked.
func (t *tx) update(r row) error {
	macs, err := encodeMACs(r.Print.MACs)
	if err != nil {
		return err
	}
	var ended sql.NullInt64
	if !r.Ended.IsZero() {
		ended = sql.NullInt64{Int64: r.Ended.UnixMilli(), Valid: true}
	}
	if r.form == replyNone {
		r.Reply = nil
	}
	n, err := t.exec(t.j.db.update, r.Generation, r.Token, int64(r.State), r.Unsettled, r.Operation, r.Print.Salt, macs,
		r.Begun.UnixMilli(), ended, int64(r.form), r.Reply, t.j.namespace, r.Key)
	if err == nil && n == 0 {
		return errGone
	}
	if err == nil && n != 1 {
		err = fmt.Errorf("the record was to be changed, and %d were", n)
	}
	return err
}

// The names of parameters become keys of a JSON object, which holds UTF-8 only; a name that is
// not is written in base64 after a mark, and so is one that has the mark itself.
const mark = "\ufffd"

func encodeMACs(macs map[string]string) (string, error) {
	written := make(map[string]string, len(macs))
	for name, mac := range macs {
		if !utf8.ValidString(name) || strings.HasPrefix(name, mark) {
			name = mark + base64.RawStdEncoding.EncodeToString([]byte(name))
		}
		written[name] = mac
	}
	out, err := json.Marshal(written)
	return string(out), err
}

func decodeMACs(text []byte) (map[string]string, error) {
	var written map[string]string
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, fmt.Errorf("the record's fingerprint cannot be read: %w", err)
	}
	macs := make(map[string]string, len(written))
	for name, mac := range written {
		if coded, ok := strings.CutPrefix(name, mark); ok {
			raw, err := base64.RawStdEncoding.DecodeString(coded)
			if err != nil {
				return nil, fmt.Errorf("the record's fingerprint cannot be read: %w", err)
			}
			name = string(raw)
		}
		macs[name] = mac
	}
	return macs, nil
}

// legible makes an operation's name one that every database takes: UTF-8 without control
// characters, of 255 bytes at most.
func legible(operation string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(operation, "?"))
	for len(clean) > 255 {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	return clean
}
