package retrytest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// A history of attempts: what each of them is told, and how many effects there are
// after it.
func TestTokenRules(t *testing.T) {
	type step struct {
		send    *rpc
		fault   retrytest.Fault
		code    string // empty: a result
		effects int
	}
	internal := retrytest.Reply(500, "InternalError", "")
	json := func(token, body string) *rpc {
		c := create(token)
		c.tamper = func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		}
		return c
	}
	inForm := create("")
	inForm.query.Del("MinSize")
	inForm.form.Set("ClientToken", "t")
	inForm.form.Set("MinSize", "1")
	inBoth := create("t")
	inBoth.form.Set("ClientToken", "t")
	otherVersion := create("t")
	otherVersion.query.Set("Version", "2022-02-22")
	asXML := create("t")
	asXML.query.Set("Format", "XML")

	tests := map[string][]step{
		"same token, same parameters": {{create("t"), retrytest.OK(), "", 1}, {create("t"), retrytest.OK(), "", 1}, {create("t"), retrytest.OK(), "", 1}},
		"no token":                    {{create(""), retrytest.OK(), "", 1}, {create(""), retrytest.OK(), "", 2}},
		"empty token":                 {{create("", "ClientToken", ""), retrytest.OK(), "", 1}, {create("", "ClientToken", ""), retrytest.OK(), "", 2}},
		"case matters":                {{create("t"), retrytest.OK(), "", 1}, {create("T"), retrytest.OK(), "", 2}},
		"other value":                 {{create("t"), retrytest.OK(), "", 1}, {create("t", "MaxSize", "3"), retrytest.OK(), "IdempotentParameterMismatch", 1}, {create("t"), retrytest.OK(), "", 1}},
		"one parameter more":          {{create("t"), retrytest.OK(), "", 1}, {create("t", "RegionId", "x"), retrytest.OK(), "IdempotentParameterMismatch", 1}},
		"other action":                {{create("t"), retrytest.OK(), "", 1}, {call("CreateVSwitch", "ClientToken", "t", "MinSize", "1", "MaxSize", "2"), retrytest.OK(), "IdempotentParameterMismatch", 1}},
		"other version":               {{create("t"), retrytest.OK(), "", 1}, {otherVersion, retrytest.OK(), "IdempotentParameterMismatch", 1}},
		"other JSON body":             {{json("t", "{}"), retrytest.OK(), "", 1}, {json("t", "{}"), retrytest.OK(), "", 1}, {json("t", "[]"), retrytest.OK(), "IdempotentParameterMismatch", 1}},
		"query or form":               {{create("t"), retrytest.OK(), "", 1}, {inForm, retrytest.OK(), "", 1}},
		"token twice":                 {{inBoth, retrytest.OK(), "", 1}, {create("t"), retrytest.OK(), "", 1}},
		"other format":                {{create("t"), retrytest.OK(), "", 1}, {asXML, retrytest.OK(), "", 1}},
		"reads take no token":         {{call("DescribeScalingGroups", "ClientToken", "t"), retrytest.OK(), "", 0}, {create("t"), retrytest.OK(), "", 1}, {call("DescribeScalingGroups", "ClientToken", "t"), retrytest.OK(), "", 1}},
		"failed before the effect":    {{create("t"), internal, "InternalError", 0}, {create("t"), retrytest.OK(), "", 1}},
		"rejection is not stored":     {{create("t"), internal, "InternalError", 0}, {create("t", "MaxSize", "3"), retrytest.OK(), "", 1}},
		"failed after the effect":     {{create("t"), internal.AfterEffect(), "InternalError", 1}, {create("t"), retrytest.OK(), "", 1}},
		"fails when replayed":         {{create("t"), retrytest.OK(), "", 1}, {create("t"), internal, "InternalError", 1}, {create("t"), internal.AfterEffect(), "InternalError", 1}, {create("t"), retrytest.OK(), "", 1}},
		"mismatch beats the script":   {{create("t"), retrytest.OK(), "", 1}, {create("t", "MaxSize", "3"), internal, "IdempotentParameterMismatch", 1}, {create("t"), retrytest.OK(), "", 1}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			results := map[string]string{} // token and format -> first result
			for i, step := range steps {
				srv.Script(step.fault)
				got := step.send.send(t, srv)
				if got.fields["Code"] != step.code || len(srv.Effects()) != step.effects {
					t.Fatalf("step %d: code %q, %d effects; want %q, %d", i, got.fields["Code"], len(srv.Effects()), step.code, step.effects)
				}
				a := last(t, srv)
				key := a.ClientToken + " " + a.Query.Get("Format")
				if first, ok := results[key]; ok && a.Replayed && a.Status == 200 && first != got.body {
					t.Errorf("step %d: %s; the first result was %s", i, got.body, first)
				}
				if a.Effect && a.Status == 200 {
					results[key] = got.body
				}
			}
		})
	}
}

