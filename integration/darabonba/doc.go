// Package darabonba holds tests that set this module beside the V2 SDK, darabonba-openapi,
// version 2.1: what the SDK signs is the oracle for the signatures, and package suite has
// its clients make calls through a retry.Transport. ../darabonba224 runs that package with
// version 2.2.
package darabonba
