package retry

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

func TestLookup(t *testing.T) {
	tests := []struct {
		version, action string
		want            Operation
		known, repeated bool
	}{
		{"2014-08-28", "CreateScalingGroup", Operation{Product: "Ess", Token: TokenInQuery, Safety: Unsafe}, true, true},
		{"2014-08-28", "CreateScalingRule", Operation{Product: "Ess", Token: NoToken, Safety: Unsafe}, true, false},
		{"2014-05-26", "DescribeZones", Operation{Product: "Ecs", Token: NoToken, Safety: ReadOnly, AttemptTimeout: 103 * time.Second}, true, true},
		{"2016-01-20", "GetRandomPassword", Operation{Product: "Kms", Token: NoToken, Safety: Unsafe}, true, false},
		{"2015-12-15", "DeleteCluster", Operation{Product: "CS", Token: NoToken, Safety: ReplaySafe}, true, true},
		{"2017-06-13", "CreateInstance", Operation{Product: "elasticsearch", Token: LowerTokenInQuery, Safety: Unsafe}, true, true},
		{"2020-11-01", "CreateProject", Operation{Product: "CDRS", Token: TokenInForm, Safety: Unsafe}, true, true},
		{"2019-01-01", "CreateBackupPlan", Operation{Token: TokenUnknown, Safety: Unsafe}, true, false}, // Cassandra's takes a token, HBase's none
		{"2020-01-01", "CreateThing", Operation{}, false, false},
		{"2020-01-01", "ListThings", Operation{Safety: ReadOnly}, false, true},
		{"2020-01-01", "GetThing", Operation{}, false, false},
	}
	for _, tt := range tests {
		tt.want.Version, tt.want.Action = tt.version, tt.action
		got, known := Lookup(tt.version, tt.action)
		if !same(got, tt.want) || known != tt.known || got.Repeated() != tt.repeated {
			t.Errorf("%s %s: %+v, known %v, repeated %v", tt.version, tt.action, got, known, got.Repeated())
		}
	}
	if _, err := time.Parse(time.DateOnly, CatalogueDate); err != nil {
		t.Error(err)
	}
}

func same(a, b Operation) bool {
	return a.String() == b.String() && a.Token == b.Token && a.Safety == b.Safety && a.AttemptTimeout == b.AttemptTimeout &&
		slices.Equal(a.RetryableCodes, b.RetryableCodes)
}

// What is taken over from the catalogue by number must mean the same on both sides.
func TestCatalogueNumbers(t *testing.T) {
	for ours, theirs := range map[Token]catalogue.Token{TokenUnknown: catalogue.TokenUnknown, NoToken: catalogue.NoToken,
		TokenInQuery: catalogue.TokenInQuery, TokenInForm: catalogue.TokenInForm, LowerTokenInQuery: catalogue.LowerTokenQuery} {
		if Token(theirs) != ours {
			t.Errorf("%v is %d, the catalogue's %d", ours, ours, theirs)
		}
	}
	for ours, theirs := range map[Safety]catalogue.Safety{SafetyUnknown: catalogue.SafetyUnknown, ReadOnly: catalogue.ReadOnly,
		ReplaySafe: catalogue.ReplaySafe, Unsafe: catalogue.Unsafe} {
		if Safety(theirs) != ours {
			t.Errorf("%v is %d, the catalogue's %d", ours, ours, theirs)
		}
	}
	for text, want := range map[string]string{Token(9).String(): "Token(9)", Safety(9).String(): "Safety(9)", Unsafe.String(): "unsafe", TokenInForm.String(): "ClientToken in the form"} {
		if text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestOperationString(t *testing.T) {
	for want, o := range map[string]Operation{
		"Ess 2014-08-28 CreateScalingGroup": {Product: "Ess", Version: "2014-08-28", Action: "CreateScalingGroup"},
		"2014-08-28 CreateScalingGroup":     {Version: "2014-08-28", Action: "CreateScalingGroup"},
		"2015-12-15":                        {Version: "2015-12-15"},
	} {
		if o.String() != want {
			t.Errorf("%q, want %q", o, want)
		}
	}
}

// play sends a request through a Transport over a script, and returns what is known.
func play(t *testing.T, p Policy, req *http.Request, steps ...step) (Info, *scripted, error) {
	t.Helper()
	base := &scripted{steps: steps}
	tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: p}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		i, _ := InfoOf(err)
		return i, base, err
	}
	i, _ := InfoOfResponse(resp)
	return i, base, nil
}

const thingURL = "http://thing.aliyuncs.com/?Action=CreateThing&Version=2020-01-01&Format=JSON"

