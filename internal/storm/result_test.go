package storm

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 {
		t.Errorf("of nothing, the median is %v and the mean %v", h.Quantile(0.5), h.Mean())
	}
	var all []time.Duration
	for range 10_001 {
		d := time.Duration(random.ExpFloat64() * float64(random.IntN(2)*1000+1) * float64(time.Millisecond))
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.9999, 1} {
		want := all[max(1, int(q*float64(len(all))+0.5))-1]
		if got := h.Quantile(q); !near(got.Seconds(), want.Seconds(), 0.004) {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
}

// Every duration has one bucket, and the buckets are in order.
func TestBuckets(t *testing.T) {
	last := -1
	for v := uint64(0); v < 1<<50; v += 1 + v/1000 {
		i := bucket(v)
		if i != last && i != last+1 {
			t.Fatalf("after bucket %d comes %d", last, i)
		}
		if last = i; !near(float64(middle(i)), float64(v), 0.004) {
			t.Fatalf("%d is in the bucket of %d", v, middle(i))
		}
	}
}

func TestTimeToRecover(t *testing.T) {
	tests := []struct {
		name   string
		failed map[int]int // of the hundred calls of a second
		want   time.Duration
		ok     bool
	}{
		{"at once", nil, 0, true},
		{"after the trouble", map[int]int{29: 100}, 0, true},
		{"five seconds more", map[int]int{30: 100, 34: 100}, 5 * time.Second, true},
		{"one in a hundred does not count", map[int]int{40: 10}, 0, true},
		{"a relapse", map[int]int{45: 11}, 16 * time.Second, true},
		{"down at the end", map[int]int{59: 100}, 0, false},
	}
	for _, tt := range tests {
		r := &Result{Scenario: &Scenario{Duration: time.Minute}, Seconds: make([]Second, 60)}
		for i := range r.Seconds {
			r.Seconds[i] = Second{Calls: 100, InTime: 100 - tt.failed[i]}
		}
		if got, ok := r.TimeToRecover(30 * time.Second); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestSummaries(t *testing.T) {
	r := &Result{Scenario: small(), Seconds: []Second{
		{Calls: 10, Attempts: 20, Admitted: 10, InTime: 5, Duplicate: 1}, {Calls: 10, Attempts: 15, Admitted: 10, InTime: 10}, {Attempts: 5},
	}}
	for what, got := range map[string][2]float64{
		"amplification":         {r.Amplification(0, time.Second), 2},
		"extra load":            {r.ExtraLoad(time.Second, 2*time.Second), 0.5},
		"extra load of nothing": {r.ExtraLoad(2*time.Second, 3*time.Second), 0},
		"success":               {r.SuccessShare(0, 2*time.Second), 0.75},
		"success of nothing":    {r.SuccessShare(2*time.Second, 3*time.Second), 1},
		"goodput":               {r.GoodputShare(0, time.Second), 0.5},
		"duplicates":            {r.DuplicatesPer1000(), 50},
		"peak":                  {float64(r.PeakLoad(time.Second, time.Hour)), 15},
		"attempts":              {float64(r.Total().Attempts), 40},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %v, want %v", what, got[0], got[1])
		}
	}
}

func TestWriteCSV(t *testing.T) {
	r := &Result{Seconds: []Second{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {Calls: 3}}}
	var b strings.Builder
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	const want = "second,calls,attempts,admitted,succeeded,failed,in_time,effects,duplicate,orphaned,refused\n" +
		"0,1,2,3,4,5,6,7,8,9,10\n1,3,0,0,0,0,0,0,0,0,0\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}
