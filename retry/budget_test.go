package retry

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

func (b *Budget) heldAt(now time.Time) (held float64) {
	b.use(now, func(_ *budgetRules, h float64) float64 { held = h; return h })
	return held
}

func TestBudgetSteps(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type act struct {
		after time.Duration
		do    func(b *Budget, now time.Time) (ok bool)
		ok    bool
		held  float64
	}
	spend := func(p price) func(*Budget, time.Time) bool {
		return func(b *Budget, now time.Time) bool { _, ok := b.spend(now, p); return ok }
	}
	answer := func(c Class, paid float64) func(*Budget, time.Time) bool {
		return func(b *Budget, now time.Time) bool { b.answered(now, c, paid); return true }
	}
	wait := func(*Budget, time.Time) bool { return true }
	tests := map[string]struct {
		size int
		acts []act
	}{
		"seven retries, and no eighth": {0, []act{
			{0, spend(fullPrice), true, 430}, {0, spend(fullPrice), true, 360}, {0, spend(fullPrice), true, 290}, {0, spend(fullPrice), true, 220},
			{0, spend(fullPrice), true, 150}, {0, spend(fullPrice), true, 80}, {0, spend(fullPrice), true, 10}, {0, spend(fullPrice), false, 10},
		}},
		"a low price is still affordable where a full one is not": {69, []act{{0, spend(fullPrice), false, 69}, {0, spend(lowPrice), true, 68}}},
		"what costs nothing is never refused":                     {1, []act{{0, spend(lowPrice), true, 0}, {0, spend(lowPrice), false, 0}, {0, spend(free), true, 0}}},
		"to the last token":                                       {70, []act{{0, spend(fullPrice), true, 0}, {0, spend(lowPrice), false, 0}}},
		"time brings back what is missing, and no more": {70, []act{
			{0, spend(fullPrice), true, 0}, {4 * time.Second, wait, true, 1}, {275 * time.Second, spend(fullPrice), false, 69.75},
			{time.Second, spend(fullPrice), true, 0}, {24 * time.Hour, wait, true, 70},
		}},
		"a success adds ten and returns what it cost": {0, []act{
			{0, answer(Success, 0), true, 510}, {0, spend(fullPrice), true, 440}, {0, answer(Success, 70), true, 520},
		}},
		"a refusal by a healthy server returns what it cost": {0, []act{
			{0, spend(fullPrice), true, 430}, {0, answer(Rejected, 70), true, 500}, {0, answer(Rejected, 0), true, 500},
		}},
		"more trouble returns nothing": {0, []act{
			{0, spend(fullPrice), true, 430}, {0, answer(ServerError, 70), true, 430}, {0, answer(Throttled, 70), true, 430}, {0, answer(Canceled, 70), true, 430},
		}},
		"what successes added is forgotten": {10, []act{
			{0, answer(Success, 20), true, 40}, {2 * time.Minute, wait, true, 10 + 30/math.E}, {24 * time.Hour, wait, true, 10},
		}},
		"a hundred times its size and no more": {10, []act{{0, answer(Success, 5000), true, 1000}}},
		"a clock that stands still or runs back moves nothing": {70, []act{
			{0, spend(fullPrice), true, 0}, {-time.Hour, wait, true, 0}, {time.Hour, wait, true, 0}, {4 * time.Second, wait, true, 1},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, now := &Budget{Size: tt.size}, start
			for i, a := range tt.acts {
				now = now.Add(a.after)
				if ok := a.do(b, now); ok != a.ok {
					t.Errorf("step %d: %v, want %v", i, ok, a.ok)
				}
				if held := b.heldAt(now); math.Abs(held-a.held) > 1e-9 {
					t.Errorf("step %d: %v held, want %v", i, held, a.held)
				}
			}
		})
	}
}

// What a budget allows in a total outage is bounded by its size and by time, whatever is
// asked of it and however often.
func TestBudgetInATotalOutage(t *testing.T) {
	for _, gap := range []time.Duration{time.Millisecond, time.Second, time.Minute} {
		b, start, allowed := &Budget{}, time.Now(), 0
		for at := time.Duration(0); at < 10*time.Minute; at += gap {
			for range 9 {
				if _, ok := b.spend(start.Add(at), fullPrice); ok {
					allowed++
				}
			}
		}
		if allowed < 7 || allowed > 9 { // 500 tokens and 150 more
			t.Errorf("asked every %v: %d retries in 10 minutes, want 7 to 9", gap, allowed)
		}
	}
}

