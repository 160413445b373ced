package servers

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
)

// MariaDB makes a server's files and starts it.
func MariaDB() (*Server, error) {
	install, err := binary("/usr/bin/mariadb-install-db", "/usr/local/bin/mariadb-install-db")
	if err != nil {
		return nil, err
	}
	server, err := binary("/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/local/bin/mariadbd")
	if err != nil {
		return nil, err
	}
	o, err := unprivileged("mysql", "nobody")
	if err != nil {
		return nil, err
	}
	dir, err := o.directory("mariadb-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Port: port, dir: dir, owner: o, stop: syscall.SIGTERM, up: accepts, args: func(s *Server) []string {
		return []string{server, "--no-defaults", "--datadir=" + s.dir + "/data", "--socket=" + s.dir + "/socket", "--pid-file=" + s.dir + "/pid",
			"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.Port), "--skip-name-resolve", "--max-connections=150",
			"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=1", "--log-bin=log", "--sync-binlog=1", "--server-id=1"}
	}}
	// What this writes need not survive a crash.
	err = o.run(dir, install, "--no-defaults", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=16M")
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// MariaDBDSN is for go-sql-driver/mysql: of one database.
func (s *Server) MariaDBDSN(database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s", s.Addr(), database)
}
