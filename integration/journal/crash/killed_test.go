package crash_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// TestKilled kills processes that make calls, and starts others, until every key is settled;
// and again with other keys, as often as is asked for.
func TestKilled(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		kill(t, *killsSQLite, func(t *testing.T) []world { return []world{newSQLite(t, "wal"), newSQLite(t, "delete")} })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		kill(t, *killsPostgres, func(t *testing.T) []world { return []world{newPostgres(t)} })
	})
	t.Run("MySQL", func(t *testing.T) {
		kill(t, *killsMySQL, func(t *testing.T) []world { return []world{newMariaDB(t)} })
	})
}

// kill has shards kill children side by side, in worlds that they share.
func kill(t *testing.T, kills int, make func(*testing.T) []world) {
	if kills == 0 {
		return // what is not to be killed needs no server
	}
	worlds := make(t)
	c := &campaign{left: kills, kills: map[point]int{}, planned: map[point]int{}}
	var wg sync.WaitGroup
	for n := range *shards {
		wg.Go(func() {
			for !t.Failed() && c.goesOn() {
				if err := c.round(t, worlds[n%len(worlds)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	t.Log(c)
	if kills >= 100 { // fewer may leave something out
		for _, p := range points {
			if c.kills[p] == 0 {
				t.Errorf("nobody died %s", p)
			}
		}
		if !c.isVaried() {
			t.Error("something that the test is about has not come to pass")
		}
	}
}

// campaign is the kills that shards share.
type campaign struct {
	mu      sync.Mutex
	left    int // kills that nobody has planned
	planned map[point]int
	kills   map[point]int
	tally
}

func (c *campaign) goesOn() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left > 0
}

// share is how much a point has had of what it is to have: more of random moments than of others,
// since most lie within a transaction or a request.
func (c *campaign) share(p point) int {
	n := 6 * (c.kills[p] + c.planned[p])
	if p == anywhere {
		n /= 6
	}
	return n
}

// next plans a kill, at the point that has had the least; nowhere, if there are enough.
func (c *campaign) next() (p plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return plan{}
	}
	c.left--
	for _, q := range points {
		if p.Point == nowhere || c.share(q) < c.share(p.Point) {
			p.Point = q
		}
	}
	c.planned[p.Point]++
	p.Nth = 1 + rand.Int32N(6)
	return p
}

// lived counts a life that was planned. A kill counts if the child had work left.
func (c *campaign) lived(p plan, killed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.planned[p.Point]--; {
	case killed:
		c.kills[p.Point]++
	case p.Point != nowhere:
		c.left++
	}
}

// round kills children until the keys of a round are settled.
func (c *campaign) round(t *testing.T, w world) error {
	const keys = 15
	r := newRound(w, keys, troubled)
	defer r.close()
	for r.left(r.Keys) > 0 {
		p := c.next()
		killed, err := r.live(p)
		c.lived(p, killed)
		if err != nil {
			return err
		}
	}
	seen := r.mustVerify(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(seen)
	return nil
}

// String tells how many died where.
func (c *campaign) String() string {
	var b strings.Builder
	total := 0
	for _, p := range points {
		total += c.kills[p]
		fmt.Fprintf(&b, "\n\t%4d %s", c.kills[p], p)
	}
	return fmt.Sprintf("%d killed in %d rounds, with %v:%s", total, c.rounds, c.tally, b.String())
}
