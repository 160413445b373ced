// Package darabonba224 holds the tests of ../darabonba's package suite for version 2.2 of
// the V2 SDK, darabonba-openapi, and those of what only this version does. It is a module
// of its own, since a module has one version of the SDK.
package darabonba224