func TestReplayedReply(t *testing.T) {
	srv := newServer(t)
	first := create("t").send(t, srv)
	again := create("t").send(t, srv)
	if again.body != first.body || again.header.Get("x-acs-request-id") != first.fields["RequestId"] {
		t.Errorf("replayed %s\nfirst    %s", again.body, first.body)
	}
	a := srv.Attempts()
	if !a[0].Effect || a[0].Replayed || a[1].Effect || !a[1].Replayed {
		t.Errorf("effects %t, %t; replayed %t, %t", a[0].Effect, a[1].Effect, a[0].Replayed, a[1].Replayed)
	}
	if e := srv.Effects()[0]; e.Attempt != 1 || e.Number != 1 || e.ResourceID != first.fields["ScalingGroupId"] {
		t.Errorf("effect %+v", e)
	}

	srv.ForgetTokens()
	if later := create("t").send(t, srv); later.body == first.body || len(srv.Effects()) != 2 {
		t.Errorf("a server that forgot its tokens still knows: %s", later.body)
	}
}

func TestTokensBelongToTheOwner(t *testing.T) {
	srv := newServer(t,
		retrytest.Account{AccessKeyID: "a1", AccessKeySecret: "testsecret", Owner: "a"},
		retrytest.Account{AccessKeyID: "a2", AccessKeySecret: "testsecret", SecurityToken: "x", Owner: "a"},
		retrytest.Account{AccessKeyID: "b", AccessKeySecret: "testsecret"},
	)
	for _, step := range []struct {
		key, securityToken string
		effects            int
	}{{"a1", "", 1}, {"a2", "x", 1}, {"b", "", 2}, {"b", "", 2}} {
		c := create("t", "AccessKeyId", step.key)
		if step.securityToken != "" {
			c.query.Set("SecurityToken", step.securityToken)
		}
		if got := c.send(t, srv); got.status != 200 || len(srv.Effects()) != step.effects {
			t.Errorf("key %s: %d effects; want %d: %s", step.key, len(srv.Effects()), step.effects, got.body)
		}
	}
}

// The work of a hung request is under way until the request is released, by the
// client or by the server's end.
func TestLastTokenProcessing(t *testing.T) {
	for _, release := range []string{"client", "server"} {
		t.Run(release, func(t *testing.T) {
			srv := newServer(t)
			fault := retrytest.Hang().DuringEffect()
			srv.Script(fault)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			request := create("t").request(t, ctx, srv.URL)
			client := newClient(t)
			ended := make(chan error, 1)
			go func() {
				_, err := client.Do(request)
				ended <- err
			}()
			eventually(t, "the token is taken", func() bool {
				a := srv.Attempts()
				return len(a) == 1 && a[0].Fault == fault
			})

			for range 2 {
				if got := create("t").send(t, srv); got.status != 403 || got.fields["Code"] != "LastTokenProcessing" {
					t.Fatalf("second attempt: %d %s", got.status, got.body)
				}
			}
			if got := create("t", "MaxSize", "3").send(t, srv); got.fields["Code"] != "IdempotentParameterMismatch" {
				t.Errorf("another call under the token: %s", got.body)
			}
			if n := len(srv.Effects()); n != 0 {
				t.Errorf("%d effects before the work is done", n)
			}

			if release == "client" {
				cancel()
				eventually(t, "the work is done", func() bool { return len(srv.Effects()) == 1 })
				if got := create("t").send(t, srv); got.fields["ScalingGroupId"] != srv.Effects()[0].ResourceID {
					t.Errorf("afterwards: %s", got.body)
				}
			} else {
				srv.Close()
			}
			if err := <-ended; err == nil {
				t.Error("the hung request got a reply")
			}
			if n := len(srv.Effects()); n != 1 {
				t.Errorf("%d effects; want 1", n)
			}
			if a := srv.Attempts()[0]; !a.Effect || a.Status != 0 {
				t.Errorf("hung attempt: effect %t, status %d", a.Effect, a.Status)
			}
		})
	}
}

func TestOneTokenManyClients(t *testing.T) {
	srv, client := newServer(t), newClient(t)
	const clients = 50
	bodies := make([]string, clients)
	var wg sync.WaitGroup
	for i := range clients {
		request := create("t").request(t, t.Context(), srv.URL)
		wg.Go(func() {
			got, err := roundTrip(client, request)
			if err != nil {
				t.Error(err)
			}
			bodies[i] = got.body
		})
	}
	wg.Wait()
	for i, body := range bodies {
		if body != bodies[0] {
			t.Errorf("client %d got %s; the first %s", i, body, bodies[0])
		}
	}
	made, replayed := 0, 0
	for i, a := range srv.Attempts() {
		if a.Number != i+1 {
			t.Errorf("attempt %d has number %d", i, a.Number)
		}
		if a.Effect {
			made++
		}
		if a.Replayed {
			replayed++
		}
	}
	if made != 1 || replayed != clients-1 || len(srv.Effects()) != 1 {
		t.Errorf("%d attempts made an effect, %d were given its result, %d effects", made, replayed, len(srv.Effects()))
	}
}

// A token that an operation does not take protects from nothing, and is not judged.
func TestIgnoreTokens(t *testing.T) {
	srv := newServer(t)
	srv.IgnoreTokens("CreateScalingRule")
	long := strings.Repeat("x", 65)
	for _, token := range []string{"t", "t", long} {
		for _, action := range []string{"CreateScalingRule", "CreateScalingGroup"} {
			call(action, "ClientToken", token).send(t, srv)
		}
	}
	made := make(map[string]int)
	for _, e := range srv.Effects() {
		made[e.Action]++
	}
	if made["CreateScalingRule"] != 3 || made["CreateScalingGroup"] != 1 {
		t.Errorf("effects: %v", made)
	}
}
