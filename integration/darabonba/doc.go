// Package darabonba holds tests that set this module beside the V2 SDK, darabonba-openapi:
// what it signs is the oracle for the ACS3 style.
package darabonba
