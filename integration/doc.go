// Package integration holds tests alone: clients of alibaba-cloud-sdk-go's services,
// made safe by retry.Wrap and called by their own methods, against the fake endpoint of
// package retrytest over real sockets. It is a module of its own, since so many services
// take longer to build than all of aliretry.
//
// The tests take the library from outside, as a program does, and believe only what
// the endpoint saw, what the public API promises, and what the tags of the SDK's requests
// say of a token's place. Three tables carry them: operations, of fourteen products in
// both signature styles, faults and rejections.
//
//	TestEffectOnce               every operation, every fault: one effect, the first result
//	TestParametersArrive         what the program asked for arrives as it is
//	TestStillRunning             the token's first request is still at work elsewhere
//	TestNeverNotDoneWithEffect   a fault and then a rejection: nothing certain that is not so
//	TestAttemptsRunOut           a fault until the last attempt: the error as promised
//	TestRejectedAtOnce           a rejection is not repeated
//	TestUnsafeWrite              without a token, only what had no effect is repeated
//	TestCommonRequest            requests without a type, named by action or by path alone
//	TestResume, ...ByContext     another process takes up a call by its token
//	TestReadTimeoutIsAnAttempts  the client's read timeout bounds an attempt, not the call
//	TestManyGoroutines           one client for many goroutines
//	TestNothingIsLeftOf503s      calls that met 503s leave no goroutine behind
//	TestAnySchedule              the same promises under random schedules of faults
//	TestPromise                  and with clocks, sessions, networks and callers as unreliable
//
// TestPromise alone takes no sockets. Each of its cases is a world in a bubble of
// testing/synctest, with a network in memory, a server on it, and a clock of its own: hours
// take a millisecond, times are checked to the nanosecond, and a goroutine that stays fails
// the case. What was asked for is checked against what the server saw, by rules that know
// nothing of how the library works.
//
// Random cases can be given more time: go test -run Promise -rapid.checks=10000.
package integration
