//go:build !race

package retry_test

// raceDetector allocates memory of its own.
const raceDetector = false
