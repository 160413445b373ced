package sqljournal

import (
	"context"
	"errors"
	"fmt"
)

// known reports an error if the schema is of a version that this release cannot use.
func known(version int) error {
	if most := len(sqlite.migrations); version > most {
		return fmt.Errorf("%w: they have %d, and this release knows %d", ErrVersion, version, most)
	}
	return nil
}

// migrate brings the schema to this release's version. A schema that has it already is only
// read, which needs no right to create tables.
func (j *Journal) migrate(ctx context.Context) error {
	version := 0
	err := j.transact(ctx, func(t *tx) (_ bool, err error) {
		version, err = t.version()
		return false, err
	})
	if err == nil && version < len(j.db.migrations) {
		if j.db.exclusive != nil {
			err = j.migrateExclusively(ctx)
		} else {
			err = j.transact(ctx, func(t *tx) (bool, error) {
				if j.db.serialize != "" {
					if _, err := t.exec(j.db.serialize); err != nil {
						return false, err
					}
				}
				return true, t.migrate()
			})
		}
	}
	if err != nil || j.db.unfit == "" {
		return err
	}
	var unfit string
	err = j.transact(ctx, func(t *tx) (bool, error) { return false, t.row(j.db.unfit, nil, &unfit) })
	if err == nil && unfit != "" {
		err = fmt.Errorf("%w: %s", ErrNotDurable, unfit)
	}
	return err
}

// migrateExclusively is for a database whose DDL takes no part in transactions.
func (j *Journal) migrateExclusively(ctx context.Context) error {
	conn, err := j.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	t := &tx{ctx: ctx, conn: conn, j: j}
	if err := j.db.exclusive(ctx, conn, t.migrate); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return nil
}

// migrate runs the migrations that the schema lacks. Nobody else does at the time.
func (t *tx) migrate() error {
	version, err := t.version()
	if err != nil {
		return err
	}
	for ; version < len(t.j.db.migrations); version++ {
		for _, statement := range t.j.db.migrations[version] {
			if _, err := t.exec(statement); err != nil {
				return err
			}
		}
		if _, err := t.exec(t.j.db.setVersion, version+1); err != nil {
			return err
		}
	}
	return nil
}

// version returns the schema's version, 0 if there is none, and fails if it is newer than is
// known, or if the database cannot have a journal.
func (t *tx) version() (int, error) {
	if _, err := t.state("0"); err != nil {
		return 0, err
	}
	var tables int
	if err := t.row(t.j.db.tables, []any{"aliretry_journal_schema"}, &tables); err != nil || tables == 0 {
		return 0, err
	}
	version, err := t.state("coalesce((SELECT version FROM aliretry_journal_schema), 0)")
	if err == nil {
		err = known(version)
	}
	return version, err
}
