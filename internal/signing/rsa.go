package signing

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
)

// signRSA returns the RSASSA-PKCS1-v1_5 signature of text (RFC 8017) by a private key in
// PKCS #8, which the official client takes in base64 with PEM's lines or without.
func signRSA(text []byte, key string) ([]byte, error) {
	var der []byte
	if block, _ := pem.Decode([]byte(key)); block != nil {
		der = block.Bytes
	} else {
		der, _ = base64.StdEncoding.DecodeString(strings.TrimSpace(key)) // line ends are passed over
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	private, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: the secret is no RSA private key in PKCS #8, which ACS3-RSA-SHA256 takes", ErrNoCredentials)
	}
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	if err != nil {
		return nil, fmt.Errorf("%w: the RSA key does not sign", ErrNoCredentials) // too short, for instance
	}
	return signature, nil
}
