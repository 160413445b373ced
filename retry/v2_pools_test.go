package retry

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// What a field of a handed transport means for connections.
type meaning int

const (
	alone  meaning = iota // no other call may use them; also for a field that is not listed
	apart                 // only calls with an equal one may
	shared                // nothing
)

// The fields of net/http's Transport, but for Proxy and TLSClientConfig.
var transportFields = map[string]meaning{
	"OnProxyConnectResponse": alone, "Dial": alone, "DialTLS": alone, "DialTLSContext": alone, "ProxyConnectHeader": alone, "GetProxyConnectHeader": alone,
	"TLSHandshakeTimeout": apart, "DisableKeepAlives": apart, "DisableCompression": apart, "MaxIdleConns": apart, "MaxIdleConnsPerHost": apart,
	"MaxConnsPerHost": apart, "IdleConnTimeout": apart, "ExpectContinueTimeout": apart, "MaxResponseHeaderBytes": apart, "WriteBufferSize": apart, "ReadBufferSize": apart,
	"DialContext": shared, "ResponseHeaderTimeout": shared, // of each call
	"TLSNextProto": shared, "ForceAttemptHTTP2": shared, "HTTP2": shared, "Protocols": shared, // HTTP/1.1 is spoken
}

var tlsFields = map[string]meaning{
	"InsecureSkipVerify": apart, "ServerName": apart, "MinVersion": apart, "MaxVersion": apart, "RootCAs": apart, "Certificates": apart,
	"NextProtos": shared,
}

// baseOf returns the base for a call that was handed the transport.
func (t *Transport) baseOf(tb testing.TB, handed *http.Transport) *ownBase {
	tb.Helper()
	handed.ResponseHeaderTimeout = time.Minute
	base, err := t.baseFor(newRequest(tb.Context(), createURL), handed)
	if err != nil {
		tb.Fatal(err)
	}
	own := base.(*ownBase)
	if own.ResponseHeaderTimeout != 0 {
		tb.Errorf("the base would end attempts after %v", own.ResponseHeaderTimeout)
	}
	return own
}

// checkMeaning checks which of three calls share a base: two with the transport that make
// returns, and one with a plain one of the same kind.
func checkMeaning(t *testing.T, want meaning, plain *http.Transport, make func() *http.Transport) {
	t.Helper()
	tr := new(Transport)
	first, second, other := tr.baseOf(t, make()), tr.baseOf(t, make()), tr.baseOf(t, plain)
	got := alone
	switch {
	case first == second && first == other:
		got = shared
	case first == second:
		got = apart
	}
	if got != want || first != second && !first.DisableKeepAlives {
		t.Errorf("two share a base: %v, also with a plain one: %v, connections are kept: %v", first == second, first == other, !first.DisableKeepAlives)
	}
}

// setField gives a field a value that is not zero, equal each time but for functions and
// pointers.
func setField(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Func:
		v.Set(reflect.MakeFunc(v.Type(), nil))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("K"), reflect.Zero(v.Type().Elem()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Array:
		v.Index(0).SetUint(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1e6)
	case reflect.Uint16:
		v.SetUint(tls.VersionTLS12)
	case reflect.String:
		v.SetString("example.com")
	case reflect.Interface:
		for _, value := range []any{new(bytes.Buffer), tls.NewLRUClientSessionCache(1)} {
			if reflect.TypeOf(value).Implements(v.Type()) {
				v.Set(reflect.ValueOf(value))
			}
		}
	}
	if v.IsZero() {
		t.Fatalf("no value for a %v", v.Type())
	}
}

// exported lists the names of a struct's exported fields.
func exported(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			names = append(names, t.Field(i).Name)
		}
	}
	return names
}

// Each field of a handed transport tells pools apart, or says nothing about a connection,
// or keeps its calls to themselves. A field that net/http gets is to be looked at.
func TestPoolsBySettings(t *testing.T) {
	for _, name := range exported(reflect.TypeFor[http.Transport]()) {
		if name == "Proxy" || name == "TLSClientConfig" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want, known := transportFields[name]
			if !known {
				t.Fatal("what it means for pools is not known")
			}
			checkMeaning(t, want, &http.Transport{}, func() *http.Transport {
				handed := new(http.Transport)
				setField(t, reflect.ValueOf(handed).Elem().FieldByName(name))
				return handed
			})
		})
	}
	for _, name := range exported(reflect.TypeFor[tls.Config]()) {
		t.Run("TLSClientConfig."+name, func(t *testing.T) {
			checkMeaning(t, tlsFields[name], &http.Transport{TLSClientConfig: new(tls.Config)}, func() *http.Transport {
				config := new(tls.Config)
				setField(t, reflect.ValueOf(config).Elem().FieldByName(name))
				return &http.Transport{TLSClientConfig: config}
			})
		})
	}
}

