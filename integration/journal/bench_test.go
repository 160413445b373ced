package journal_test

import (
	"fmt"
	"testing"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// BenchmarkBeginEnd is what a call pays that is done at the first attempt: a Begin and an End.
func BenchmarkBeginEnd(b *testing.B) {
	for _, dialect := range dialects {
		b.Run(dialect.String(), func(b *testing.B) {
			j := newWorld(b, dialect).open(b, sqljournal.Options{KeepReplies: true})
			ctx := b.Context()
			result := token.Result{State: token.Done, Reply: make([]byte, 500)}
			for n := 0; b.Loop(); n++ {
				record, err := j.Begin(ctx, intent(fmt.Sprint("key ", n), "web"))
				if err == nil {
					_, err = j.End(ctx, record, result)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
