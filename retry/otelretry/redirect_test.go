package otelretry_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// A redirect that http.Client follows belongs to the call that was answered with it, and
// makes no span of its own. One that another transport was answered with is no call that
// was not sent.
func TestRedirect(t *testing.T) {
	tests := map[string]struct {
		first http.RoundTripper // of the call; nil: the Transport
		want  []string
	}{
		"ours":      {nil, []string{"Ess.DescribeRegions attempt", "Ess.DescribeRegions Broken"}},
		"another's": {redirecting{}, []string{"aliretry call _OTHER"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Script(retrytest.Raw(302, "text/plain", "").WithHeader("Location", "/elsewhere"))
			tr := &roundTrippers{b.client.Transport, b.client.Transport}
			if tt.first != nil {
				tr[0] = tt.first
			}
			resp, err := (&http.Client{Transport: tr}).Get(b.srv.URL + "/?Action=DescribeRegions&Version=2014-08-28&Format=JSON")
			if err == nil {
				resp.Body.Close()
			}
			if !errors.Is(err, retry.ErrRedirect) {
				t.Fatal(retry.Redact(err))
			}
			var got []string
			for _, s := range b.spans.GetSpans() {
				text := s.Name
				if all := strings.Join(texts(s.Attributes), " "); s.SpanKind == trace.SpanKindInternal {
					_, text, _ = strings.Cut(all, "error.type=")
					text = s.Name + " " + text
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("spans %q; want %q", got, tt.want)
			}
		})
	}
}

// roundTrippers are used one after another, each for one request.
type roundTrippers [2]http.RoundTripper

func (r *roundTrippers) RoundTrip(req *http.Request) (*http.Response, error) {
	first := r[0]
	r[0] = r[1]
	return first.RoundTrip(req)
}

// redirecting answers every request with a redirect.
type redirecting struct{}

func (redirecting) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody, Request: req}, nil
}
