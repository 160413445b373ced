package storm

import (
	"math/bits"
	"time"
)

// fineness is into how many buckets a histogram divides the durations from one to its
// double: none is off by more than 0.4% of itself.
const (
	fineBits = 7
	fineness = 1 << fineBits
)

// Histogram counts durations in buckets whose width grows with them.
type Histogram struct {
	counts []int
	n      int
	sum    time.Duration
}

func (h *Histogram) add(d time.Duration) {
	i := bucket(uint64(d))
	if missing := i + 1 - len(h.counts); missing > 0 {
		h.counts = append(h.counts, make([]int, missing)...)
	}
	h.counts[i]++
	h.n++
	h.sum += d
}

// bucket is the number itself below two finenesses, then its leading bits and how many follow.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-fineBits-1)
	return shift<<fineBits + int(v>>shift)
}

// middle is the middle of a bucket.
func middle(i int) time.Duration {
	if i < 2*fineness {
		return time.Duration(i)
	}
	shift := i>>fineBits - 1
	low := uint64(i-shift<<fineBits) << shift
	return time.Duration(low + 1<<shift/2)
}

// Count returns how many durations there are.
func (h *Histogram) Count() int { return h.n }

// Mean returns their mean, 0 for none.
func (h *Histogram) Mean() time.Duration { return h.sum / time.Duration(max(1, h.n)) }

// Quantile returns the duration that a part q of them do not exceed, 0 for none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(1, int(q*float64(h.n)+0.5))
	for i, n := range h.counts {
		if rank -= n; rank <= 0 && h.n > 0 {
			return middle(i)
		}
	}
	return 0
}
