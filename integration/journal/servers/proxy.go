package servers

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
)

// Cut says what a Proxy does to the next COMMIT.
type Cut int32

const (
	Through   Cut = iota // nothing
	Lost                 // it does not arrive
	ReplyLost            // it arrives, and its reply does not
)

// Proxy stands between clients and a server, and breaks connections as told.
type Proxy struct {
	Commits  atomic.Int32 // seen so far
	next     atomic.Int32
	server   string
	listener net.Listener
	wait     sync.WaitGroup
}

// NewProxy starts a proxy of the server.
func NewProxy(server string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{server: server, listener: l}
	p.wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.wait.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

// Port is where the proxy listens.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Cut arms the proxy for one COMMIT.
func (p *Proxy) Cut(c Cut) { p.next.Store(int32(c)) }

// Close ends the proxy when its clients have closed their connections.
func (p *Proxy) Close() {
	p.listener.Close()
	p.wait.Wait()
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var drop atomic.Bool
	p.wait.Go(func() { // replies
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil || drop.Load() { // what comes after the COMMIT is its reply
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		// Clients wait for each reply, so a statement this short comes in one piece, and alone.
		if bytes.Contains(buf[:n], []byte("COMMIT")) && n < 32 {
			p.Commits.Add(1)
			switch Cut(p.next.Swap(int32(Through))) {
			case Lost:
				return
			case ReplyLost:
				drop.Store(true)
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}
