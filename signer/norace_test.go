//go:build !race

package signer_test

// raceDetector allocates memory of its own.
const raceDetector = false