// Settings are equal by what is in them, and each that differs has a pool of its own.
func TestPoolsByContent(t *testing.T) {
	roots := func(ders ...string) *tls.Config {
		pool := x509.NewCertPool()
		for _, der := range ders {
			pool.AddCert(&x509.Certificate{Raw: []byte(der), RawSubject: []byte("subject")})
		}
		return &tls.Config{RootCAs: pool}
	}
	chain := func(lists ...[]string) *tls.Config {
		config := new(tls.Config)
		for _, list := range lists {
			var c tls.Certificate
			for _, der := range list {
				c.Certificate = append(c.Certificate, []byte(der))
			}
			config.Certificates = append(config.Certificates, c)
		}
		return config
	}
	by := func(address string) func() *http.Transport {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return func() *http.Transport { return &http.Transport{Proxy: http.ProxyURL(u)} }
	}
	over := func(config func() *tls.Config) func() *http.Transport {
		return func() *http.Transport { return &http.Transport{TLSClientConfig: config()} }
	}
	different := map[string]func() *http.Transport{
		"nothing":             func() *http.Transport { return &http.Transport{} },
		"a proxy":             by("http://proxy:80"),
		"its other port":      by("http://proxy:81"),
		"over TLS":            by("https://proxy:80"),
		"with a password":     by("http://user:a@proxy:80"),
		"another password":    by("http://user:b@proxy:80"),
		"own roots":           over(func() *tls.Config { return roots("a") }),
		"more roots":          over(func() *tls.Config { return roots("a", "b") }),
		"other roots":         over(func() *tls.Config { return roots("b") }),
		"no roots":            over(func() *tls.Config { return roots() }),
		"a certificate":       over(func() *tls.Config { return chain([]string{"ab"}) }),
		"another":             over(func() *tls.Config { return chain([]string{"abc"}) }),
		"a chain":             over(func() *tls.Config { return chain([]string{"ab", "c"}) }),
		"two certificates":    over(func() *tls.Config { return chain([]string{"ab"}, []string{"c"}) }),
		"two, otherwise":      over(func() *tls.Config { return chain([]string{"a"}, []string{"bc"}) }),
		"careless":            over(func() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }),
		"TLS 1.3":             over(func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }),
		"TLS 1.3 as the most": over(func() *tls.Config { return &tls.Config{MaxVersion: tls.VersionTLS13} }),
	}
	tr := new(Transport)
	known := make(map[*ownBase]string)
	for _, name := range slices.Sorted(maps.Keys(different)) {
		tr.pools = pools{} // there are more of them than it keeps
		base := tr.baseOf(t, different[name]())
		for other, handed := range different {
			if same := tr.baseOf(t, handed()) == base; same != (name == other) {
				t.Errorf("%s and %s have one pool: %v", name, other, same)
			}
			tr.baseOf(t, different[name]()) // to be kept
		}
		known[base] = name
	}
	if len(known) != len(different) {
		t.Errorf("%d pools for %d settings", len(known), len(different))
	}
}

// The pools used last are kept, and no more of them than there may be.
func TestPoolsAreBounded(t *testing.T) {
	tr := &Transport{Credentials: signer.Static(testKey)}
	handed := func(i int) *http.Transport { return &http.Transport{IdleConnTimeout: time.Duration(i + 1)} }
	var bases []*ownBase
	for i := range 3 * maxPools {
		bases = append(bases, tr.baseOf(t, handed(i)))
		if tr.baseOf(t, handed(0)) != bases[0] {
			t.Fatalf("the one that is used all the time was dropped at %d", i)
		}
	}
	for i := range bases {
		kept := slices.ContainsFunc(tr.pools.list, func(p pool) bool { return p.base == bases[i] })
		if want := i == 0 || i > len(bases)-maxPools; kept != want {
			t.Errorf("pool %d is kept: %v", i, kept)
		}
	}
	if n := len(tr.pools.list); n != maxPools {
		t.Errorf("%d pools", n)
	}
}
