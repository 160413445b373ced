package crash_test

import "fmt"

// tally tells how much of what the tests are about has come to pass.
type tally struct {
	rounds, keys, calls int
	attempts, replays   int // that reached the endpoint, and those that got a first result again
	inProgress          int // refused since the work was under way
	generations         int // beyond the first of each key
	notDone             int // calls whose callers were told that nothing was done
	outages, open       int // calls that the journal failed before, and at the end of
}

func (e *evidence) tally() tally {
	t := tally{rounds: 1, keys: len(e.keys), calls: e.calls, attempts: len(e.attempts), notDone: len(e.notDone), outages: e.outages, open: e.open}
	for _, a := range e.attempts {
		if a.Replayed {
			t.replays++
		}
		if a.Problem == "LastTokenProcessing" {
			t.inProgress++
		}
	}
	for _, r := range e.records {
		t.generations += int(r.Generation) - 1
	}
	return t
}

func (t *tally) add(u tally) {
	t.rounds += u.rounds
	t.keys += u.keys
	t.calls += u.calls
	t.attempts += u.attempts
	t.replays += u.replays
	t.inProgress += u.inProgress
	t.generations += u.generations
	t.notDone += u.notDone
	t.outages += u.outages
	t.open += u.open
}

// isVaried reports whether everything has come to pass at all.
func (t *tally) isVaried() bool {
	return t.replays > 0 && t.inProgress > 0 && t.generations > 0 && t.notDone > 0
}

func (t tally) String() string {
	return fmt.Sprintf("%d keys, %d calls that came to an end, %d not done, %d not sent and %d not recorded for want of the journal, %d further generations, %d attempts, %d replayed, %d refused while the first was at work",
		t.keys, t.calls, t.notDone, t.outages, t.open, t.generations, t.attempts, t.replays, t.inProgress)
}
