package retrytest

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Server is a fake endpoint that listens on 127.0.0.1 for HTTP/1.1. It is also an
// http.Handler, which another server can serve over TLS or HTTP/2: then close the
// Server first, since hung requests keep the other one from closing. Make it with
// [NewServer], or with [NewHandler] where it shall not listen. It is safe for concurrent
// use, and remembers everything that it saw until it is dropped.
type Server struct {
	// URL is http://127.0.0.1:port, Host is 127.0.0.1:port, what an SDK request takes as
	// Domain. They must not be changed.
	URL, Host string

	http    *http.Server
	conns   sync.WaitGroup // Serve, the connections, and handlers on hijacked ones
	hung    sync.WaitGroup
	closing chan struct{}

	mu       sync.Mutex
	closed   bool
	clock    func() time.Time
	accounts []Account       // a new slice with each change
	expired  map[string]bool // by Account.key
	choose   func(Attempt) Fault
	script   []Fault
	attempts []Attempt
	effects  []Effect
	nonces   map[nonceKey]bool
	tokens   map[tokenKey]*work

	tokenless map[string]bool // actions that take no token
}

// NewServer starts a server that knows the accounts, or [DefaultAccount] if there are
// none. It panics if it cannot listen, if an account has neither an AccessKey pair nor a
// bearer token and is not [Account].Anonymous, or if an anonymous one has a key.
func NewServer(accounts ...Account) *Server {
	s := NewHandler(accounts...)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("retrytest: " + err.Error())
	}
	s.URL, s.Host = "http://"+ln.Addr().String(), ln.Addr().String()
	s.http = &http.Server{
		// The connection of a handler is counted, or was until the handler took
		// it over: the count never starts anew from nothing.
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.conns.Add(1)
			defer s.conns.Done()
			s.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.conns.Done()
			}
		},
	}
	s.conns.Go(func() { s.http.Serve(ln) })
	return s
}

// NewHandler is NewServer without a listener: URL and Host are empty, and another server
// has to hand the requests in. It is for tests under testing/synctest, where a socket
// would keep time from passing: serve it on connections in memory, made in the same
// bubble.
func NewHandler(accounts ...Account) *Server {
	if len(accounts) == 0 {
		accounts = []Account{DefaultAccount()}
	}
	s := &Server{
		http:    &http.Server{},
		closing: make(chan struct{}),
		clock:   time.Now,
		expired: make(map[string]bool),
		nonces:  make(map[nonceKey]bool),
		tokens:  make(map[tokenKey]*work),

		tokenless: make(map[string]bool),
	}
	for _, a := range accounts {
		s.AddAccount(a)
	}
	return s
}

// Close releases the hung requests, cuts every connection of the server's own and
// waits until all of that has ended. Requests that another server hands in are
// dropped from then on; the records stay readable. Close may be called more than
// once, but not from within OnAttempt.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	s.hung.Wait()
	s.http.Close()
	s.conns.Wait()
}

// ServeHTTP answers one attempt. Where a fault leaves no reply and the connection
// cannot be taken over, as in HTTP/2, it panics with http.ErrAbortHandler, which
// every server of net/http turns into a broken stream.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := s.arrive(r)
	s.serve(x)
	s.play(w, r, x)
}

// exchange is one attempt on its way through the server.
type exchange struct {
	attempt   Attempt   // as it arrived; later findings go into the server's record of it
	requestID string    // of whatever is answered, unless it is a first result again
	date      time.Time // by the server's clock
	owner     string
	refusal   *problem
	fault     Fault
	work      *work // what is answered when no fault comes before it
}

// arrive reads the attempt whole, verifies it, records it and picks its fault.
func (s *Server) arrive(r *http.Request) *exchange {
	x := &exchange{requestID: strings.ToUpper(uuid.NewString())}
	x.attempt, x.refusal = readAttempt(r)
	s.mu.Lock()
	clock, accounts := s.clock, s.accounts
	s.mu.Unlock()
	x.date = clock()
	var account Account
	if x.refusal == nil {
		account, x.refusal = verify(&x.attempt, accounts, x.date)
		x.owner = account.owner()
	}

	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if x.refusal == nil {
		x.refusal = s.admit(&x.attempt, account)
	}
	if x.refusal != nil {
		x.attempt.Problem = x.refusal.code
	}
	x.attempt.Number, x.attempt.Received = len(s.attempts)+1, time.Now()
	choose := s.choose
	if choose == nil && len(s.script) > 0 {
		x.fault, s.script = s.script[0], s.script[1:]
	}
	s.attempts = append(s.attempts, x.attempt)
	s.mu.Unlock()

	if choose != nil {
		x.fault = choose(x.attempt.clone())
	}
	return x
}

// Script appends faults: one for each attempt that arrives, in order of arrival.
// After the last one every attempt is answered well.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, faults...)
}

// OnAttempt lets f choose the fault of each attempt in place of the script; nil goes
// back to the script. It is called once for each attempt, after the gateway's checks
// (Problem says what they found) and before the token is looked up. Calls run
// concurrently, one for each attempt under way. It may use the server, but not close
// it.
func (s *Server) OnAttempt(f func(Attempt) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.choose = f
}

// SetClock sets the clock by which the server judges timestamps and dates its
// replies; nil means time.Now. The clock must be safe for concurrent use.
func (s *Server) SetClock(now func() time.Time) {
	if now == nil {
		now = time.Now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = now
}

// ForgetTokens makes the server forget every client token, also those whose work is
// under way: the next call with one of them makes a new effect. Nonces stay burnt.
func (s *Server) ForgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// IgnoreTokens makes the server pass over the client token of an action, as services do
// whose operation takes none: each attempt at it makes an effect.
func (s *Server) IgnoreTokens(action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokenless[action] = true
}

// Attempts returns every attempt that reached the server, in order of arrival. The
// result is a copy; one that is still under way is as far as it has come.
func (s *Server) Attempts() []Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Attempt, len(s.attempts))
	for i, a := range s.attempts {
		all[i] = a.clone()
	}
	return all
}

// Effects returns every effect, in the order in which they were made. The result is
// a copy.
func (s *Server) Effects() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Effect, len(s.effects))
	for i, e := range s.effects {
		e.Params = cloneValues(e.Params)
		all[i] = e
	}
	return all
}