// What the user knows of an operation goes before what the catalogue knows, and zero
// fields leave the catalogue's.
func TestPolicyOperations(t *testing.T) {
	thing := Operation{Version: "2020-01-01", Action: "CreateThing"}
	with := func(o Operation, change func(*Operation)) []Operation {
		change(&o)
		return []Operation{o}
	}
	group, _ := Lookup("2014-08-28", "CreateScalingGroup")
	tests := map[string]struct {
		operations []Operation
		url        string
		repeated   bool   // after a lost reply
		token      string // parameter that holds it
		outcome    Outcome
	}{
		"nothing said":               {nil, thingURL, false, "", Unknown},
		"a token in the query":       {with(thing, func(o *Operation) { o.Token = TokenInQuery }), thingURL, true, "ClientToken", Done},
		"in lower case":              {with(thing, func(o *Operation) { o.Token = LowerTokenInQuery }), thingURL, true, "clientToken", Done},
		"read-only":                  {with(thing, func(o *Operation) { o.Safety = ReadOnly }), thingURL, true, "", Done},
		"replay-safe":                {with(thing, func(o *Operation) { o.Safety = ReplaySafe }), thingURL, true, "", Done},
		"codes alone":                {with(thing, func(o *Operation) { o.RetryableCodes = []string{"X"} }), thingURL, false, "", Unknown},
		"of its product":             {with(thing, func(o *Operation) { o.Product, o.Safety = "Thing", ReplaySafe }), thingURL, true, "", Done},
		"of another version":         {with(thing, func(o *Operation) { o.Version, o.Safety = "2020-01-02", ReplaySafe }), thingURL, false, "", Unknown},
		"of another action":          {with(thing, func(o *Operation) { o.Action, o.Safety = "createThing", ReplaySafe }), thingURL, false, "", Unknown},
		"the first counts":           {append(with(thing, func(o *Operation) { o.Safety = Unsafe }), with(thing, func(o *Operation) { o.Safety = ReadOnly })...), thingURL, false, "", Unknown},
		"known, nothing said":        {with(group, func(o *Operation) { *o = Operation{Version: o.Version, Action: o.Action} }), createURL, true, "ClientToken", Done},
		"known, as looked up":        {[]Operation{group}, createURL, true, "ClientToken", Done},
		"known, without its token":   {with(group, func(o *Operation) { o.Token = NoToken }), createURL, false, "", Unknown},
		"known, another product":     {with(group, func(o *Operation) { o.Product, o.Token = "Ecs", NoToken }), createURL, true, "ClientToken", Done},
		"known, product in capitals": {with(group, func(o *Operation) { o.Product, o.Token = "ESS", NoToken }), createURL, false, "", Unknown},
		"of another product":         {with(thing, func(o *Operation) { o.Product, o.Safety = "Foo", ReplaySafe }), thingURL, false, "", Unknown},
		"known, the host's product":  {with(group, func(o *Operation) { o.Product, o.Token = "Thing", NoToken }), strings.Replace(createURL, "ess.aliyuncs", "thing-vpc.cn-qingdao.aliyuncs", 1), false, "", Unknown},
		"a set by another method":    {nil, "http://sae.aliyuncs.com/?Action=UpdateNamespace&Version=2019-05-06&Format=JSON", false, "", Unknown},
		"a reading verb that is not": {[]Operation{{Version: "2020-01-01", Action: "ListThings", Safety: Unsafe}}, strings.Replace(thingURL, "CreateThing", "ListThings", 1), false, "", Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				info, base, err := play(t, Policy{Operations: tt.operations}, newRequest(context.Background(), tt.url), step{err: syscall.ECONNRESET}, step{status: 200, body: okBody})
				if repeated := len(base.seen) == 2; repeated != tt.repeated || (err == nil) != repeated || info.Outcome != tt.outcome {
					t.Errorf("repeated %v, outcome %v, %v", repeated, info.Outcome, err)
				}
				for _, req := range base.seen {
					q := req.URL.Query()
					if n := len(q["ClientToken"]) + len(q["clientToken"]); tt.token == "" && n > 0 || tt.token != "" && (n != 1 || token.Validate(q.Get(tt.token)) != nil) {
						t.Errorf("sent %v", q)
					}
				}
			})
		})
	}
}

