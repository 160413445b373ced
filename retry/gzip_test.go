package retry_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry"
)

// A body in an encoding that nobody here reads tells nothing, and one that is missing has none.
func TestEncodedReplies(t *testing.T) {
	const failure = `{"Code":"InternalError","Message":"x","Success":false}`
	roa := func(req *http.Request) {
		req.URL.Path = "/clusters"
		req.Header = http.Header{"X-Acs-Version": {"2015-12-15"}, "X-Acs-Signature-Version": {"1.0"}}
	}
	rpc := func(req *http.Request) { req.URL.RawQuery = strings.TrimPrefix(createQuery, "/?") }
	head := func(status, encoding string) string {
		return "HTTP/1.1 " + status + "\r\nContent-Encoding: " + encoding + "\r\n"
	}
	tests := map[string]struct {
		reply   string
		style   func(*http.Request)
		method  string
		class   retry.Class
		outcome retry.Outcome
	}{
		"br, by path":                        {sized(head("200 OK", "br"), failure), roa, "POST", retry.NoResponse, retry.Unknown},
		"deflate, by path":                   {sized(head("200 OK", "deflate"), failure), roa, "POST", retry.NoResponse, retry.Unknown},
		"gzip twice, by path":                {sized(head("200 OK", "gzip, gzip"), packed(packed(failure))), roa, "POST", retry.NoResponse, retry.Unknown},
		"x-gzip, by path":                    {sized(head("200 OK", "x-gzip"), packed(failure)), roa, "POST", retry.ServerError, retry.Unknown},
		"gzip cut off before it, by path":    {head("200 OK", "gzip") + "Content-Type: application/json\r\nConnection: close\r\n\r\n", roa, "POST", retry.NoResponse, retry.Unknown},
		"gzip on two lines, by path":         {sized(head("200 OK", "gzip\r\nContent-Encoding: gzip"), packed(packed(failure))), roa, "POST", retry.NoResponse, retry.Unknown},
		"br on the second line, by path":     {sized(head("200 OK", "identity\r\nContent-Encoding: br"), failure), roa, "POST", retry.NoResponse, retry.Unknown},
		"a charset, by path":                 {sized(head("200 OK", "UTF-8"), `{"cluster_id":"c1"}`), roa, "POST", retry.Success, retry.Done},
		"refused with a charset":             {sized(head("400 Bad Request", "utf-8"), `{"Code":"MissingParameter","Message":"x"}`), rpc, "POST", retry.Rejected, retry.NotDone},
		"205 with gzip":                      {head("205 Reset Content", "gzip") + "Connection: close\r\n\r\n", rpc, "POST", retry.Success, retry.Done},
		"refused without a body":             {sized(head("403 Forbidden", "gzip"), ""), rpc, "POST", retry.Rejected, retry.NotDone},
		"refused without a body, to a HEAD":  {head("403 Forbidden", "br") + "Connection: close\r\nContent-Length: 100\r\n\r\n", rpc, "HEAD", retry.Rejected, retry.NotDone},
		"accepted without a body, to a HEAD": {head("200 OK", "br") + "Connection: close\r\nContent-Length: 100\r\n\r\n", rpc, "HEAD", retry.Success, retry.Done},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var end retry.Info
			tr := &retry.Transport{Credentials: static, Policy: retry.Policy{MaxAttempts: 1}, Trace: &retry.Trace{CallEnd: func(i retry.Info) { end = i }}}
			defer tr.CloseIdleConnections()
			req, _ := http.NewRequest(tt.method, "http://"+front(t, nil, false, func(string) string { return tt.reply }), nil)
			tt.style(req)
			if resp, err := tr.RoundTrip(req); err == nil {
				resp.Body.Close()
			}
			if len(end.Attempts) != 1 || end.Attempts[0].Class != tt.class || end.Outcome != tt.outcome {
				t.Errorf("%v, outcome %v; want %v, %v", classesOf(end), end.Outcome, tt.class, tt.outcome)
			}
		})
	}
}

// Of a part of a body nobody asks the compressed form, as net/http does not.
func TestNoEncodingOfParts(t *testing.T) {
	for key, want := range map[string]string{"X-Any": "gzip", "Range": ""} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Accept-Encoding"); got != want {
				t.Errorf("beside %s: Accept-Encoding %q, want %q", key, got, want)
			}
			_, _ = io.WriteString(w, essReply)
		}))
		tr := &retry.Transport{Credentials: static, Policy: quick}
		req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
		req.Header[key] = []string{"bytes=0-"}
		if resp, err := tr.RoundTrip(req); err != nil || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
		tr.CloseIdleConnections()
		srv.Close()
	}
}

// An Info stands for itself: it holds nothing of its call, and bounds what a server sends.
func TestInfoStandsAlone(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	tr := &retry.Transport{Credentials: static, Policy: retry.Policy{MaxAttempts: 1}, Base: roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 404, Header: http.Header{"X-Acs-Request-Id": {long}}, Body: http.NoBody}, nil
	})}
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com"+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	i, _ := retry.InfoOfResponse(resp)
	j, _ := retry.InfoOfResponse(resp)
	if &i.Attempts[0] == &j.Attempts[0] || len(i.Attempts[0].RequestID) > 128 {
		t.Errorf("shared: %v, a request ID of %d bytes", &i.Attempts[0] == &j.Attempts[0], len(i.Attempts[0].RequestID))
	}
}
