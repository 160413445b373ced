package suite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

func overTLS(_ *retry.Transport, config *openapi.Config) { config.Protocol = dara.String("https") }

func asPEM(kind string, der []byte) *string {
	return dara.String(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

// newCertificate makes a certificate of its own authority.
func newCertificate(t testing.TB, name string) (certificate, key *string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return asPEM("CERTIFICATE", der), asPEM("PRIVATE KEY", keyDER)
}

// A call that does not check the server's certificate, or trusts its own authority, leaves
// no connection behind that another call would trust.
func verification(t *testing.T) {
	srv := newServer(t)
	f := newFront(t, srv)
	f.StartTLS()
	s := New(t, f.host, overTLS)
	other, _ := newCertificate(t, "another authority")
	careless := &dara.RuntimeOptions{IgnoreSSL: dara.Bool(true)}
	trusting := &dara.RuntimeOptions{Ca: asPEM("CERTIFICATE", f.Certificate().Raw)}
	mistaken := &dara.RuntimeOptions{Ca: other}
	for i, step := range []struct {
		runtime *dara.RuntimeOptions
		good    bool
	}{{nil, false}, {careless, true}, {nil, false}, {mistaken, false}, {trusting, true}, {nil, false}, {mistaken, false}, {careless, true}, {trusting, true}} {
		before := len(srv.Attempts())
		_, err := Create.Send(none, s, step.runtime)
		if (err == nil) != step.good || (len(srv.Attempts()) > before) != step.good {
			t.Errorf("step %d: %v, %d requests more; trusted should be %v", i+1, err, len(srv.Attempts())-before, step.good)
		}
		if unknown := new(tls.CertificateVerificationError); !step.good && (!errors.As(err, &unknown) || s.last(t).Outcome != retry.NotDone) {
			t.Errorf("step %d: %v", i+1, err)
		}
	}
	if n := f.conns.Load(); n != 2+5 {
		t.Errorf("%d connections; want one for each way of trust, and one for each failure", n)
	}
}

// Two clients with one Transport show each its own certificate.
func clientCertificate(t *testing.T) {
	srv := newServer(t)
	var mu sync.Mutex
	var shown []string
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		shown = append(shown, r.TLS.PeerCertificates[0].Subject.CommonName)
		mu.Unlock()
		srv.ServeHTTP(w, r)
	}))
	f.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	f.StartTLS()
	shared := New(t, f.host).Transport
	var want []string
	var clients []*Setup
	for _, name := range []string{"one", "two"} {
		clients = append(clients, New(t, f.host, overTLS, func(_ *retry.Transport, config *openapi.Config) {
			config.Cert, config.Key = newCertificate(t, name)
			config.Ca, config.HttpClient = asPEM("CERTIFICATE", f.Certificate().Raw), shared
		}))
	}
	for range 3 {
		srv.Script(unavailable.play)
		for i, name := range []string{"one", "two"} {
			if _, err := Create.Send(none, clients[i], nil); err != nil {
				t.Fatal(err)
			}
			want = append(want, name)
			if i == 0 {
				want = append(want, name) // its second attempt
			}
		}
	}
	if !slices.Equal(shown, want) || f.conns.Load() != 2 {
		t.Errorf("shown were %q over %d connections; want %q", shown, f.conns.Load(), want)
	}
}

// A read timeout of the client does not end attempts for which the Policy has a time.
func policyOutranksReadTimeout(t *testing.T) {
	t.Parallel()
	s, srv := slow(t)
	s.Transport.Policy.AttemptTimeout = 5 * time.Second
	body, err := Create.Send(none, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	Create.CheckOnce(t, srv, body, s.last(t))
	if i := s.last(t); len(i.Attempts) != 1 {
		t.Errorf("%+v", i.Attempts)
	}
}

// slow returns a client with a read timeout that the first reply exceeds.
func slow(t *testing.T) (*Setup, *retrytest.Server) {
	srv := newServer(t)
	again := make(chan retrytest.Attempt, 1)
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		if a.Number > 1 {
			again <- a
			return retrytest.OK()
		}
		select { // until it is too late, by the client's word or by the clock
		case <-again:
		case <-time.After(2 * time.Second):
		}
		return retrytest.OK()
	})
	return New(t, srv.Host, func(_ *retry.Transport, config *openapi.Config) { config.ReadTimeout = dara.Int(800) }), srv
}

// ReadTimeout tests what the read timeout of a client comes to: the SDK tells its HttpClient
// of it or not, and then it bounds each attempt.
func ReadTimeout(t *testing.T, told bool) {
	want := 1
	if told {
		want = 2
	}
	for _, name := range []string{"of the client", "of the call"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, srv := slow(t)
			runtime := &dara.RuntimeOptions{}
			if name == "of the call" {
				s.Client.ReadTimeout, runtime.ReadTimeout = nil, s.Client.ReadTimeout
			}
			body, err := Create.Send(none, s, runtime)
			if err != nil {
				t.Fatal(err)
			}
			Create.CheckOnce(t, srv, body, s.last(t))
			i := s.last(t)
			if len(i.Attempts) != want {
				t.Fatalf("%d attempts; want %d", len(i.Attempts), want)
			}
			if first := i.Attempts[0]; told && (first.Class != retry.NoResponse || first.Duration < 700*time.Millisecond || first.Duration > 1500*time.Millisecond) {
				t.Errorf("the first attempt was %v after %v", first.Class, first.Duration)
			}
		})
	}
}

// A client whose clock is off is refused once, and gets through by the Date of the refusal.
func clockIsOff(t *testing.T) {
	for _, call := range calls {
		t.Run(call.name, func(t *testing.T) {
			srv := newServer(t)
			srv.SetClock(func() time.Time { return time.Now().Add(-time.Hour) })
			s := New(t, srv.Host)
			if _, err := call.Send(none, s, nil); err != nil {
				t.Fatal(err)
			}
			attempts := s.last(t).Attempts
			if len(attempts) != 2 || attempts[0].Class != retry.ClockSkew || len(srv.Effects()) != 1 {
				t.Errorf("attempts %+v; %d effects", attempts, len(srv.Effects()))
			}
		})
	}
}
