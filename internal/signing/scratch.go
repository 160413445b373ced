package signing

import (
	"sync"

	"github.com/aliretry/aliretry/internal/openapi"
)

// Scratch is the memory that a request is taken apart and made ready in, which would else be
// a third of a call's garbage. It serves one request at a time, and what was prepared in it is
// good until it is released.
type Scratch struct {
	Params openapi.Room // for the query's
	refs   [fewRefs]ref
	rpc    rpc
	text   []byte
	wire   []byte
}

var scratches = sync.Pool{New: func() any { return new(Scratch) }}

// NewScratch returns one that nobody else uses.
func NewScratch() *Scratch { return scratches.Get().(*Scratch) }

// maxKept is how many bytes a Scratch may keep between two requests, for a few large ones not
// to hold memory for good.
const maxKept = 64 << 10

// Release gives s back, for another request, and lets go of this one.
func (s *Scratch) Release() {
	if cap(s.text)+cap(s.wire) > maxKept {
		return
	}
	s.rpc = rpc{}
	clear(s.Params[:])
	scratches.Put(s)
}
