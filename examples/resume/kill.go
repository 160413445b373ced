package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptrace"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/aliretry/aliretry/retry"
)

// A point is a place in a call where the program can kill itself.
type point struct {
	name, when string
	arm        func(context.Context, *retry.Trace) context.Context
}

var points = []point{
	{"begun", "the journal has the key and nothing was sent", func(ctx context.Context, t *retry.Trace) context.Context {
		t.AttemptStart = func(retry.Attempt) { die() }
		return ctx
	}},
	{"sent", "the request was sent and worked on, and its reply was not read", func(ctx context.Context, _ *retry.Trace) context.Context {
		return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: die})
	}},
	{"read", "the reply was read, and the journal does not have it", func(ctx context.Context, t *retry.Trace) context.Context {
		t.AttemptEnd = func(retry.Attempt) { die() }
		return ctx
	}},
	{"recorded", "the journal has the reply, and nobody was told", func(ctx context.Context, t *retry.Trace) context.Context {
		t.CallEnd = func(retry.Info) { die() }
		return ctx
	}},
}

func pointNames() string {
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "  %-8s  %s\n", p.name, p.when)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// killAt is where the program kills itself, as a power cut or the kernel might. The zero value is
// nowhere.
type killAt struct {
	group int
	point point
}

func (k *killAt) String() string {
	if k.group == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%s", k.group, k.point.name)
}

// Set reads "3:sent" or, for the same, "3". It is flag.Value's.
func (k *killAt) Set(text string) error {
	group, name, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(group)
	if err != nil || n < 1 || n > groups {
		return fmt.Errorf("there is no group %q", group)
	}
	name = cmp.Or(name, "sent")
	i := slices.IndexFunc(points, func(p point) bool { return p.name == name })
	if i < 0 {
		return fmt.Errorf("there is no point %q", name)
	}
	*k = killAt{n, points[i]}
	return nil
}

// arm returns the context of the call for group n, which dies of it if it is the one.
func (k *killAt) arm(ctx context.Context, n int, trace *retry.Trace) context.Context {
	if n == k.group {
		ctx = k.point.arm(ctx, trace)
	}
	return retry.WithTrace(ctx, trace)
}

// die is not os.Exit, and nothing can be done on the way: SIGKILL, or what is like it.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // it may strike a moment later
}
