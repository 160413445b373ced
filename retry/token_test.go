package retry_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// Wherever the request has a token parameter, the server must come to see the call's
// token, and only that: an empty one in the form would hide one in the query.
func TestTokenPlacement(t *testing.T) {
	const create = "/?Action=CreateVpc&Version=2016-04-28&Format=JSON"
	const unknown = "/?Action=CreateThing&Version=2020-01-01&Format=JSON"
	tests := map[string]struct {
		query, form string
		token       string // "": one that we made
		want        string // parameter names that hold it, as query/form
	}{
		"nowhere":                         {create, "CidrBlock=10.0.0.0%2F8", "", "ClientToken/"},
		"no form":                         {create, "", "", "ClientToken/"},
		"empty in the query":              {create + "&ClientToken=", "", "", "ClientToken/"},
		"empty in the form":               {create, "ClientToken=&CidrBlock=x", "", "/ClientToken"},
		"empty in the form, own in query": {create + "&ClientToken=mine", "ClientToken=", "mine", "ClientToken/ClientToken"},
		"own in the form":                 {create, "ClientToken=mine", "mine", "/ClientToken"},
		"own in the other spelling":       {create + "&clientToken=mine", "", "mine", "ClientToken clientToken/"},
		"the same, of an unknown one":     {unknown + "&clientToken=mine", "", "mine", "clientToken/"},
		"all in the form":                 {"/", "Action=CreateVpc&Version=2016-04-28&Format=JSON", "", "/ClientToken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(retrytest.Reply(500, "InternalError", "x").AfterEffect())
			tr := &retry.Transport{Credentials: static, Policy: quick}
			defer tr.CloseIdleConnections()
			req, _ := http.NewRequest("POST", srv.URL+tt.query, strings.NewReader(tt.form))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			info, _ := retry.InfoOfResponse(resp)
			if resp.StatusCode != 200 || tt.token != "" && info.ClientToken != tt.token || info.ClientToken == "" {
				t.Fatalf("status %d, %+v", resp.StatusCode, info)
			}
			for _, a := range srv.Attempts() {
				if got := namesOf(t, a.Query, info.ClientToken) + "/" + namesOf(t, a.Form, info.ClientToken); got != tt.want || a.Problem != "" {
					t.Errorf("attempt %d has the token in %s, want %s; %s", a.Number, got, tt.want, a.Problem)
				}
			}
			if len(srv.Attempts()) != 2 || !strings.HasPrefix(name, "the same") && len(srv.Effects()) != 1 {
				t.Errorf("%d attempts, %d effects", len(srv.Attempts()), len(srv.Effects()))
			}
		})
	}
}

// namesOf returns the names of the token parameters, all of which must hold token.
func namesOf(t *testing.T, v url.Values, token string) string {
	t.Helper()
	var names []string
	for _, name := range []string{"ClientToken", "clientToken"} {
		for _, value := range v[name] {
			names = append(names, name)
			if value != token {
				t.Errorf("%s holds %q", name, value)
			}
		}
	}
	return strings.Join(names, " ")
}

// A provider that calls the API itself, with the context that it is given, is no part of
// the call: the call's token is not for it.
func TestContextOfProvider(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	inner := &retry.Transport{Credentials: static, Policy: quick}
	defer inner.CloseIdleConnections()
	outer := &retry.Transport{Policy: quick, Credentials: providerFunc(func(ctx context.Context) (signer.Credentials, error) {
		req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+"/?Action=AssumeRole&Version=2015-04-01&Format=JSON", nil)
		resp, err := inner.RoundTrip(req)
		if err != nil {
			return signer.Credentials{}, err
		}
		return testKey, resp.Body.Close()
	})}
	defer outer.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(retry.WithToken(context.Background(), "mine"), "POST", srv.URL+createQuery, nil)
	resp, err := outer.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	for _, a := range srv.Attempts() {
		if want := map[string]string{"CreateScalingGroup": "mine"}[a.Action]; a.ClientToken != want {
			t.Errorf("%s carries the token %q, want %q", a.Action, a.ClientToken, want)
		}
	}
}

type providerFunc func(context.Context) (signer.Credentials, error)

func (f providerFunc) Credentials(ctx context.Context) (signer.Credentials, error) { return f(ctx) }
