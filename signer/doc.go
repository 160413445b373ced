// Package signer signs requests to Alibaba Cloud's APIs, and signs them anew: the
// servers refuse a request that comes twice under one nonce, so every attempt of a
// call needs a signature of its own.
//
// [Sign] keeps the style that a request came in and changes what belongs to the
// signature alone. It signs the RPC and ROA styles, version 1.0 (HMAC-SHA1), and ACS3
// (ACS3-HMAC-SHA256, ACS3-HMAC-SM3 and ACS3-RSA-SHA256); a request with another algorithm
// gets [ErrUnsupported].
package signer
