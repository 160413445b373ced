package journal_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// Children are processes of their own, of this binary: what they have done is printed by the
// line, after the journal returned.
const childEnv = "ALIRETRY_JOURNAL_CHILD"

// job is what a child has to do.
type job struct {
	World world
	Do    string
	Keys  int
}

// said is a line of a child.
type said struct {
	Did    string
	Record token.Record
}

func child(text string) {
	if err := work(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work(text string) error {
	var todo job
	if err := json.Unmarshal([]byte(text), &todo); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 80*time.Second)
	defer cancel()
	db, err := sql.Open(todo.World.Driver, todo.World.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	in := bufio.NewReader(os.Stdin)
	say := json.NewEncoder(os.Stdout)
	next := func(did string) error { // in step with the others: the parent answers when all are here
		if err := say.Encode(said{Did: did}); err != nil {
			return err
		}
		_, err := in.ReadString('\n')
		return err
	}
	if err := next("started"); err != nil {
		return err
	}
	j, err := sqljournal.Open(ctx, db, todo.World.Dialect, sqljournal.Options{})
	if err != nil {
		return err
	}
	if err := next("opened"); err != nil {
		return err
	}
	switch todo.Do {
	case "begin":
		begun := map[int]token.Record{}
		for _, n := range rand.Perm(todo.Keys) {
			if begun[n], err = j.Begin(ctx, intent(fmt.Sprintf("key %d", n), "web")); err != nil {
				return err
			}
			if err := say.Encode(said{"begun", begun[n]}); err != nil {
				return err
			}
		}
		if err := next("all"); err != nil {
			return err
		}
		for n := range min(todo.Keys, endKeys) {
			if _, err := j.End(ctx, begun[n], token.Result{State: token.NotDone}); err != nil {
				return err
			}
		}
		return next("ended")
	case "forever": // begins and ends, until it is killed
		for n := 0; ; n = (n + 1) % todo.Keys {
			record, err := j.Begin(ctx, intent(fmt.Sprintf("key %d", n), "web"))
			if err != nil {
				return err
			}
			if err := say.Encode(said{"begun", record}); err != nil {
				return err
			}
			if record, err = j.End(ctx, record, token.Result{State: token.NotDone}); err != nil {
				return err
			}
			if err := say.Encode(said{"ended", record}); err != nil {
				return err
			}
		}
	}
	return nil
}

// process is a child, seen by its parent.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// start starts a child, which ends with the test at the latest.
func start(t *testing.T, todo job) *process {
	text, err := json.Marshal(todo)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t, cmd, in, json.NewDecoder(out)}
	t.Cleanup(p.kill)
	return p
}

// kill ends the child as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// hear returns the child's next line.
func (p *process) hear() said {
	p.t.Helper()
	var line said
	if err := p.out.Decode(&line); err != nil {
		p.t.Fatalf("a child says no more: %v", err)
	}
	return line
}

// goOn lets a child pass the point where it waits.
func (p *process) goOn() {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		p.t.Error(err)
	}
}

// until lets all go on when all have come to a point, and returns what they said before.
func until(children []*process, point string) (lines []said) {
	for _, p := range children {
		for {
			line := p.hear()
			if line.Did == point {
				break
			}
			lines = append(lines, line)
		}
	}
	for _, p := range children {
		p.goOn()
	}
	return lines
}
