package sqljournal

var postgres = (&database{
	numbered: true,
	// The row's lock is what orders transactions, and READ COMMITTED sees the row as it is once
	// the lock is had; stricter levels would fail there.
	begin: []string{"BEGIN ISOLATION LEVEL READ COMMITTED"},
	// synchronous_commit counts when the transaction commits. remote_apply is stronger than on;
	// all else is weaker.
	clock: `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
		CASE WHEN pg_is_in_recovery() THEN 'it is a standby'
			WHEN current_setting('transaction_read_only') = 'on' THEN 'default_transaction_read_only is on' ELSE '' END,
		CASE WHEN current_setting('fsync') <> 'on' THEN 'fsync is ' || current_setting('fsync')
			WHEN set_config('synchronous_commit', CASE current_setting('synchronous_commit')
				WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true) = '' THEN 'synchronous_commit is not set'
			ELSE '' END,
		%s`,
	// The number is the package's own, so that no other program's lock has it.
	serialize: `SELECT pg_advisory_xact_lock(7236843929270617)`,
	tables:    `SELECT count(*) FROM (SELECT to_regclass(?::text) AS t) found WHERE t IS NOT NULL`,
	unfit:     `SELECT coalesce((SELECT 'the table is not logged' FROM pg_class WHERE oid = to_regclass('aliretry_journal') AND relpersistence <> 'p'), '')`,
	migrations: [][]string{{
		// COLLATE "C" compares and orders bytes.
		`CREATE TABLE IF NOT EXISTS aliretry_journal (
			namespace  text COLLATE "C" NOT NULL,
			call_key   text COLLATE "C" NOT NULL,
			generation bigint NOT NULL DEFAULT 0,
			token      text COLLATE "C" NOT NULL DEFAULT '',
			state      smallint NOT NULL DEFAULT 0,
			unsettled  bigint NOT NULL DEFAULT 0,
			operation  text NOT NULL DEFAULT '',
			salt       bytea,
			macs       text,
			begun      bigint NOT NULL DEFAULT 0,
			ended      bigint,
			reply_form smallint NOT NULL DEFAULT 0,
			reply      bytea,
			PRIMARY KEY (namespace, call_key))`,
		`CREATE TABLE IF NOT EXISTS aliretry_journal_schema (one smallint PRIMARY KEY, version integer NOT NULL)`,
	}},
	setVersion: `INSERT INTO aliretry_journal_schema (one, version) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET version = EXCLUDED.version`,
}).forms(`INSERT INTO aliretry_journal (namespace, call_key) VALUES (?, ?) ON CONFLICT DO NOTHING`, " FOR UPDATE")
