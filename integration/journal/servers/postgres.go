package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Postgres makes a cluster and starts it.
func Postgres() (*Server, error) {
	initdb, err := binary("/usr/lib/postgresql/*/bin/initdb", "/usr/local/pgsql/bin/initdb", "/usr/bin/initdb")
	if err != nil {
		return nil, err
	}
	o, err := unprivileged("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	s, err := newPostgres(o, filepath.Dir(initdb))
	if err != nil {
		return nil, err
	}
	// What initdb itself writes need not survive a crash.
	err = o.run(s.dir, initdb, "--pgdata="+s.dir+"/data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newPostgres(o owner, bin string) (*Server, error) {
	dir, err := o.directory("postgres-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	ready := func(s *Server) error { // it listens long before
		return o.run(dir, bin+"/pg_isready", "--host=127.0.0.1", "--port="+strconv.Itoa(s.Port), "--quiet")
	}
	return &Server{Port: port, dir: dir, owner: o, stop: syscall.SIGINT, up: ready, args: func(s *Server) []string {
		return []string{bin + "/postgres", "-D", s.dir + "/data", "-p", strconv.Itoa(s.Port), "-k", s.dir,
			"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=150", "-c", "shared_buffers=32MB"}
	}}, err
}

// PostgresStandby makes a standby of a backup that is taken of the server, and starts it.
func PostgresStandby(primary *Server) (*Server, error) {
	bin := filepath.Dir(primary.args(primary)[0])
	s, err := newPostgres(primary.owner, bin)
	if err != nil {
		return nil, err
	}
	data := s.dir + "/data"
	err = s.run(s.dir, bin+"/pg_basebackup", "--pgdata="+data, "--host=127.0.0.1", "--port="+strconv.Itoa(primary.Port),
		"--username=postgres", "--checkpoint=fast", "--wal-method=fetch", "--no-sync")
	if err == nil {
		err = os.WriteFile(data+"/standby.signal", nil, 0o644)
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// PostgresDSN is for pgx: of one schema.
func (s *Server) PostgresDSN(schema string) string {
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&search_path=%s", s.Addr(), schema)
}
