package crash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// life is a child, from its start to its death.
type life struct {
	plan   plan
	passed atomic.Int32 // times that the plan's point was passed, on the server's side
	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr bytes.Buffer
	ready  chan struct{} // closed when it waits for its go
	dead   chan struct{} // closed when it has ended, and all that it said was heard
}

// start starts a child, which waits when it is ready. What its calls come to is told to hear.
func start(j job, hear func(called)) (*life, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &life{plan: j.Plan, cmd: exec.Command(self), ready: make(chan struct{}), dead: make(chan struct{})}
	// The race detector makes a process linger for a second, for reports of goroutines.
	l.cmd.Env = append(os.Environ(), jobVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	l.cmd.Stderr = &l.stderr
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(l.dead)
		heard := json.NewDecoder(out)
		var isReady sync.Once
		for {
			var s said
			if err := heard.Decode(&s); err != nil { // of its last line there may be a part only
				break
			}
			if s.Ready {
				isReady.Do(func() { close(l.ready) })
				continue
			}
			hear(s.called)
		}
		_ = l.cmd.Wait()
	}()
	return l, nil
}

// goOn lets the child begin.
func (l *life) goOn() {
	_, _ = io.WriteString(l.in, "\n") // it may be dead
}

// stop tells a child with a stream of keys to make no more.
func (l *life) stop() { _ = l.in.Close() }

// kill ends the child as a crash would, and returns when it is gone.
func (l *life) kill() {
	_ = l.cmd.Process.Kill()
	<-l.dead
}

// pass kills the child if its plan says so.
func (l *life) pass(p point) bool {
	if p != l.plan.Point || l.passed.Add(1) != l.plan.Nth {
		return false
	}
	l.kill()
	return true
}

// soon kills the child at a random moment: while it starts, or works.
func (l *life) soon() {
	const most = 150 * time.Millisecond // in which it will not have finished a round's keys
	if rand.IntN(4) > 0 {
		select {
		case <-l.ready:
		case <-l.dead:
			return
		}
	}
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		l.kill()
	case <-l.dead:
	}
}

// end waits for the child's end, and reports whether it was killed.
func (l *life) end() (killed bool, err error) {
	<-l.dead
	_ = l.in.Close()
	status := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		return true, nil
	case l.cmd.ProcessState.Success():
		return false, nil
	}
	return false, fmt.Errorf("a child ended with %v:\n%s", l.cmd.ProcessState, l.stderr.String())
}
