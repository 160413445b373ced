package openapi

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestSetParam(t *testing.T) {
	tests := []struct{ raw, name, value, want string }{
		{"", "ClientToken", "t", "ClientToken=t"},
		{"a=1", "ClientToken", "t 1", "a=1&ClientToken=t+1"},
		{"a=%7e&ClientToken=&b=+", "ClientToken", "t", "a=%7e&ClientToken=t&b=+"},
		{"Client%54oken=x&a=1&ClientToken=y", "ClientToken", "t", "ClientToken=t&a=1"},
		{"&&a=1&", "b", "2", "a=1&b=2"},
		{"ClientToken", "ClientToken", "t", "ClientToken=t"},
	}
	for _, tt := range tests {
		params, err := ParseParams(tt.raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := JoinParams(SetParam(params, tt.name, tt.value)); got != tt.want {
			t.Errorf("SetParam(%q) = %q, want %q", tt.raw, got, tt.want)
		}
	}
}

// escaped is AppendEscape by net/url, but for the characters on which it differs from RFC
// 3986.
func escaped(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// However a byte is encoded, it comes to the same.
func TestAppendValueOfEachByte(t *testing.T) {
	for c := range 256 {
		value := string([]byte{byte(c)})
		digits := hex.EncodeToString([]byte(value))
		spellings := []string{"%" + digits, "%" + strings.ToUpper(digits)}
		if !strings.ContainsAny(value, "%+&;") {
			spellings = append(spellings, value)
		}
		if c == ' ' {
			spellings = append(spellings, "+")
		}
		for _, spelling := range spellings {
			params, err := ParseParams("n=a"+spelling+"b", nil)
			if err != nil || len(params) != 1 {
				t.Fatalf("%q: %v, %v", spelling, params, err)
			}
			checkParam(t, &params[0], "n", "a"+value+"b")
		}
	}
}

// checkParam compares all that can be asked of a pair with its decoded name and value.
func checkParam(t *testing.T, p *Param, name, value string) {
	t.Helper()
	if p.Name() != name || p.Value() != value || !p.Is(value) || p.Is(value+"x") || p.Is(p.value()) != (p.value() == value) {
		t.Errorf("%q is %q, %q (is that: %v); want %q, %q", p.Raw, p.Name(), p.Value(), p.Is(value), name, value)
	}
	if once, want := string(p.AppendValue([]byte("v%2B="))), "v%2B="+escaped(value); once != want {
		t.Errorf("AppendValue of %q = %q, want %q", p.Raw, once, want)
	}
	if twice, want := string(p.AppendTwice([]byte("&"))), "&"+escaped(escaped(name))+"%3D"+escaped(escaped(value)); twice != want {
		t.Errorf("AppendTwice of %q = %q, want %q", p.Raw, twice, want)
	}
}

func TestParseParamsRefuses(t *testing.T) {
	for _, raw := range []string{"%", "a=%", "a=1%", "a=%2", "a=%2&b=c", "a=%zz", "a=%2g", "a=%g2", "%=12", "a%2=0", "a=1&secret%zz=1", "a=1;b=2", ";", "a=%20%"} {
		params, err := ParseParams(raw, nil)
		if _, want := url.ParseQuery(raw); want == nil {
			t.Errorf("net/url reads %q", raw)
		}
		if err == nil || params != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", raw, params, err)
		}
	}
	if _, err := ParseParams("&a=1&&b=%&c=2", nil); err == nil || !strings.Contains(err.Error(), "parameter 2 ") {
		t.Errorf("the second pair is named otherwise: %v", err)
	}
}

// Pairs go into the room there is for them, and nowhere else.
func TestParseParamsRoom(t *testing.T) {
	room := make([]Param, 2, 3)
	room[0].Raw = "stale"
	for raw, inRoom := range map[string]bool{"a=1": true, "a=1&b=2&c=3": true, "a=1&b=2&c=3&d=4": false} {
		params, err := ParseParams(raw, room)
		if err != nil || len(params) != strings.Count(raw, "=") || (&params[0] == &room[0]) != inRoom || params[0].Name() != "a" {
			t.Errorf("%s: %v, %v; in the room: %v", raw, params, err, &params[0] == &room[0])
		}
	}
}

// net/url is the oracle of reading and of percent-encoding.
func FuzzParams(f *testing.F) {
	f.Add("a=1&b=%20+%2A&&c", "ClientToken", "x y~*")
	f.Add("=&=1&a==", "", "\xff")
	f.Add("n%61me=%7e%7E~*%2a&+=%2B+%2b%20&a%2Fb=a/b", "n&=%", "%41")
	f.Add("%E4%B8%AD=%e6%96%87\u4e2d&x=\x00%00\"'()!", "a b", "+")
	f.Add(strings.Repeat("a=b&", 40), "a", "c")
	f.Fuzz(func(t *testing.T, raw, name, value string) {
		if once := string(AppendEscape(nil, value)); once != escaped(value) {
			t.Errorf("AppendEscape = %q, want %q", once, escaped(value))
		}
		if twice := string(AppendEscapeTwice([]byte("&"), value)); twice != "&"+escaped(escaped(value)) {
			t.Errorf("AppendEscapeTwice = %q", twice)
		}
		made := NewParam(name, value)
		checkParam(t, &made, name, value)
		if want := (url.Values{name: {value}}).Encode(); made.Raw != want {
			t.Errorf("NewParam makes %q, want %q", made.Raw, want)
		}

		params, err := ParseParams(raw, nil)
		want, wantErr := url.ParseQuery(raw)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("ParseParams: %v; net/url: %v", err, wantErr)
		}
		if err != nil {
			return
		}
		got := make(url.Values)
		segments := slices.DeleteFunc(strings.Split(raw, "&"), func(s string) bool { return s == "" })
		for i := range params {
			p := &params[i]
			got.Add(p.Name(), p.Value())
			if len(params) != len(segments) || p.Raw != segments[i] {
				t.Fatalf("pair %d of %q is %q", i, raw, p.Raw)
			}
			n, v, _ := strings.Cut(segments[i], "=")
			n, _ = url.QueryUnescape(n)
			v, _ = url.QueryUnescape(v)
			checkParam(t, p, n, v)
		}
		if got.Encode() != want.Encode() {
			t.Errorf("read %v, want %v", got, want)
		}
		if again, err := ParseParams(raw, make([]Param, len(params)/2, len(params))); err != nil || !slices.Equal(again, params) {
			t.Errorf("with room: %v, %v; want %v", again, err, params)
		}
		set, err := url.ParseQuery(JoinParams(SetParam(params, name, value)))
		if want.Set(name, value); err != nil || set.Encode() != want.Encode() {
			t.Errorf("SetParam gives %v, %v; want %v", set, err, want)
		}
	})
}
