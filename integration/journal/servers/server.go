// Package servers starts database servers for tests: PostgreSQL and MariaDB, as they are
// installed on the machine (see databases.sh), each in a temporary directory and on a free port of
// 127.0.0.1, with the settings of a server that is not to lose anything.
package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// startTimeout bounds how long a server may take to start or to stop.
const startTimeout = 30 * time.Second

// Server is one server, which can be killed and started again.
type Server struct {
	Port int
	dir  string
	owner
	args func(*Server) []string
	up   func(*Server) error // nil once it serves clients
	stop syscall.Signal

	cmd    *exec.Cmd
	output bytes.Buffer
	exited chan struct{}
}

// owner is who the server runs as: both kinds refuse to be root.
type owner struct{ uid, gid int }

// unprivileged returns whom to run a server as, given the names of users that will do.
func unprivileged(names ...string) (owner, error) {
	if os.Getuid() != 0 {
		return owner{os.Getuid(), os.Getgid()}, nil
	}
	for _, name := range names {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return owner{uid, gid}, nil
		}
	}
	return owner{}, fmt.Errorf("root, and none of the users %v to run a server as", names)
}

// directory makes the server's directory, which is the owner's.
func (o owner) directory(name string) (string, error) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return "", err
	}
	return dir, os.Chown(dir, o.uid, o.gid)
}

// command returns a command that runs as the owner, in the directory.
func (o owner) command(dir, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C", "TZ=Asia/Shanghai")
	// A test binary that is killed takes its servers with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	return cmd
}

// run runs a command that ends by itself.
func (o owner) run(dir, path string, args ...string) error {
	out, err := o.command(dir, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, out)
	}
	return nil
}

// starts are run by a thread that lives as long as the process: Pdeathsig is the death of the
// thread that started the command.
var starts = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

// Start starts the server, on its port, and returns when it takes connections.
func (s *Server) Start() error {
	s.output.Reset()
	s.cmd = s.command(s.dir, s.args(s)[0], s.args(s)[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	started := make(chan error)
	starts <- func() { started <- s.cmd.Start() }
	if err := <-started; err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	for deadline := time.Now().Add(startTimeout); ; {
		err := s.up(s)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s ended at once\n%s", s.cmd.Path, s.output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("%s takes no connections: %w\n%s", s.cmd.Path, err, s.output.String())
		}
	}
}

// accepts is what a server is up by that listens last of all.
func accepts(s *Server) error {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Addr is the server's address.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	// The group: what PostgreSQL's children have in hand is not to be finished.
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.exited
}

// Close ends the server and removes its directory.
func (s *Server) Close() error {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(s.stop)
		select {
		case <-s.exited:
		case <-time.After(startTimeout):
			s.Kill()
		}
	}
	return os.RemoveAll(s.dir)
}

// freePort returns a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// binary returns the newest file that fits one of the patterns.
func binary(patterns ...string) (string, error) {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("none of %v: databases.sh installs what is needed", patterns)
}
