// Package openapi knows the wire format of Alibaba Cloud's APIs in one place: which
// operation an outgoing request names and in which signature style, how parameters
// are read, percent-encoded and set, and what a reply says. It also holds the
// catalogue of operations. Everything here is a pure function of its arguments.
package openapi
