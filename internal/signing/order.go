package signing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi"
)

// ref names a constant parameter: the list that it is in, and its index there. Refs cost less
// to write and to sort than parameters.
type ref uint32

// ofRequired is the list of those that the request lacks; the others are of its places.
const ofRequired = openapi.Form + 1

func newRef(list openapi.Place, i int) ref { return ref(i)<<2 | ref(list) }

func (r ref) list() openapi.Place { return openapi.Place(r & 3) }

// fewRefs are as many as are kept sorted from the start: more than most requests have.
const fewRefs = 2 * len(openapi.Room{})

// order sorts a request's constant parameters by name.
type order struct {
	lists    [ofRequired + 1][]openapi.Param
	refs     []ref
	last     string // the last one's name
	unsorted bool
}

func (o *order) at(r ref) *openapi.Param { return &o.lists[r.list()][r>>2] }

// add puts a ref where its name belongs, and refuses a name that stands twice in one place. The
// SDK sorts its query, and behind that there are often but a client token and the form's.
func (o *order) add(r ref, name string) error {
	n := len(o.refs)
	switch {
	case n == 0 || less(o.last, name):
		o.last = name
	case n < fewRefs:
		at, found := slices.BinarySearchFunc(o.refs, r, o.byName)
		if found {
			return repeated(name)
		}
		o.refs = slices.Insert(o.refs, at, r)
		return nil
	default: // inserting so many would take too long
		o.unsorted = true
	}
	o.refs = append(o.refs, r)
	return nil
}

// sort ends the adding.
func (o *order) sort() error {
	if !o.unsorted {
		return nil
	}
	slices.SortFunc(o.refs, o.byName)
	for i := 1; i < len(o.refs); i++ {
		if o.byName(o.refs[i-1], o.refs[i]) == 0 {
			return repeated(o.at(o.refs[i]).Name())
		}
	}
	return nil
}

// byName compares names, and of one name the places.
func (o *order) byName(a, b ref) int {
	return cmp.Or(strings.Compare(o.at(a).Name(), o.at(b).Name()), cmp.Compare(a.list(), b.list()))
}

func repeated(name string) error {
	return fmt.Errorf("%w: parameter %q stands twice in one place", ErrMalformed, name)
}

// less is a < b. Most names differ in their first letter.
func less(a, b string) bool {
	if a != "" && b != "" && a[0] != b[0] {
		return a[0] < b[0]
	}
	return a < b
}
