package retry

import (
	"net/http"
	"testing"
	"time"
)

// The ceilings grow from base to max, transient ones fourfold and busy ones threefold, jitter is drawn below them also at the maximum,
// and the two kinds grow on their own.
func TestDelaysGrow(t *testing.T) {
	policy, _ := Policy{}.withDefaults()
	const half = 0.5
	tests := []struct {
		name   string
		class  Class
		jitter float64
		want   []time.Duration
	}{
		{"transient, full jitter", NoResponse, half, []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 800 * time.Millisecond,
			3200 * time.Millisecond, 12800 * time.Millisecond, 15 * time.Second, 15 * time.Second}},
		{"transient may be next to nothing", ServerError, 0, []time.Duration{0, 0, 0}},
		{"busy, upper half", Busy, half, []time.Duration{750 * time.Millisecond, 2250 * time.Millisecond, 6750 * time.Millisecond, 20250 * time.Millisecond,
			22500 * time.Millisecond, 22500 * time.Millisecond}},
		{"busy is never under half", Throttled, 0, []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 4500 * time.Millisecond, 13500 * time.Millisecond, 15 * time.Second}},
		{"a new nonce needs no wait", NonceUsed, half, []time.Duration{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := delays{policy: &policy, growth: &defaultGrowth}
			for i, want := range tt.want {
				if got := d.next(classTable[tt.class], tt.jitter, 0); got != want {
					t.Errorf("delay %d is %v, want %v", i+1, got, want)
				}
			}
		})
	}
	d := delays{policy: &policy, growth: &defaultGrowth}
	for range 5 {
		d.next(classTable[NoResponse], half, 0)
	}
	if got := d.next(classTable[Busy], half, 0); got != 750*time.Millisecond {
		t.Errorf("busy delay after transient ones is %v, want its first", got)
	}
}

// A hint lengthens our delay, by 5 s at most, and never shortens it.
func TestHintIsClamped(t *testing.T) {
	policy, _ := Policy{}.withDefaults()
	tests := []struct {
		class      Class
		hint, want time.Duration
	}{
		{Unavailable, 0, 750 * time.Millisecond},
		{Unavailable, 100 * time.Millisecond, 750 * time.Millisecond},
		{Throttled, 3 * time.Second, 3 * time.Second},
		{Busy, 24 * time.Hour, 5750 * time.Millisecond},
		{ServerError, 3 * time.Second, 50 * time.Millisecond}, // not a class that hints
	}
	for _, tt := range tests {
		d := delays{policy: &policy, growth: &defaultGrowth}
		if got := d.next(classTable[tt.class], 0.5, tt.hint); got != tt.want {
			t.Errorf("%v with a hint of %v waits %v, want %v", tt.class, tt.hint, got, tt.want)
		}
	}
}

func TestHintOf(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second},
		{"Retry-After", "Fri, 02 Jan 2026 03:04:01 GMT", 0},
		{"Retry-After", "-1", 0},
		{"Retry-After", "99999999999999999999", 0},
		{"Retry-After", "soon", 0},
		{"x-acs-retry-after", "1500", 1500 * time.Millisecond},
		{"x-ratelimit-user-api", "Period:SECOND,Remain:0,TimeLeft:250", 250 * time.Millisecond},
		{"x-ratelimit-user", "TimeLeft: 30 ,x", 30 * time.Millisecond},
		{"x-ratelimit-user", "TimeLeft:", 0},
		{"X-Other", "1", 0},
	}
	for _, tt := range tests {
		h := make(http.Header)
		h.Set(tt.name, tt.value)
		if got := hintOf(h, now); got != tt.want {
			t.Errorf("%s: %s gives %v, want %v", tt.name, tt.value, got, tt.want)
		}
	}
}
