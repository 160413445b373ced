package signing

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/emmansun/gmsm/sm3"
)

// hash is one of the hash functions that signatures are made with.
type hash uint8

const (
	hashSHA1 hash = iota
	hashSHA256
	hashSM3
)

const (
	blockSize = 64 // of each of them
	maxSum    = sha256.Size
)

// appendSum appends the digest of text to dst.
func (h hash) appendSum(dst, text []byte) []byte {
	switch h {
	case hashSHA1:
		sum := sha1.Sum(text)
		return append(dst, sum[:]...)
	case hashSM3:
		sum := sm3.Sum(text)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(text)
	return append(dst, sum[:]...)
}

// hexSum returns the digest of text in hexadecimal. Most requests have no body.
func (h hash) hexSum(text []byte) string {
	if len(text) == 0 {
		return ofNothing[h]
	}
	return hex.EncodeToString(h.appendSum(nil, text))
}

var ofNothing = [...]string{
	hashSHA256: hex.EncodeToString(hashSHA256.appendSum(nil, nil)),
	hashSM3:    hex.EncodeToString(hashSM3.appendSum(nil, nil)),
}

// appendHMAC appends to dst the HMAC (RFC 2104) of what follows the first block of text,
// which is room for the key. The standard library's HMAC is the same from seven pieces of
// memory, which is as many as all the rest of a signature takes.
func (h hash) appendHMAC(dst, text []byte, key string) []byte {
	var block [blockSize]byte
	if len(key) > blockSize {
		h.appendSum(block[:0], []byte(key))
	} else {
		copy(block[:], key)
	}
	subtle.XORBytes(text[:blockSize], block[:], inner[:])
	var around [2 * blockSize]byte
	subtle.XORBytes(around[:blockSize], block[:], outer[:])
	return h.appendSum(dst, h.appendSum(around[:blockSize], text))
}

// inner and outer are the paddings of the key.
var inner, outer = [blockSize]byte(bytes.Repeat([]byte{0x36}, blockSize)), [blockSize]byte(bytes.Repeat([]byte{0x5c}, blockSize))
