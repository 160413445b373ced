package integration

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is one in memory, on which waiting costs nothing under testing/synctest: only
// its own condition variables and timers block. It is a net.Listener.
type network struct {
	accept chan net.Conn
	closed chan struct{}

	mu    sync.Mutex
	dials []dialing // what befalls the next dials; after the last one all is well
	open  int       // ends of connections that nobody has closed
}

// dialing is what befalls one dial and its connection.
type dialing struct {
	takes   time.Duration
	refused bool
	breaks  int // after so many bytes of the client's; 0 means never
}

func newNetwork(dials []dialing) *network {
	return &network{accept: make(chan net.Conn), closed: make(chan struct{}), dials: dials}
}

func (n *network) dial(ctx context.Context, _, to string) (net.Conn, error) {
	n.mu.Lock()
	var d dialing
	if len(n.dials) > 0 {
		d, n.dials = n.dials[0], n.dials[1:]
	}
	n.mu.Unlock()
	timer := time.NewTimer(d.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.refused {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: address(to), Err: syscall.ECONNREFUSED}
	}
	up, down := newStream(), newStream()
	client := &conn{network: n, in: down, out: up, left: d.breaks, breaks: d.breaks > 0}
	server := &conn{network: n, in: up, out: down}
	select {
	case n.accept <- server:
		n.mu.Lock()
		n.open += 2
		n.mu.Unlock()
		return client, nil
	case <-n.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: address(to), Err: syscall.ECONNREFUSED}
	}
}

// calm lets nothing befall any further dial.
func (n *network) calm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = nil
}

// connections returns how many ends are open.
func (n *network) connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	close(n.closed)
	return nil
}

func (n *network) Addr() net.Addr { return address("memory") }

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

// stream is one direction of a connection. Like the kernel's it takes whatever is written,
// also what will never be read.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond
	buffer  bytes.Buffer
	end     error // what the reader gets behind the buffer
	expired bool  // the reader's deadline has passed
	timer   *time.Timer
}

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.expired:
			return 0, os.ErrDeadlineExceeded
		case s.buffer.Len() > 0:
			return s.buffer.Read(p)
		case s.end != nil:
			return 0, s.end
		}
		s.changed.Wait()
	}
}

// finish ends the stream with an error for its reader. The first end counts, but that a
// reset also takes what was not read yet.
func (s *stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != io.EOF {
		s.buffer.Reset()
	}
	if s.end == nil || err == net.ErrClosed {
		s.end = err
	}
	s.changed.Broadcast()
}

func (s *stream) setDeadline(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer, s.expired = nil, !at.IsZero() && !at.After(time.Now())
	if !at.IsZero() && !s.expired {
		s.timer = time.AfterFunc(time.Until(at), func() { s.setDeadline(at) })
	}
	s.changed.Broadcast()
}

// conn is one end of a connection.
type conn struct {
	network *network
	in, out *stream

	mu     sync.Mutex
	closed bool
	linger bool // Close resets the connection
	breaks bool // when no byte is left
	left   int
}

func (c *conn) Read(p []byte) (int, error) { return c.in.read(p) }

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	part := p
	if c.breaks {
		part = p[:min(len(p), c.left)]
		c.left -= len(part)
	}
	c.out.mu.Lock()
	if c.out.end == nil { // else the peer is gone, and nobody will read it
		c.out.buffer.Write(part)
		c.out.changed.Broadcast()
	}
	c.out.mu.Unlock()
	if len(part) < len(p) {
		c.out.finish(io.EOF) // a reset would take from the peer what has arrived
		c.in.finish(syscall.ECONNRESET)
		return len(part), syscall.EPIPE
	}
	return len(p), nil
}

func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	c.network.mu.Lock()
	c.network.open--
	c.network.mu.Unlock()
	if c.linger {
		c.out.finish(syscall.ECONNRESET)
	} else {
		c.out.finish(io.EOF)
	}
	c.in.setDeadline(time.Time{}) // its timer would outlive the connection
	c.in.finish(net.ErrClosed)
	return nil
}

// SetLinger makes Close reset the connection, as it does that of TCP with 0 seconds.
func (c *conn) SetLinger(seconds int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linger = seconds == 0
	return nil
}

func (c *conn) LocalAddr() net.Addr                { return c.network.Addr() }
func (c *conn) RemoteAddr() net.Addr               { return c.network.Addr() }
func (c *conn) SetReadDeadline(at time.Time) error { c.in.setDeadline(at); return nil }
func (c *conn) SetWriteDeadline(time.Time) error   { return nil } // a write never waits
func (c *conn) SetDeadline(at time.Time) error     { return c.SetReadDeadline(at) }
