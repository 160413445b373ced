package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aliretry/aliretry/retry"
)

// timeline prints a call's attempts, one line each, as they end.
type timeline struct{ out io.Writer }

const row = "%2v  %-20v  %-8.8v  %-24.24v  %-12v  %v\n"

func (l timeline) trace() *retry.Trace {
	return &retry.Trace{
		CallStart: func(i retry.Info) {
			fmt.Fprintf(l.out, "%s under client token %s\n\n", i.Operation, i.ClientToken)
			fmt.Fprintf(l.out, row, "#", "signed at", "nonce", "came back", "class", "wait")
		},
		AttemptEnd: func(a retry.Attempt) {
			wait := ""
			if a.Wait > 0 {
				wait = a.Wait.Round(time.Millisecond).String()
			}
			fmt.Fprintf(l.out, row, a.Number, a.SignedAt.Format(time.RFC3339), a.Nonce, cameBack(a), a.Class, wait)
		},
	}
}

func cameBack(a retry.Attempt) string {
	if a.Status == 0 {
		cause := a.Err.Error() // such as "read tcp ...: read: connection reset by peer"
		return strings.TrimSpace(cause[strings.LastIndex(cause, ":")+1:])
	}
	return fmt.Sprint(a.Status, " ", a.Code)
}
