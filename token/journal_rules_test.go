package token_test

import (
	"fmt"
	"time"

	"github.com/aliretry/aliretry/token"
)

// rules are the two that a journal goes by: those of the package, or mutants of them.
type rules struct {
	begin func(held *token.Record, intent token.Intent, now time.Time) (token.Record, error)
	end   func(held *token.Record, ended token.Record, result token.Result, now time.Time) (token.Record, bool)
}

var theRules = rules{token.Begin, token.End}

// newToken is the number of a token that Begin made just now.
const newToken = 255

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// book asks the rules what a model wants to know, and each question once.
type book struct {
	rules  rules
	begins map[beginning]begun
	ends   map[ending]ended
}

type (
	beginning struct {
		held held
		own  uint8
	}
	begun struct {
		held held
		send bool
	}
	ending struct {
		held          held
		gen, tok, how uint8
	}
	ended struct {
		held    held
		changed bool
	}
)

func newBook(r rules) *book {
	return &book{r, make(map[beginning]begun), make(map[ending]ended)}
}

// begin returns the record to hold, and whether its call may be sent.
func (b *book) begin(h held, own uint8) (held, bool) {
	asked := beginning{h, own}
	answer, ok := b.begins[asked]
	if !ok {
		intent := token.Intent{Key: "key", Token: tokenOf(own), Lifetime: lifetime * time.Hour}
		record, err := b.rules.begin(h.record(), intent, h.now())
		answer = begun{h, false} // after an error, what was held stays
		if err == nil {
			answer = begun{heldOf(record, h.now()), record.State == token.Open}
		}
		b.begins[asked] = answer
	}
	return answer.held, answer.send
}

// end returns the record to hold.
func (b *book) end(h held, c call, how token.State) held {
	asked := ending{h, c.gen, c.tok, uint8(how)}
	answer, ok := b.ends[asked]
	if !ok {
		record, changed := b.rules.end(h.record(), token.Record{Key: "key", Generation: int64(c.gen), Token: tokenOf(c.tok), Begun: epoch},
			token.Result{State: how, Reply: []byte("reply")}, h.now())
		if answer = (ended{h, changed}); changed {
			answer.held = heldOf(record, h.now())
		}
		b.ends[asked] = answer
	}
	return answer.held
}

func (h held) now() time.Time { return epoch.Add(time.Duration(h.age) * time.Hour) }

func (h held) record() *token.Record {
	if !h.is {
		return nil
	}
	r := &token.Record{Key: "key", Generation: int64(h.gen), Token: tokenOf(h.tok), State: token.State(h.state), Unsettled: int(h.unsettled), Begun: epoch}
	if r.State == token.Done {
		r.Reply = []byte("reply")
	}
	return r
}

func heldOf(r token.Record, now time.Time) held {
	h := held{is: true, gen: uint8(r.Generation), tok: newToken, state: uint8(r.State), unsettled: int8(r.Unsettled), age: uint8(now.Sub(r.Begun) / time.Hour)}
	_, _ = fmt.Sscanf(r.Token, "token-%d", &h.tok)
	return h
}

func tokenOf(number uint8) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf("token-%d", number)
}
