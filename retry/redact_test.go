package retry

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/signer"
)

func TestRedact(t *testing.T) {
	const signed = "http://user:S3cret@h/?AccessKeyId=id&Signature=S3cret&SecurityToken=S3cret"
	inner := &Error{Info: Info{Outcome: Unknown}, Err: io.EOF}
	sdk := &url.Error{Op: "Post", URL: signed, Err: inner}
	sentinel := errors.New("sentinel")
	tests := map[string]error{
		"as http.Client makes it": sdk,
		"wrapped":                 fmt.Errorf("%w: %w", sentinel, sdk),
		"joined":                  errors.Join(sentinel, sdk),
		"a space in the query":    &url.Error{Op: "Post", URL: "http://h/?Name=a b&Signature=S3cret", Err: inner},
		"quotes in the query":     &url.Error{Op: "Post", URL: `http://h/?Filter={"a":"b"}&Signature=S3cret`, Err: inner},
		"the same, in a text":     fmt.Errorf(`Post "http://h/?Filter={"a":"b"}&Signature=S3cret&x=y": %w`, inner),
		"@ in the password":       fmt.Errorf("proxy http://user:S3@cret@h/ refused: %w", &Error{Err: io.EOF, Info: inner.Info}),
		"a slash in the password": fmt.Errorf("proxy http://user:S3/cret@h/ refused: %w", inner),
		"a provider's JSON":       fmt.Errorf(`h/ said {"AccessKeyId":"STS.x","AccessKeySecret":"S3cret","SecurityToken": "S3cret"}: %w`, inner),
		"a profile's JSON":        fmt.Errorf(`h/ has {"access_key_secret":"S3cret","sts_token":"S3cret"}: %w`, inner),
		"a header":                fmt.Errorf(`h/ got x-acs-security-token: S3cret: %w`, inner),
		"encoded":                 fmt.Errorf(`h/ got Signature%%253DS3cret and signature=S3cret: %w`, inner),
		"JSON, quoted":            fmt.Errorf("h/ said %q: %w", `{"AccessKeySecret":"S3cret"}`, inner),
		"an escape in JSON":       fmt.Errorf(`h/ said {"SecurityToken":"a\/S3cret"} {"SecurityToken":"a\u002bS3cret"}: %w`, inner),
		"an arrow":                fmt.Errorf(`h/ has AccessKeySecret => S3cret: %w`, inner),
		"in single quotes":        fmt.Errorf(`h/ said {'AccessKeySecret': 'S3cret'}: %w`, inner),
		"XML":                     fmt.Errorf(`h/ said <AccessKeySecret>S3cret</AccessKeySecret>: %w`, inner),
		"a comma in the value":    fmt.Errorf(`h/ said {"SecurityToken":"a,S3cret"}: %w`, inner),
		"a bearer's header":       fmt.Errorf("h/ got Authorization: Bearer S3cret\n: %w", inner),
		"names of others":         fmt.Errorf(`h/ has accessToken=S3cret refresh_token=S3cret OIDCToken=S3cret client_secret=S3cret SecretAccessKey=S3cret: %w`, inner),
		"parameters alone":        fmt.Errorf("h/ refused SecurityToken=S3cret: %w", inner),
		"nested":                  &url.Error{Op: "Get", URL: signed, Err: sdk},
		"only text":               fmt.Errorf("refresh failed: Get \"%s\": %w", signed, inner),
	}
	for name, err := range tests {
		t.Run(name, func(t *testing.T) {
			clean := Redact(err)
			for _, text := range []string{clean.Error(), fmt.Sprintf("%v %+v %s %q", clean, clean, clean, clean)} {
				if (strings.Contains(text, "S3") || strings.Contains(text, "cret@")) || !strings.Contains(text, "h/") {
					t.Errorf("text is %s", text)
				}
			}
			if info, ok := InfoOf(clean); !ok || info.Outcome != Unknown || !errors.Is(clean, io.EOF) {
				t.Errorf("what it wraps is lost: %v, %v", info, ok)
			}
			if errors.Is(clean, sentinel) != errors.Is(err, sentinel) {
				t.Error("the sentinel is lost")
			}
			var u *url.Error
			if errors.As(clean, &u) != errors.As(err, new(*url.Error)) || u != nil && strings.Contains(u.Error()+u.URL, "S3cret") {
				t.Errorf("errors.As gives away %v", u)
			}
		})
	}
	harmless := errors.New("is a=b? yes=no: regexp (?P<name>a=b): bad signature")
	if Redact(harmless) != harmless {
		t.Errorf("a harmless text became %v", Redact(harmless))
	}
	if Redact(nil) != nil || Redact(sentinel) != sentinel {
		t.Error("an error without a URL was changed")
	}
}

// What a server quotes of our request may hold our token.
func TestConceal(t *testing.T) {
	c := signer.Credentials{AccessKeyID: "id", AccessKeySecret: "se/cret", SecurityToken: "CAIS+tok/en=", BearerToken: "bear er"}
	for _, message := range []string{
		"Specified signature is not matched with our calculation. server string to sign is:GET&%2F&SecurityToken%3DCAIS%252Btok%252Fen%253D",
		"token CAIS+tok/en= is unknown", "token CAIS%2Btok%2Fen%3D is unknown", "token CAIS%252Btok%252Fen%253D is unknown",
		"bearer bear er or bear+er", "secret se/cret se%2Fcret",
	} {
		got := conceal(message, c)
		for _, part := range []string{"CAIS", "bear er", "bear+er", "cret "} {
			if strings.Contains(got, part) && part != "cret " || strings.HasSuffix(got, "cret") {
				t.Errorf("%q shows in %q", part, got)
			}
		}
	}
	// A letter that changes its length with its case moves nothing.
	if got := conceal(strings.Repeat("Ⱥ", 60)+"string to sign is GET&secret", c); strings.Contains(got, "secret") {
		t.Errorf("%s", got)
	}
	// What a server makes net/http quote is bounded, or cleaning it would take its square.
	if n := len(Redact(errors.New(strings.Repeat("://password=x&", 10_000))).Error()); n > 4<<10 {
		t.Errorf("a text of %d bytes", n)
	}
	// The bound of a message may cut a token in two.
	long := signer.Credentials{SecurityToken: "CAIS" + strings.Repeat("0123456789", 80)}
	if got := conceal("CanonicalRequest is [x-acs-security-token:"+long.SecurityToken[:500], long); strings.Contains(got, "CAIS") {
		t.Errorf("%s", got)
	}
	if got := conceal("plain", signer.Credentials{}); got != "plain" {
		t.Error(got)
	}
}

// The one line of an Error never has what the SDK's ServerError prints.
func TestErrorText(t *testing.T) {
	e := &Error{Info: Info{Operation: Operation{Action: "CreateScalingGroup"}, ClientToken: "tok", Attempts: make([]Attempt, 2), Reason: "why"}, Err: io.EOF}
	if got, want := e.Error(), "aliretry: CreateScalingGroup: outcome Unknown after 2 attempts under client token tok (why): EOF"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e = &Error{Info: Info{Outcome: NotDone}, Err: ErrBody}
	if got, want := e.Error(), "aliretry: not sent: unusable request body"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
