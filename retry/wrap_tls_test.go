package retry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

func overTLS(srv *retrytest.Server, host string) *ess.CreateScalingGroupRequest {
	request := createRequest(srv)
	request.Scheme, request.Domain = "https", host
	return request
}

// HTTPSInsecure counts from the next call on, both ways and through a tunnel, too: a
// connection to a server that was never verified does not serve a call that wants it so.
func TestWrapInsecureChanges(t *testing.T) {
	for _, way := range []string{"direct", "through a proxy", "over the client's own transport"} {
		t.Run(way, func(t *testing.T) {
			srv := retrytest.NewServer()
			host, _ := newTLSFront(t, srv, nil)
			config := sdk.NewConfig()
			if way == "over the client's own transport" {
				config.HttpTransport = &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
			}
			client, err := ess.NewClientWithOptions(region, config, sdkKey)
			if err != nil {
				t.Fatal(err)
			}
			mustWrap(t, client)
			if way == "through a proxy" {
				client.SetHttpsProxy(newForwardProxy(t, "").URL)
			}
			for i, insecure := range []bool{false, true, true, false, true} {
				client.SetHTTPSInsecure(insecure)
				srv.Script(retrytest.Reply(503, "ServiceUnavailable", "x"))
				_, err := client.CreateScalingGroup(overTLS(srv, host))
				info, _ := retry.InfoOf(err)
				if insecure && err != nil {
					t.Errorf("call %d, insecure: %v", i+1, err)
				}
				if !insecure && (info.Outcome != retry.NotDone || len(info.Attempts) != 1 || info.Attempts[0].Class != retry.Broken) {
					t.Errorf("call %d: %v: %+v", i+1, err, info)
				}
			}
			if n := len(srv.Effects()); n != 3 {
				t.Errorf("%d effects, want 3", n)
			}
		})
	}
}

// A client's transport is taken as it is at Wrap. What another client that shares it makes of
// it later does not count, nor does what one has made of it before.
func TestWrapSharedTransport(t *testing.T) {
	srv := retrytest.NewServer()
	host, trust := newTLSFront(t, srv, nil)
	shared := &http.Transport{TLSClientConfig: trust}
	defer shared.CloseIdleConnections()
	config := sdk.NewConfig().WithHttpTransport(shared)
	newClient := func() *ess.Client {
		client, err := ess.NewClientWithOptions(region, config, sdkKey)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	other := newClient()
	other.SetConnectTimeout(time.Nanosecond)
	if _, err := other.CreateScalingGroup(overTLS(srv, host)); err == nil {
		t.Fatal("control: connected within a nanosecond")
	}
	// The SDK has left a dialler of that in the transport.
	client := newClient()
	c := mustWrap(t, client)
	for _, after := range []func(){
		func() {},
		func() { shared.TLSClientConfig = nil; _, _ = other.CreateScalingGroup(overTLS(srv, host)) },
	} {
		after()
		c.Transport.CloseIdleConnections()
		if _, err := client.CreateScalingGroup(overTLS(srv, host)); err != nil {
			t.Error(err)
		}
	}
	client.SetConnectTimeout(time.Nanosecond)
	c.Transport.CloseIdleConnections()
	err := c.DoAction(t.Context(), overTLS(srv, host), ess.CreateCreateScalingGroupResponse())
	if i, _ := retry.InfoOf(err); i.Outcome != retry.NotDone || i.Attempts[0].Class != retry.NoResponse {
		t.Errorf("a connect timeout that was set after Wrap: %v", err)
	}
}

func newClientCertificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The hooks of a TLSClientConfig go on being asked, at each handshake: by them certificates
// change after Wrap. Through a tunnel as well, and beside a dialler of the user's.
func TestWrapTLSHooks(t *testing.T) {
	for _, tunnel := range []bool{false, true} {
		shown := make(chan string, 10)
		srv := retrytest.NewServer()
		host, trust := newTLSFront(t, srv, &tls.Config{ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(s tls.ConnectionState) error {
			shown <- s.PeerCertificates[0].Subject.CommonName
			return nil
		}})
		var current atomic.Pointer[tls.Certificate]
		var verified, dialled atomic.Int64
		trust.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current.Load(), nil }
		trust.VerifyConnection = func(s tls.ConnectionState) error { verified.Add(int64(len(s.VerifiedChains))); return nil }
		own := &http.Transport{TLSClientConfig: trust, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
		client, err := ess.NewClientWithOptions(region, sdk.NewConfig().WithHttpTransport(own), sdkKey)
		if err != nil {
			t.Fatal(err)
		}
		c := mustWrap(t, client)
		if tunnel {
			client.SetHttpsProxy(newForwardProxy(t, "").URL)
		}
		for _, name := range []string{"first", "second"} {
			certificate := newClientCertificate(t, name)
			current.Store(&certificate)
			c.Transport.CloseIdleConnections()
			if _, err := client.CreateScalingGroup(overTLS(srv, host)); err != nil {
				t.Fatal(err)
			}
			if got := <-shown; got != name {
				t.Errorf("the server was shown the certificate %q, want %q", got, name)
			}
		}
		if verified.Load() != 2 || dialled.Load() != 2 {
			t.Errorf("%d chains verified and %d connections dialled; want 2 of each", verified.Load(), dialled.Load())
		}
	}
}
