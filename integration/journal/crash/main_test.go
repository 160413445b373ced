package crash_test

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/aliretry/aliretry/integration/journal/servers"
)

// How often things are killed. The defaults keep go test ./... short.
var (
	killsSQLite   = flag.Int("kills-sqlite", 10, "how many processes to kill that use SQLite")
	killsPostgres = flag.Int("kills-postgres", 0, "how many processes to kill that use PostgreSQL")
	killsMySQL    = flag.Int("kills-mysql", 0, "how many processes to kill that use MariaDB")
	restarts      = flag.Int("restarts", 2, "how often to kill each database server")
	herdSize      = flag.Int("herd", 8, "how many processes make the same calls")
	shards        = flag.Int("shards", 4, "how many children to kill side by side")
)

// The servers, which are started by the first test that needs them.
var (
	postgres = lazyServer{start: servers.Postgres}
	mariadb  = lazyServer{start: servers.MariaDB}
)

func TestMain(m *testing.M) {
	if text := os.Getenv(jobVariable); text != "" {
		if err := work(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	for _, s := range []*lazyServer{&postgres, &mariadb} {
		if err := s.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

type lazyServer struct {
	start  func() (*servers.Server, error)
	once   sync.Once
	server *servers.Server
	err    error
}

func (l *lazyServer) get(t testing.TB) *servers.Server {
	t.Helper()
	l.once.Do(func() { l.server, l.err = l.start() })
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.server
}

func (l *lazyServer) close() error {
	if l.server == nil {
		return nil
	}
	return l.server.Close()
}
