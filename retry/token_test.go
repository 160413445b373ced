package retry_test

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

const formType, jsonType = "application/x-www-form-urlencoded", "application/json; charset=utf-8"

// Wherever the request has a token parameter, the server must come to see the call's
// token, and only that: an empty one in the form would hide one in the query. A new one
// goes where the operation takes it.
func TestTokenPlacement(t *testing.T) {
	const (
		query   = "POST /?Action=CreateVpc&Version=2016-04-28&Format=JSON"
		inForm  = "POST /?Action=CreateProject&Version=2020-11-01&Format=JSON"
		unknown = "POST /?Action=CreateThing&Version=2020-01-01&Format=JSON"

		roaOperation = "POST /openapi/collectors" // of elasticsearch
		roaUnknown   = "POST /openapi/things"
	)
	tests := map[string]struct {
		line, bodyType, body string
		token                string // "": one that we made
		want                 string // parameter names that hold it, as query/form
	}{
		"nowhere":                         {query, formType, "CidrBlock=10.0.0.0%2F8", "", "ClientToken/"},
		"no form":                         {query, formType, "", "", "ClientToken/"},
		"empty in the query":              {query + "&ClientToken=", formType, "", "", "ClientToken/"},
		"empty in the form":               {query, formType, "ClientToken=&CidrBlock=x", "", "/ClientToken"},
		"empty in the form, own in query": {query + "&ClientToken=mine", formType, "ClientToken=", "mine", "ClientToken/ClientToken"},
		"own in the form":                 {query, formType, "ClientToken=mine", "mine", "/ClientToken"},
		"own in the other spelling":       {query + "&clientToken=mine", formType, "", "mine", "ClientToken clientToken/"},
		"own in a JSON body":              {query, jsonType, `{"ClientToken":"mine"}`, "mine", "ClientToken/"},
		"all in the form":                 {"POST /", formType, "Action=CreateVpc&Version=2016-04-28&Format=JSON", "", "/ClientToken"},

		"of a form operation":                     {inForm, formType, "Name=x", "", "/ClientToken"},
		"of a form operation, no form":            {inForm, "", "", "", "/ClientToken"},
		"of a form operation, no form yet":        {inForm, formType, "", "", "/ClientToken"},
		"of a form operation, an empty JSON body": {inForm, jsonType, "", "", "/ClientToken"},
		"of a form operation, other body":         {inForm, jsonType, "{}", "", "ClientToken/"},
		"of a form operation, GET":                {strings.Replace(inForm, "POST", "GET", 1), "", "", "", "ClientToken/"},
		"of a form operation, own in the query":   {inForm + "&ClientToken=mine", formType, "Name=x", "mine", "ClientToken/"},

		"of an unknown one":                {unknown + "&ClientToken=mine", formType, "", "mine", "ClientToken/"},
		"of an unknown one, in lower case": {unknown + "&clientToken=mine", formType, "", "mine", "clientToken/"},
		"of an unknown one, in the form":   {unknown, formType, "clientToken=mine", "mine", "/clientToken"},

		"ROA":                                 {roaOperation, jsonType, "{}", "", "clientToken/"},
		"ROA, nothing else":                   {roaOperation, "", "", "", "clientToken/"},
		"ROA, empty":                          {roaOperation + "?clientToken=&a=b", jsonType, "{}", "", "clientToken/"},
		"ROA, own":                            {roaOperation + "?clientToken=mine", jsonType, "{}", "mine", "clientToken/"},
		"ROA, own in the other spelling":      {roaOperation + "?ClientToken=mine", jsonType, "{}", "mine", "ClientToken clientToken/"},
		"ROA, own in a JSON body":             {roaOperation, jsonType, `{"a":{"clientToken":"inner"},"clientToken":"mine"}`, "mine", "clientToken/"},
		"ROA, empty in JSON":                  {roaOperation, jsonType, `{"clientToken":""}`, "", "clientToken/"},
		"ROA, own in JSON that is none":       {roaOperation, jsonType, `{"clientToken":"own"} x`, "", "clientToken/"},
		"ROA, own in JSON under another type": {roaOperation, formType, `{"clientToken":"mine"}`, "mine", "clientToken/"},
		"ROA, own in JSON without a type":     {roaOperation, "", ` {"ClientToken":"mine"}`, "mine", "clientToken/"},
		"ROA, empty in the form":              {roaOperation, formType, "clientToken=&a=b", "", "clientToken/clientToken"},
		"ACS3, RPC, nowhere":                  {query, formType + " acs3", "CidrBlock=x", "", "ClientToken/"},
		"ACS3, RPC, own":                      {query + "&ClientToken=mine", jsonType + " acs3", "{}", "mine", "ClientToken/"},
		"ACS3, RPC, own in the form":          {query, formType + " acs3", "ClientToken=mine", "mine", "ClientToken/ClientToken"},
		"ACS3, of a form operation":           {inForm, formType + " acs3", "Name=x", "", "/ClientToken"},
		"ACS3, of a form operation, empty":    {inForm, " acs3", "", "", "/ClientToken"},
		"ACS3, of a form operation, JSON":     {inForm, jsonType + " acs3", "{}", "", "ClientToken/"},
		"ACS3, ROA":                           {roaOperation, jsonType + " acs3", "{}", "", "clientToken/"},
		"ACS3, ROA, own in a JSON body":       {roaOperation, jsonType + " acs3", `{"clientToken":"mine"}`, "mine", "clientToken/"},
		"ACS3, unknown, own in JSON":          {roaUnknown, jsonType + " acs3", `{"clientToken":"mine"}`, "mine", "/"},

		"ROA, own of an unknown one, query":   {roaUnknown + "?ClientToken=mine", jsonType, "{}", "mine", "ClientToken/"},
		"ROA, own of an unknown one, JSON":    {roaUnknown, jsonType, `{"clientToken":"mine"}`, "mine", "/"},
		"ROA, own of an unknown one, in form": {roaUnknown, formType, "clientToken=mine", "mine", "/clientToken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(retrytest.Reply(500, "InternalError", "x").AfterEffect())
			tr := &retry.Transport{Credentials: static, Policy: quick}
			defer tr.CloseIdleConnections()
			method, target, _ := strings.Cut(tt.line, " ")
			req, _ := http.NewRequest(method, srv.URL+target, strings.NewReader(tt.body))
			bodyType, acs3 := strings.CutSuffix(tt.bodyType, " acs3")
			tt.bodyType = bodyType
			if tt.bodyType != "" {
				req.Header.Set("Content-Type", tt.bodyType)
			}
			if acs3 {
				q := req.URL.Query()
				req.Header["x-acs-action"], req.Header["x-acs-version"] = []string{cmp.Or(q.Get("Action"), "CreateCollector")}, []string{cmp.Or(q.Get("Version"), "2017-06-13")}
				if strings.HasPrefix(target, "/openapi/things") {
					req.Header["x-acs-action"] = []string{"CreateThing"}
				}
				q.Del("Action")
				q.Del("Version")
				q.Del("Format")
				req.URL.RawQuery = q.Encode()
			} else if !strings.Contains(target+tt.body, "Action=") {
				roaVersion := "2017-06-13" // of elasticsearch
				if strings.HasPrefix(target, "/clusters") {
					roaVersion = "2015-12-15" // of CS
				}
				sum := md5.Sum([]byte(tt.body))
				req.Header = http.Header{"Authorization": {"acs testid:stale"}, "x-acs-version": {roaVersion}, "Content-Type": req.Header["Content-Type"],
					"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}}
			}
			before := req.Header.Clone()
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
				if wantForm := strings.HasPrefix(tt.bodyType, formType) || strings.Contains(tt.want, "/C"); wantForm != strings.HasPrefix(a.Header.Get("Content-Type"), formType) {
					t.Errorf("attempt %d has the type %q", a.Number, a.Header.Get("Content-Type"))
				}
				if tt.bodyType != formType && len(a.Form) == 0 && string(a.Body) != tt.body {
					t.Errorf("attempt %d has the body %q", a.Number, a.Body)
				}
			}
			if n := len(srv.Attempts()); n != 2 {
				t.Errorf("%d attempts", n)
			}
			// The fake knows RPC tokens by one spelling alone, as its services do.
			if !strings.Contains(tt.line+tt.body, "CreateThing") && len(srv.Effects()) != 1 {
				t.Errorf("%d effects", len(srv.Effects()))
			}
			if !reflect.DeepEqual(req.Header, before) {
				t.Errorf("the caller's headers were changed to %v", req.Header)
			}
		})
	}
}

