package signing

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	hashlib "hash"
	"math/rand/v2"
	"testing"

	"github.com/emmansun/gmsm/sm3"
)

var hashes = map[string]struct {
	ours   hash
	theirs func() hashlib.Hash
	abc    string // the digest of "abc": FIPS 180-4, and GB/T 32905
}{
	"SHA-1":   {hashSHA1, sha1.New, "a9993e364706816aba3e25717850c26c9cd0d89d"},
	"SHA-256": {hashSHA256, sha256.New, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	"SM3":     {hashSM3, sm3.New, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
}

// The standard library's HMAC is the oracle, for keys up to three blocks long and texts of
// any length.
func TestAppendHMAC(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for name, h := range hashes {
		if got := h.ours.hexSum([]byte("abc")); got != h.abc {
			t.Errorf("%s of abc is %s, want %s", name, got, h.abc)
		}
		for length := range 201 {
			for _, size := range []int{0, 1, 55, 56, 63, 64, 65, 200, 5000} {
				key, text := random(length), random(size)
				mac := hmac.New(h.theirs, key)
				mac.Write(text)
				want := mac.Sum([]byte("before "))
				// The room for the key holds what was there before.
				got := h.ours.appendHMAC([]byte("before "), append(random(blockSize), text...), string(key))
				if !bytes.Equal(got, want) {
					t.Fatalf("%s: a key of %d bytes, a text of %d: %x, want %x", name, length, size, got, want)
				}
			}
		}
	}
}

// What a digest is appended to stays, and sums fit where room for them is set aside.
func TestAppendSum(t *testing.T) {
	for name, h := range hashes {
		sum := h.theirs().Sum(nil)
		if got := h.ours.appendSum([]byte("x"), nil); string(got) != "x"+string(sum) || len(sum) > maxSum || h.theirs().BlockSize() != blockSize {
			t.Errorf("%s: %x, want x and %s", name, got, hex.EncodeToString(sum))
		}
	}
}