// checkBudget plays a program of one operation a byte, and checks what holds for every budget
// at every moment.
func checkBudget(t *testing.T, size int, program []byte) {
	b, now := &Budget{Size: size}, time.Unix(0, 0)
	most := b.size() * defaultBudget.most
	var paid []float64
	for i, op := range program {
		now = now.Add(time.Duration(op>>4) * time.Duration(op>>4) * time.Second)
		before := b.heldAt(now)
		switch op & 0xf {
		case 0, 1, 2, 3, 4, 5:
			p := [...]price{free, lowPrice, fullPrice}[op&0xf%3]
			cost, ok := b.spend(now, p)
			if want := before >= defaultBudget.costs[p]; ok != want || ok && cost != defaultBudget.costs[p] || !ok && cost != 0 {
				t.Fatalf("step %d: spending under price %d of %v: %v, %v", i, p, before, cost, ok)
			}
			paid = append(paid, cost)
		case 6, 7, 8:
			b.answered(now, Success, 0)
		default:
			if len(paid) > 0 {
				class := Class(op) % classes
				b.answered(now, class, paid[0])
				paid = paid[1:]
				if after := b.heldAt(now); !classTable[class].healthy && after != before {
					t.Fatalf("step %d: %v changed %v to %v", i, class, before, after)
				}
			}
		}
		if held := b.heldAt(now); held < 0 || held > most || math.IsNaN(held) {
			t.Fatalf("step %d: %v tokens held, of %v at most", i, held, most)
		}
	}
	// It is never stuck: where its size allows a retry at all, time alone brings one.
	if b.size() >= defaultBudget.costs[fullPrice] {
		seconds := defaultBudget.costs[fullPrice] / defaultBudget.refill
		if _, ok := b.spend(now.Add(time.Duration(math.Ceil(seconds))*time.Second), fullPrice); !ok {
			t.Fatalf("no retry after %v s without one", seconds)
		}
	}
	if held := b.heldAt(now.Add(1000 * time.Hour)); math.Abs(held-b.size()) > 1e-6 {
		t.Fatalf("%v tokens held after a long rest, of %v", held, b.size())
	}
}

func TestBudgetProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		program := make([]byte, random.IntN(200))
		for i := range program {
			program[i] = byte(random.Uint32())
		}
		checkBudget(t, random.IntN(1500), program)
	}
}

func FuzzBudget(f *testing.F) {
	f.Add(uint16(0), []byte{2, 2, 2, 2, 2, 2, 2, 2, 0xf2, 9})
	f.Fuzz(func(t *testing.T, size uint16, program []byte) { checkBudget(t, int(size), program) })
}

// Tokens are neither lost nor made up between calls that run side by side.
func TestBudgetConcurrentUse(t *testing.T) {
	b, now := &Budget{Size: 25_000}, time.Now() // time stands still, and the most is out of reach
	var (
		mu           sync.Mutex
		spent, found float64
		workers      sync.WaitGroup
	)
	for range 64 {
		workers.Go(func() {
			for i := range 300 {
				cost, ok := b.spend(now, fullPrice)
				back := 0.0
				switch {
				case !ok:
				case i%3 == 0:
					b.answered(now, Success, cost)
					back = cost + 10
				case i%3 == 1:
					b.unspend(now, cost)
					back = cost
				}
				mu.Lock()
				spent, found = spent+cost, found+back
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if held := b.heldAt(now); held != 25_000-spent+found || held < 0 {
		t.Errorf("%v tokens held, after %v of 25,000 were spent and %v came back", held, spent, found)
	}
	if spent == 0 || found == 0 {
		t.Errorf("%v spent, %v found: nothing was tested", spent, found)
	}
}

func TestUnlimitedBudget(t *testing.T) {
	b := Unlimited()
	for range 1000 {
		if cost, ok := b.spend(time.Now(), fullPrice); !ok || cost != 0 {
			t.Fatalf("spend = %v, %v", cost, ok)
		}
	}
}

func TestBudgetOfNegativeSize(t *testing.T) {
	tr := &Transport{Base: &scripted{}, Credentials: signer.Static(testKey), Budget: &Budget{Size: -1}}
	if _, err := tr.RoundTrip(newRequest(t.Context(), createURL)); !errors.Is(err, ErrPolicy) {
		t.Errorf("error %v, want ErrPolicy", err)
	}
}

// BenchmarkBudget shows what 64 goroutines that share a budget wait for it: beside an
// uncontended one, and beside the time of a call on the success path (BenchmarkRoundTrip).
func BenchmarkBudget(b *testing.B) {
	work := func(budget *Budget) {
		now := time.Now()
		cost, _ := budget.spend(now, fullPrice)
		budget.answered(now, Success, cost)
	}
	b.Run("success, 1 goroutine", func(b *testing.B) {
		var budget Budget
		b.ReportAllocs()
		for b.Loop() {
			budget.answered(time.Now(), Success, 0)
		}
	})
	b.Run("retry and success, 1 goroutine", func(b *testing.B) {
		var budget Budget
		b.ReportAllocs()
		for b.Loop() {
			work(&budget)
		}
	})
	b.Run("retry and success, 64 goroutines", func(b *testing.B) {
		var budget Budget
		b.ReportAllocs()
		b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				work(&budget)
			}
		})
	})
}