// A context's token reaches the server also where the body has an empty one.
func TestEmptyTokenInJSON(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(retry.WithToken(context.Background(), "mine"), "POST", srv.URL+"/openapi/things", strings.NewReader(`{"clientToken":""}`))
	req.Header = http.Header{"Authorization": {"acs testid:stale"}, "x-acs-version": {"2017-06-13"}, "Content-Type": {jsonType}}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if a := srv.Attempts(); len(a) != 1 || a[0].Query.Get("ClientToken") != "mine" {
		t.Errorf("%+v", a)
	}
}

// One context serves one call, also where its token goes into the form: the fingerprint is
// of what the caller sent.
func TestContextTokenInForm(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	ctx := retry.WithToken(context.Background(), "mine")
	for _, form := range []string{"", "ClientToken=mine", "", "Name=x"} {
		req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+"/?Action=CreateProject&Version=2020-11-01&Format=JSON", strings.NewReader(form))
		req.Header.Set("Content-Type", formType)
		resp, err := tr.RoundTrip(req)
		if errors.Is(err, retry.ErrTokenReused) != (form == "Name=x") {
			t.Errorf("%q: %v", form, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
	if len(srv.Effects()) != 1 {
		t.Errorf("%d effects", len(srv.Effects()))
	}
}

// A form that is changed keeps its type and gets the right digest, in whatever case its
// headers come; without a body, only a POST gets one.
func TestTokenInFormHeaders(t *testing.T) {
	const changed = "Name=x&ClientToken=mine"
	sum := md5.Sum([]byte(changed))
	tests := map[string]struct {
		method, body string
		header, want http.Header // want: of these two, in any case
		wantBody     string
	}{
		"a form": {"POST", "Name=x", http.Header{"content-type": {"application/x-www-form-urlencoded; charset=GBK"}, "content-md5": {"stale"}},
			http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=GBK"}, "Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}}, changed},
		"no body":        {"POST", "", nil, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "ClientToken=mine"},
		"no body in PUT": {"PUT", "", nil, http.Header{}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, sent := make(http.Header), ""
			tr := &retry.Transport{Credentials: static, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				for k, v := range req.Header {
					got[http.CanonicalHeaderKey(k)] = v
				}
				body, _ := io.ReadAll(req.Body)
				sent = string(body)
				return stub(req)
			})}
			ctx := retry.WithToken(context.Background(), "mine")
			req, _ := http.NewRequestWithContext(ctx, tt.method, "http://h/?Action=CreateProject&Version=2020-11-01&Format=JSON", strings.NewReader(tt.body))
			req.Header = tt.header
			if _, err := tr.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) || sent != tt.wantBody {
				t.Errorf("sent %v, %q", got, sent)
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
