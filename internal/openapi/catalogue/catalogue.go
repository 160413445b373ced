// Package catalogue knows the operations of Alibaba Cloud: where each takes its client
// token, whether repeating it is safe, and how long it may take. It is compiled from the
// sources of alibaba-cloud-sdk-go and from exceptions.tsv, a list of operations that are
// not what their names say.
package catalogue

import (
	_ "embed"
	"errors"
	"math/bits"
	"strings"
	"time"
)

//go:generate go run ./generate

// Token is how an operation takes its client token.
type Token uint8

const (
	TokenUnknown    Token = iota
	NoToken               // takes none
	TokenInQuery          // ClientToken in the query
	TokenInForm           // ClientToken in the form
	LowerTokenQuery       // clientToken in the query
)

// Safety is what a second run of an operation would do.
type Safety uint8

const (
	SafetyUnknown Safety = iota
	ReadOnly             // has no effect
	ReplaySafe           // a second run adds nothing to the first
	Unsafe               // a second run may add an effect
)

// DryRun is how an operation is asked to have no effect. One that is asked otherwise does
// not notice.
type DryRun uint8

const (
	NoDryRun    DryRun = iota // cannot be asked
	UpperDryRun               // DryRun=true, in the ROA style in the form
	LowerDryRun               // dryRun=true in the query, in the ROA style
)

// Entry is what is known of an operation.
type Entry struct {
	Product string
	Token   Token
	Safety  Safety
	DryRun  DryRun
	Timeout time.Duration // the read timeout that the SDK gives it; 0: none of its own
}

// table holds a record for each operation of each product, sorted by hash: the hash of
// version and action in 8 bytes, then the facts in 4, both big-endian.
//
//go:embed catalogue.bin
var table string

const (
	hashSize   = 8
	recordSize = hashSize + 4
)

// The facts of a record, from its lowest bits: seconds of timeout, DryRun, Safety,
// Token, index of the product.
const (
	timeoutBits = 8
	dryRunBits  = 2
	safetyBits  = 2
	tokenBits   = 3

	dryRunShift  = timeoutBits
	safetyShift  = dryRunShift + dryRunBits
	tokenShift   = safetyShift + safetyBits
	productShift = tokenShift + tokenBits
)

// Hash is what an operation's records are found by: FNV-1a of version, a zero byte and
// action.
func Hash(version, action string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(version) {
		h = (h ^ uint64(version[i])) * prime
	}
	h *= prime // the zero byte
	for i := range len(action) {
		h = (h ^ uint64(action[i])) * prime
	}
	return h
}

// Pack returns the facts of a record.
func Pack(e Entry, product int) (uint32, error) {
	seconds := e.Timeout / time.Second
	if seconds >= 1<<timeoutBits || product >= 1<<(32-productShift) {
		return 0, errors.New("its facts do not fit into a record")
	}
	return uint32(seconds) | uint32(e.DryRun)<<dryRunShift | uint32(e.Safety)<<safetyShift |
		uint32(e.Token)<<tokenShift | uint32(product)<<productShift, nil
}

func unpack(facts uint32) Entry {
	return Entry{
		Product: products[facts>>productShift],
		Token:   Token(facts >> tokenShift & (1<<tokenBits - 1)),
		Safety:  Safety(facts >> safetyShift & (1<<safetyBits - 1)),
		DryRun:  DryRun(facts >> dryRunShift & (1<<dryRunBits - 1)),
		Timeout: time.Duration(facts&(1<<timeoutBits-1)) * time.Second,
	}
}

// Lookup returns what is known of an operation, and whether it is known at all. Its
// version and action name it, but for some seventy pairs that several products share:
// there the host decides and, where it does not tell, what holds for all of them. What
// they disagree about is then unknown or, as to safety, unsafe.
func Lookup(version, action, host string) (Entry, bool) {
	hash := Hash(version, action)
	at := func(i int) bool { return i < len(table) && hashAt(i) == hash }
	i := search(hash)
	if !at(i) {
		return Entry{}, false
	}
	all := entryAt(i)
	if i += recordSize; !at(i) || Serves(host, all.Product) {
		return all, true
	}
	for ; at(i); i += recordSize {
		e := entryAt(i)
		if Serves(host, e.Product) {
			return e, true
		}
		all = common(all, e)
	}
	all.Product = ""
	return all, true
}

// search returns the offset of the first record whose hash is not less. Hashes lie even,
// so a record's place is about known: the search begins there, in a part of the table
// small enough for a processor's cache, and goes through all of it only if it must.
func search(hash uint64) int {
	const spread = 128
	n := len(table) / recordSize
	about, _ := bits.Mul64(hash, uint64(n))
	low, high := max(int(about)-spread, 0), min(int(about)+spread, n)
	if low > 0 && hashAt((low-1)*recordSize) >= hash || high < n && hashAt(high*recordSize) < hash {
		low, high = 0, n
	}
	for low < high {
		middle := int(uint(low+high) / 2)
		if hashAt(middle*recordSize) < hash {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low * recordSize
}

func hashAt(i int) uint64 {
	h := table[i : i+hashSize]
	return uint64(h[7]) | uint64(h[6])<<8 | uint64(h[5])<<16 | uint64(h[4])<<24 |
		uint64(h[3])<<32 | uint64(h[2])<<40 | uint64(h[1])<<48 | uint64(h[0])<<56
}

func entryAt(i int) Entry {
	f := table[i+hashSize : i+recordSize]
	return unpack(uint32(f[3]) | uint32(f[2])<<8 | uint32(f[1])<<16 | uint32(f[0])<<24)
}

// Serves reports whether a host is one of a product's endpoints, by its first label:
// hbase.aliyuncs.com, hbase-vpc.cn-hangzhou.aliyuncs.com.
func Serves(host, product string) bool {
	label, _, _ := strings.Cut(host, ".")
	if len(label) < len(product) || !strings.EqualFold(label[:len(product)], product) {
		return false
	}
	rest := label[len(product):]
	return rest == "" || rest[0] == '-'
}

// common returns what holds for two operations of one name.
func common(a, b Entry) Entry {
	if a.Token != b.Token {
		a.Token = TokenUnknown
	}
	a.Safety = max(a.Safety, b.Safety)
	if a.DryRun != b.DryRun {
		a.DryRun = NoDryRun
	}
	a.Timeout = max(a.Timeout, b.Timeout)
	return a
}
