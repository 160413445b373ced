package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// childVariable makes this test the program itself: the story starts its own executable.
const childVariable = "ALIRETRY_EXAMPLE_RESUME"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
		return
	}
	os.Setenv(childVariable, "1")
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or a child of the race detector's lingers for a second
	account := retrytest.DefaultAccount()
	os.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", account.AccessKeyID)
	os.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", account.AccessKeySecret)
	os.Exit(m.Run())
}

// Wherever the first start is killed, there are five groups in the end.
func TestKilledAnywhere(t *testing.T) {
	ends := map[string]struct {
		how      string // what becomes of the group in the second start
		attempts int
	}{
		"begun": {"resumed", 5}, "sent": {"resumed", 6}, "read": {"resumed", 6}, "recorded": {"replayed", 5},
	}
	for _, p := range points {
		for n := 1; n <= groups; n++ {
			t.Run(fmt.Sprint(n, ":", p.name), func(t *testing.T) {
				t.Parallel()
				var out bytes.Buffer
				if err := run(t.Context(), &out, []string{"-kill", fmt.Sprint(n, ":", p.name)}); err != nil {
					t.Fatalf("%v\n%s", err, &out)
				}
				var want []string
				for i := 1; i < n; i++ {
					want = append(want, "created")
				}
				for i := 1; i <= groups; i++ {
					switch {
					case i < n:
						want = append(want, "replayed")
					case i == n:
						want = append(want, ends[p.name].how)
					default:
						want = append(want, "created")
					}
				}
				for range groups {
					want = append(want, "replayed")
				}
				if got := hows(out.String()); strings.Join(got, " ") != strings.Join(want, " ") {
					t.Errorf("said\n%s, want\n%s", got, want)
				}
				end := fmt.Sprintf("\nthe endpoint counted %d attempts under 5 tokens, and 5 effects\n5 resources, created once each\n", ends[p.name].attempts)
				if !strings.HasSuffix(out.String(), end) {
					t.Errorf("does not end with%s:\n%s", end, &out)
				}
			})
		}
	}
}

// hows returns what was said of the groups, in order.
func hows(out string) (all []string) {
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "stack/") {
			all = append(all, f[1])
		}
	}
	return all
}

// newStart returns the settings of a start at fake, with a journal of its own.
func newStart(t *testing.T, fake *retrytest.Server) settings {
	return settings{endpoint: fake.URL, region: "cn-qingdao", run: "run-1", journal: filepath.Join(t.TempDir(), "journal.db")}
}

// A program that has lost its journal begins anew: three of the groups are there twice.
func TestWithoutItsJournal(t *testing.T) {
	fake := retrytest.NewServer()
	defer fake.Close()
	s := newStart(t, fake)
	if err := s.kill.Set("3"); err != nil {
		t.Fatal(err)
	}
	if killed, err := start(t.Context(), io.Discard, s); err != nil || killed == "" {
		t.Fatalf("killed by %q, error %v", killed, err)
	}
	if _, err := start(t.Context(), io.Discard, newStart(t, fake)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := ledger(&out, fake); err == nil || len(fake.Effects()) != 8 {
		t.Errorf("error %v, %d effects:\n%s", err, len(fake.Effects()), &out)
	}
}

// The program may be started again before the one before has ended.
func TestStartedSeveralTimesAtOnce(t *testing.T) {
	fake := retrytest.NewServer()
	defer fake.Close()
	s := newStart(t, fake)
	errs := make([]error, 4)
	var starts sync.WaitGroup
	for i := range errs {
		starts.Go(func() { _, errs[i] = start(t.Context(), io.Discard, s) })
	}
	starts.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if err := ledger(io.Discard, fake); err != nil {
		t.Error(err)
	}
}

// An interrupted call leaves its key open, and says how to go on; the other run's groups are others.
func TestInterrupted(t *testing.T) {
	fake := retrytest.NewServer()
	defer fake.Close()
	s := newStart(t, fake)
	ctx, interrupt := context.WithCancel(t.Context())
	fake.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		if a.Number == 2 {
			interrupt()
			return retrytest.Hang().AfterEffect()
		}
		return retrytest.OK()
	})
	err := provision(ctx, io.Discard, s)
	if err == nil || !strings.Contains(err.Error(), "start the program again with the same journal") {
		t.Fatalf("error %v", err)
	}
	var out bytes.Buffer
	if err := provision(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(hows(out.String()), " "); got != "replayed resumed created created created" {
		t.Errorf("said %s", got)
	}
	if err := ledger(io.Discard, fake); err != nil {
		t.Error(err)
	}

	other := s
	other.region = "cn-hangzhou" // under the keys of the first run
	if err := provision(t.Context(), io.Discard, other); err == nil || !strings.Contains(err.Error(), "belongs to another call: they differ in RegionId") {
		t.Errorf("in another region: %v", err)
	}
	other.run = "run-2"
	if err := provision(t.Context(), io.Discard, other); err != nil || len(fake.Effects()) != 2*groups {
		t.Errorf("another run: error %v, %d effects", err, len(fake.Effects()))
	}
}

func TestRefused(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	journal := filepath.Join(t.TempDir(), "journal.db")
	if err := run(t.Context(), io.Discard, []string{"-journal", journal}); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		err  string
	}{
		"a journal of an earlier story": {[]string{"-journal", journal}, "exit status 2: stack/web-prod/run-1/group-1: aliretry: CreateScalingGroup: not sent, and the outcome of its key is Unknown: the key belongs to another call: they differ in Host"},
		"a journal in no directory":     {[]string{"-journal", filepath.Join(journal, "x")}, "exit status 2: sqljournal: opening on SQLite: "},
		"no journal":                    {[]string{"-endpoint", "ess.example.com"}, "-endpoint needs -journal"},
		"no credentials":                {[]string{"-endpoint", "ess.example.com", "-journal", journal, "-run", "2"}, "no credentials"},
		"an argument":                   {[]string{"3"}, `unknown argument "3"`},
		"no such group":                 {[]string{"-kill", "6"}, `there is no group "6"`},
		"no such point":                 {[]string{"-kill", "2:lunch"}, `there is no point "lunch"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), io.Discard, tt.args); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
