package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// story starts the program three times at a fake endpoint. The first one is killed.
func story(ctx context.Context, out io.Writer, s settings) (err error) {
	if s.kill.group == 0 {
		if err := s.kill.Set("3:sent"); err != nil {
			return err
		}
	}
	if s.journal == "" {
		dir, err := os.MkdirTemp("", "aliretry-resume-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s.journal = filepath.Join(dir, "journal.db")
	}
	fake := retrytest.NewServer()
	defer fake.Close()
	s.endpoint = fake.URL

	fmt.Fprintf(out, "first start, killed in the call for group %d: %s\n", s.kill.group, s.kill.point.when)
	killed, err := start(ctx, out, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s; the endpoint has %d of %d groups\n", killed, len(fake.Effects()), groups)
	s.kill = killAt{}
	for _, title := range []string{"second start, which goes on", "third start, which has nothing left to do"} {
		fmt.Fprintf(out, "\n%s\n", title)
		if _, err := start(ctx, out, s); err != nil {
			return err
		}
	}
	fmt.Fprint(out, `
created:  for the first time
resumed:  a start before may have sent it, so it was sent again, under the client token in the journal
replayed: nothing was sent, the journal has the reply

`)
	return ledger(out, fake)
}

// start runs the program in a process of its own, and returns how it was killed, if it was to be.
func start(ctx context.Context, out io.Writer, s settings) (killed string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	args := []string{"-journal", s.journal, "-endpoint", s.endpoint, "-region", s.region, "-run", s.run}
	if s.kill.group > 0 {
		args = append(args, "-kill", s.kill.String())
	}
	process := exec.CommandContext(ctx, self, args...)
	account := retrytest.DefaultAccount()
	process.Env = append(os.Environ(),
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+account.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+account.AccessKeySecret)
	var complaint strings.Builder
	process.Stdout, process.Stderr = out, &complaint
	err = process.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case s.kill.group > 0 && err == nil:
		return "", errors.New("the first start was not killed")
	case s.kill.group > 0 && errors.As(err, &exit) && exit.ExitCode() != failed:
		return exit.Error(), nil
	case err != nil:
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return "", nil
}

// ledger prints what the endpoint counted. It alone knows what was created.
func ledger(out io.Writer, fake *retrytest.Server) error {
	attempts, effects := fake.Attempts(), fake.Effects()
	tokens, times := make(map[string]bool), make(map[string]int)
	for _, a := range attempts {
		tokens[a.ClientToken] = true
	}
	for _, e := range effects {
		times[e.Params.Get("ScalingGroupName")]++
	}
	fmt.Fprintf(out, "the endpoint counted %d attempts under %d tokens, and %d effects\n", len(attempts), len(tokens), len(effects))
	if len(effects) != groups || len(times) != groups {
		return fmt.Errorf("there are %d groups under %d names, and there should be %d", len(effects), len(times), groups)
	}
	fmt.Fprintf(out, "%d resources, created once each\n", groups)
	return nil
}