// A code of the user's turns a rejection into a wait, in whatever case the service spells
// it, and nothing but a rejection: what the codes of the token mean is not for choice.
func TestRetryableCodes(t *testing.T) {
	codes := []string{"isv.BUSINESS_LIMIT_CONTROL_X", "IncorrectStatus", "OperationDenied.*", "InvalidVpcId.NotFound", "IdempotentParameterMismatch", "LastTokenProcessing"}
	tests := map[string]struct {
		status int
		body   string
		url    string
		want   Class
		again  bool
	}{
		"exact":                                {400, `{"Code":"IncorrectStatus"}`, thingURL, Busy, true},
		"in another case":                      {400, `{"Code":"INCORRECTSTATUS"}`, thingURL, Busy, true},
		"longer than it":                       {400, `{"Code":"IncorrectStatus.Vpc"}`, thingURL, Rejected, false},
		"by its beginning":                     {403, `{"Code":"OperationDenied.EipStatus"}`, thingURL, Busy, true},
		"its beginning alone":                  {403, `{"Code":"OperationDenied"}`, thingURL, Rejected, false},
		"another":                              {400, `{"Code":"MissingParameter"}`, thingURL, Rejected, false},
		"no code":                              {404, `{}`, thingURL, Rejected, false},
		"a message that is final":              {404, `{"Code":"InvalidVpcId.NotFound","Message":"not found"}`, thingURL, Busy, true},
		"one that is another class":            {400, `{"Code":"IdempotentParameterMismatch"}`, createURL, Mismatch, false},
		"under 5xx":                            {500, `{"Code":"IncorrectStatus"}`, thingURL, ServerError, false},
		"under 501":                            {501, `{"Code":"IncorrectStatus"}`, thingURL, Rejected, false},
		"under 200, of a write":                {200, `{"Code":"IncorrectStatus","Message":"x","RequestId":"R"}`, thingURL, Unavailable, false},
		"under 200, with a token":              {200, `{"Code":"IncorrectStatus","Message":"x","RequestId":"R"}`, createURL, Unavailable, true},
		"under 200, refused without a message": {200, `{"Code":"IncorrectStatus","Success":false,"RequestId":"R"}`, createURL, Unavailable, true},
		"under 200, what was asked for":        {200, `{"Code":"IncorrectStatus","RequestId":"R"}`, thingURL, Success, false},
		"under 200, final but for the user":    {200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL_X","Message":"触发天级流控","RequestId":"R"}`, createURL, Unavailable, true},
		"under 200, a final code known":        {200, `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发天级流控","RequestId":"R"}`, thingURL, Rejected, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := Policy{Operations: []Operation{{Version: "2020-01-01", Action: "CreateThing", RetryableCodes: codes}, {Version: "2014-08-28", Action: "CreateScalingGroup", RetryableCodes: codes}}}
				info, base, _ := play(t, p, newRequest(context.Background(), tt.url), step{status: tt.status, body: tt.body}, step{status: 200, body: okBody})
				if len(info.Attempts) == 0 || info.Attempts[0].Class != tt.want || (len(base.seen) == 2) != tt.again {
					t.Errorf("%+v", info)
				}
			})
		})
	}
}

// What an Info shows of the user's policy is a copy.
func TestOperationIsNotShared(t *testing.T) {
	p := Policy{Operations: []Operation{{Product: "Thing", Version: "2020-01-01", Action: "CreateThing", RetryableCodes: []string{"A"}}}}
	info, _, _ := play(t, p, newRequest(context.Background(), thingURL), step{status: 200, body: okBody})
	if info.Operation.Product != "Thing" || len(info.Operation.RetryableCodes) != 1 {
		t.Errorf("%+v", info.Operation)
	}
	if info.Operation.RetryableCodes[0] = "B"; p.Operations[0].RetryableCodes[0] != "A" {
		t.Error("the policy can be written to through an Info")
	}
}

func TestOperationsAreValidated(t *testing.T) {
	fine := Operation{Version: "1", Action: "A"}
	for name, change := range map[string]func(*Operation){
		"":                        func(*Operation) {},
		"no version":              func(o *Operation) { o.Version = "" },
		"no action":               func(o *Operation) { o.Action = "" },
		"no such token":           func(o *Operation) { o.Token = tokens },
		"no such safety":          func(o *Operation) { o.Safety = safeties },
		"a negative timeout":      func(o *Operation) { o.AttemptTimeout = -1 },
		"an empty code":           func(o *Operation) { o.RetryableCodes = []string{"A", ""} },
		"every code":              func(o *Operation) { o.RetryableCodes = []string{"*"} },
		"an asterisk in a code":   func(o *Operation) { o.RetryableCodes = []string{"A*B"} },
		"an asterisk too many":    func(o *Operation) { o.RetryableCodes = []string{"A**"} },
		"an asterisk to begin it": func(o *Operation) { o.RetryableCodes = []string{"*A"} },
	} {
		o := fine
		change(&o)
		_, err := Policy{Operations: []Operation{fine, o}}.withDefaults()
		if errors.Is(err, ErrPolicy) != (name != "") || err != nil && !strings.Contains(err.Error(), "Operations[1]") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
