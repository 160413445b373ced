package sqljournal

import (
	"fmt"

	"github.com/aliretry/aliretry/token"
)

// replyForm says how a reply is stored. It is stored with each, so that Seal can be taken into
// use, or given up, for a journal that has replies already.
type replyForm int

const (
	replyNone replyForm = iota
	replyPlain
	replySealed
)

// maxReply is the longest reply that is kept, well below what the databases take in one
// statement by default: a longer one must not keep its call from being recorded as done.
const maxReply = 4 << 20

// seal returns what is to be stored of the call's reply. That the call is done matters more than
// its reply, so an error is one to return beside the record.
func (j *Journal) seal(result token.Result) ([]byte, replyForm, error) {
	switch {
	case !j.o.KeepReplies || result.State != token.Done || result.Reply == nil || len(result.Reply) > maxReply:
		return nil, replyNone, nil
	case j.o.Seal == nil:
		return result.Reply, replyPlain, nil
	}
	sealed, err := j.o.Seal(result.Reply)
	if err != nil {
		return nil, replyNone, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	if len(sealed) > 2*maxReply {
		return nil, replyNone, fmt.Errorf("%w: sealed, it has %d bytes", ErrSeal, len(sealed))
	}
	return append([]byte{}, sealed...), replySealed, nil
}

// open returns the reply that was stored.
func (j *Journal) open(stored []byte, form replyForm) ([]byte, error) {
	switch {
	case stored == nil || form == replyPlain:
		return stored, nil
	case j.o.Open == nil:
		return nil, fmt.Errorf("%w: it was sealed, and there is no Options.Open", ErrReply)
	}
	reply, err := j.o.Open(stored)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReply, err)
	}
	return append([]byte{}, reply...), nil // not nil, which would be no reply
}
