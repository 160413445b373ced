package storm

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Events come in the order of their times, and those of the same moment as they were pushed,
// while others are pushed.
func TestQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var q queue
	var want []event
	var now time.Duration
	for i := range 20_000 {
		at := now + 5
		if random.IntN(3) == 0 {
			at = now + time.Duration(random.IntN(50))
		}
		e := event{at, uint32(i), int32(i), action(random.IntN(int(actions)))}
		q.push(e.at, e.action, e.whom)
		place, _ := slices.BinarySearchFunc(want, e, func(e, f event) int { return cmp.Or(cmp.Compare(e.at, f.at), -1) })
		want = slices.Insert(want, place, e)
		for range random.IntN(3) {
			next := q.next()
			if len(want) == 0 {
				if next != nil {
					t.Fatalf("an empty queue has %+v", *next)
				}
				break
			}
			if *next != want[0] {
				t.Fatalf("event %+v, want %+v", *next, want[0])
			}
			now = next.at
			q.drop(next)
			want = want[1:]
		}
	}
}
