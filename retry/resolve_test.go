package retry

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A name that two products share goes by the Host that the request is sent with.
func TestSharedNameGoesByHost(t *testing.T) {
	for host, token := range map[string]bool{"cassandra.aliyuncs.com": true, "hbase.aliyuncs.com": false, "": false} {
		synctest.Test(t, func(t *testing.T) {
			req := newRequest(context.Background(), "http://127.0.0.1:8080/?Action=CreateBackupPlan&Version=2019-01-01&Format=JSON")
			req.Host = host
			if info, _, err := play(t, Policy{}, req, step{status: 200, body: okBody}); err != nil || (info.ClientToken != "") != token {
				t.Errorf("%q: %+v, %v", host, info, err)
			}
		})
	}
}

// A dry run has no effect, so it needs no token and is repeated freely; but only where
// the operation heeds the parameter as it is spelt.
func TestDryRun(t *testing.T) {
	const (
		heeds  = "http://vpc.aliyuncs.com/?Action=CreateVpc&Version=2016-04-28&Format=JSON"
		ignore = "http://ess.aliyuncs.com/?Action=CreateScalingRule&Version=2014-08-28&Format=JSON"
	)
	tests := map[string]struct {
		url      string
		token    bool
		repeated bool
		outcome  Outcome // after nothing but lost replies
	}{
		"of one that heeds it":        {heeds + "&DryRun=true", false, true, NotDone},
		"in capitals":                 {heeds + "&DryRun=TRUE", false, true, NotDone},
		"switched off":                {heeds + "&DryRun=false", true, true, Unknown},
		"misspelt":                    {heeds + "&dryRun=true", true, true, Unknown},
		"with the caller's token":     {heeds + "&DryRun=true&ClientToken=mine", true, true, NotDone},
		"of one that ignores it":      {ignore + "&DryRun=true", false, false, Unknown},
		"and takes a token":           {createURL + "&DryRun=true", true, true, Unknown},
		"of an unknown one":           {thingURL + "&DryRun=true", false, true, Unknown},
		"another truth":               {heeds + "&DryRun=1", true, true, Unknown},
		"of an unknown one, misspelt": {thingURL + "&Dryrun=true", false, false, Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lost := step{err: syscall.ECONNRESET}
				info, base, err := play(t, Policy{MaxAttempts: 2}, newRequest(context.Background(), tt.url), lost, lost)
				if (len(base.seen) == 2) != tt.repeated || (info.ClientToken != "") != tt.token || info.Outcome != tt.outcome {
					t.Errorf("%d attempts, %v", len(base.seen), err)
				}
			})
		})
	}
	t.Run("of one that the user knows", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := Policy{MaxAttempts: 2, Operations: []Operation{{Version: "2020-01-01", Action: "CreateThing", Token: TokenInQuery}}}
			lost := step{err: syscall.ECONNRESET}
			if info, _, _ := play(t, p, newRequest(context.Background(), thingURL+"&DryRun=true"), lost, lost); info.ClientToken == "" || info.Outcome != Unknown {
				t.Errorf("%+v", info)
			}
			p.Operations[0].Token, p.Operations[0].Safety = TokenUnknown, Unsafe
			if info, base, _ := play(t, p, newRequest(context.Background(), thingURL+"&DryRun=true"), lost, lost); len(base.seen) != 1 || info.Outcome != Unknown {
				t.Errorf("%+v", info)
			}
		})
	})
	roa := func(query, form, action string) *http.Request {
		version, path := "2017-06-13", "/openapi/things"
		switch action {
		case "MigrateToOtherZone": // of elasticsearch
			path = "/openapi/instances/i-1/actions/migrate-zones"
		case "CreateAppEnv": // of WebPlus
			version, path = "2019-03-20", "/pop/v1/wam/appEnv"
		}
		req, _ := http.NewRequest("POST", "http://es.aliyuncs.com"+path+query, strings.NewReader(form))
		req.Header = http.Header{"Authorization": {"acs testid:x"}, "x-acs-version": {version}, "x-acs-action": {action}, "Content-Type": {"application/x-www-form-urlencoded"}}
		return req
	}
	for name, tt := range map[string]struct {
		req      *http.Request
		repeated bool
	}{
		"ROA":                   {roa("?dryRun=true", "", "MigrateToOtherZone"), true},
		"ROA, in the form":      {roa("", "dryRun=true", "MigrateToOtherZone"), false},
		"ROA, misspelt":         {roa("?DryRun=true", "", "MigrateToOtherZone"), false},
		"ROA, unknown":          {roa("?dryRun=true", "", "DoThing"), true},
		"ROA, unknown, in form": {roa("", "DryRun=true", "DoThing"), true},
		"ROA, of the form":      {roa("", "DryRun=true", "CreateAppEnv"), true},
		"ROA, form, in query":   {roa("?DryRun=true", "", "CreateAppEnv"), false},
		"ROA, form, both":       {roa("", "DryRun=true&DryRun=false", "CreateAppEnv"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if info, base, err := play(t, Policy{}, tt.req, step{err: syscall.ECONNRESET}, step{status: 200, body: "{}"}); (len(base.seen) == 2) != tt.repeated || info.ClientToken != "" {
					t.Errorf("%d attempts, %v", len(base.seen), err)
				}
			})
		})
	}
}

// In the ROA style the servers go by method and path, whatever x-acs-action says. A name
// that the catalogue does not have is the caller's word.
func TestROANameMustFitItsPath(t *testing.T) {
	tests := map[string]struct {
		method, path, action string
		repeated, token      bool
		product              string
		operations           []Operation
	}{
		"fits, takes a token":          {"POST", "/openapi/instances", "CreateInstance", true, true, "elasticsearch", nil},
		"by its path":                  {"POST", "/openapi/instances", "", true, true, "elasticsearch", nil},
		"of another path":              {"POST", "/openapi/things", "CreateInstance", false, false, "", nil},
		"of another operation's path":  {"POST", "/openapi/instances/i-1/actions/cancel-task", "CreateCollector", true, true, "elasticsearch", nil},
		"of a path that takes none":    {"POST", "/openapi/instances/i-1/actions/migrate-zones", "CreateCollector", false, false, "elasticsearch", nil},
		"of another method":            {"PUT", "/openapi/instances", "CreateInstance", false, false, "", nil},
		"reads":                        {"GET", "/openapi/instances", "ListInstance", true, false, "elasticsearch", nil},
		"reads, by its path":           {"GET", "/openapi/instances", "", true, false, "elasticsearch", nil},
		"reads, HEAD":                  {"HEAD", "/openapi/instances", "ListInstance", true, false, "elasticsearch", nil},
		"reads, no method":             {"", "/openapi/instances", "ListInstance", true, false, "elasticsearch", nil},
		"an escaped slash":             {"POST", "/openapi/instances/a%2Fb/actions/cancel-task", "", true, true, "elasticsearch", nil},
		"a slash":                      {"POST", "/openapi/instances/a/b/actions/cancel-task", "", false, false, "", nil},
		"reads, on another path":       {"GET", "/openapi/things", "ListInstance", false, false, "", nil},
		"reads, on a path that writes": {"POST", "/openapi/instances/i-1/actions/migrate-zones", "ListInstance", false, false, "elasticsearch", nil},
		"new, reads":                   {"GET", "/openapi/things", "ListThings", true, false, "", nil},
		"new, reads, but by POST":      {"POST", "/openapi/things", "ListThings", false, false, "", nil},
		"new, writes":                  {"PUT", "/openapi/things", "UpdateThings", false, false, "", nil},
		"new, without a name":          {"GET", "/openapi/things", "", false, false, "", nil},
		"new, as the user knows it": {"POST", "/openapi/things", "CreateThing", true, true, "",
			[]Operation{{Version: "2017-06-13", Action: "CreateThing", Token: LowerTokenInQuery}}},
		"not fitting, by an entry of Lookup's": {"POST", "/openapi/things", "ListInstance", false, false, "",
			[]Operation{{Version: "2017-06-13", Action: "ListInstance", Token: NoToken, Safety: ReadOnly}}},
		"new, on a path that fits another": {"GET", "/openapi/instances/new-things", "ListNewThings", false, false, "", nil},
		"the same, as the user knows it": {"GET", "/openapi/instances/new-things", "ListNewThings", true, false, "",
			[]Operation{{Version: "2017-06-13", Action: "ListNewThings", Safety: ReadOnly}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, _ := http.NewRequest(tt.method, "http://es.aliyuncs.com"+tt.path, nil)
				req.Header = http.Header{"Authorization": {"acs testid:x"}, "x-acs-version": {"2017-06-13"}}
				req.Method = tt.method // also "", which net/http reads as GET
				if tt.action != "" {
					req.Header["x-acs-action"] = []string{tt.action}
				}
				info, base, err := play(t, Policy{Operations: tt.operations}, req, step{err: syscall.ECONNRESET}, step{status: 200, body: "{}"})
				if (len(base.seen) == 2) != tt.repeated || (info.ClientToken != "") != tt.token || info.Operation.Product != tt.product {
					t.Errorf("%d attempts, %+v, %v", len(base.seen), info.Operation, err)
				}
			})
		})
	}
}

// The ACS3 style carries operations of both kinds: at the path "/" the servers go by name,
// and with any method; elsewhere by method and path.
func TestACS3ByNameOrByPath(t *testing.T) {
	tests := map[string]struct {
		method, path, version, action string
		repeated, token               bool
	}{
		"by name, takes a token":        {"POST", "/", "2014-08-28", "CreateScalingGroup", true, true},
		"by name, no path":              {"POST", "", "2014-08-28", "CreateScalingGroup", true, true},
		"by name, reads by POST":        {"POST", "/", "2014-08-28", "DescribeScalingGroups", true, false},
		"by name, writes by GET":        {"GET", "/", "2014-08-28", "CreateScalingRule", false, false},
		"by name, a dry run":            {"POST", "/?DryRun=true", "2016-04-28", "CreateVpc", true, false},
		"by path, takes a token":        {"POST", "/openapi/instances", "2017-06-13", "CreateInstance", true, true},
		"by path, reads":                {"GET", "/openapi/instances", "2017-06-13", "ListInstance", true, false},
		"by path, sets":                 {"DELETE", "/clusters/c", "2015-12-15", "DeleteCluster", true, false},
		"by path, another name":         {"POST", "/openapi/instances/i/actions/migrate-zones", "2017-06-13", "ListInstance", false, false},
		"by path, reads by POST":        {"POST", "/openapi/things", "2017-06-13", "ListThings", false, false},
		"of a path, but called by name": {"POST", "/", "2015-12-15", "DeleteCluster", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, _ := http.NewRequest(tt.method, "http://h.aliyuncs.com"+tt.path, nil)
				req.Header = http.Header{"x-acs-version": {tt.version}, "x-acs-action": {tt.action}}
				info, base, err := play(t, Policy{}, req, step{err: syscall.ECONNRESET}, step{status: 200, body: `{"RequestId":"R"}`})
				if (len(base.seen) == 2) != tt.repeated || (info.ClientToken != "") != tt.token {
					t.Errorf("%d attempts, %+v, %v", len(base.seen), info.Operation, err)
				}
			})
		})
	}
}

// A token protects nothing where name and path contradict each other, or where the path is
// known to take none under whatever name; and entries made from Lookup say nothing new.
func TestContradictoryNames(t *testing.T) {
	const cs = "2015-12-15"
	lookup := func(version, action string) []Operation {
		o, _ := Lookup(version, action)
		o.RetryableCodes, o.AttemptTimeout = []string{"X"}, time.Minute
		return []Operation{o}
	}
	own := func() context.Context { return context.Background() }
	given := func() context.Context { return WithToken(context.Background(), "mine") }
	tests := map[string]struct {
		ctx                            func() context.Context
		method, target, version, named string
		operations                     []Operation
		attempts                       int
		err                            error
	}{
		"own token, exact path":           {own, "POST", "/api/v2/clusters/c1?clientToken=mine", cs, "ScaleOutCluster", nil, 1, syscall.ECONNRESET},
		"own token, a slash more":         {own, "POST", "/api/v2/clusters/c1/?clientToken=mine", cs, "ScaleOutCluster", nil, 1, syscall.ECONNRESET},
		"own token, a base path":          {own, "POST", "/base/api/v2/clusters/c1?clientToken=mine", cs, "ScaleOutCluster", nil, 1, syscall.ECONNRESET},
		"own token, another spelling":     {own, "POST", "/api/v2/clusters/c1?clientToken=mine", cs, "scaleOutCluster", nil, 1, syscall.ECONNRESET},
		"own token, no name":              {own, "POST", "/api/v2/clusters/c1?clientToken=mine", cs, "", nil, 1, syscall.ECONNRESET},
		"given token, a slash more":       {given, "POST", "/api/v2/clusters/c1/", cs, "ScaleOutCluster", nil, 0, ErrNoToken},
		"given token, another spelling":   {given, "POST", "/api/v2/clusters/c1", cs, "scaleOutCluster", nil, 0, ErrNoToken},
		"the user's token, contradictory": {own, "POST", "/api/v2/clusters/c1/", cs, "ScaleOutCluster", []Operation{{Version: cs, Action: "ScaleOutCluster", Token: TokenInQuery}}, 1, syscall.ECONNRESET},
		"the user's token, a new name":    {own, "POST", "/api/v2/clusters/c1", cs, "scaleOutCluster", []Operation{{Version: cs, Action: "scaleOutCluster", Token: TokenInQuery}}, 2, nil},
		"the user's word, new, by POST":   {own, "POST", "/things", cs, "ListThings", lookup(cs, "ListThings"), 2, nil},
		"new, on a path that takes one":   {own, "POST", "/openapi/collectors", "2017-06-13", "StartAllCollectors", nil, 1, syscall.ECONNRESET},
		"the same, with its own":          {own, "POST", "/openapi/collectors?clientToken=mine", "2017-06-13", "StartAllCollectors", nil, 2, nil},
		"Lookup's, new, by GET":           {own, "GET", "/things", cs, "ListThings", lookup(cs, "ListThings"), 2, nil},
		"the user's, new, by POST":        {own, "POST", "/things", cs, "ListThings", []Operation{{Version: cs, Action: "ListThings", Safety: ReplaySafe}}, 2, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, _ := http.NewRequestWithContext(tt.ctx(), tt.method, "http://cs.aliyuncs.com"+tt.target, nil)
				req.Header = http.Header{"Authorization": {"acs testid:x"}, "x-acs-version": {tt.version}}
				if tt.named != "" {
					req.Header["x-acs-action"] = []string{tt.named}
				}
				_, base, err := play(t, Policy{Operations: tt.operations}, req, step{err: syscall.ECONNRESET}, step{status: 200, body: "{}"})
				if len(base.seen) != tt.attempts || (err == nil) != (tt.err == nil) || !errors.Is(err, tt.err) {
					t.Errorf("%d attempts, %v", len(base.seen), err)
				}
			})
		})
	}
	t.Run("Lookup's, by RPC", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			req := newRequest(context.Background(), "http://cs.aliyuncs.com/?Action=DeleteCluster&Version="+cs+"&Format=JSON")
			if _, base, _ := play(t, Policy{Operations: lookup(cs, "DeleteCluster")}, req, step{err: syscall.ECONNRESET}, step{status: 200, body: okBody}); len(base.seen) != 1 {
				t.Errorf("%d attempts", len(base.seen))
			}
		})
	})
	t.Run("harmless fields count all the same", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			req, _ := http.NewRequest("POST", "http://cs.aliyuncs.com/api/v2/clusters/c1/", nil)
			req.Header = http.Header{"Authorization": {"acs testid:x"}, "x-acs-version": {cs}, "x-acs-action": {"ScaleOutCluster"}}
			info, base, err := play(t, Policy{Operations: lookup(cs, "ScaleOutCluster")}, req, step{status: 400, body: `{"Code":"X"}`}, step{status: 200, body: "{}"})
			if err != nil || len(base.seen) != 2 || info.Operation.AttemptTimeout != time.Minute {
				t.Errorf("%+v, %v", info, err)
			}
		})
	})
}

// A token for an operation that is known to take none is refused from a context, and from
// a request sent for what it is worth, which is nothing: unless the user knows better.
func TestTokenWhereNoneIsTaken(t *testing.T) {
	const url = "http://ess.aliyuncs.com/?Action=CreateScalingRule&Version=2014-08-28&Format=JSON"
	takes := Policy{Operations: []Operation{{Version: "2014-08-28", Action: "CreateScalingRule", Token: TokenInQuery}}}
	mine := func() context.Context { return WithToken(context.Background(), "mine") }
	tests := map[string]struct {
		policy   Policy
		ctx      context.Context
		url      string
		attempts int // when the first reply is lost
		err      error
	}{
		"by context":                           {Policy{}, mine(), url, 0, ErrNoToken},
		"by context, the user knows better":    {takes, mine(), url, 2, nil},
		"in the request":                       {Policy{}, context.Background(), url + "&ClientToken=mine", 1, syscall.ECONNRESET},
		"in the request, the user knows":       {takes, context.Background(), url + "&ClientToken=mine", 2, nil},
		"in the request, the caller vouches":   {Policy{}, WithReplaySafe(context.Background()), url + "&ClientToken=mine", 2, nil},
		"in both":                              {Policy{}, mine(), url + "&ClientToken=mine", 0, ErrNoToken},
		"in the request, of a reading one":     {Policy{}, context.Background(), strings.Replace(url, "CreateScalingRule", "DescribeScalingGroups", 1) + "&ClientToken=mine", 2, nil},
		"in the request, of one in the dark":   {Policy{}, context.Background(), thingURL + "&ClientToken=mine", 2, nil},
		"in the request, of two that disagree": {Policy{}, context.Background(), "http://127.0.0.1/?Action=CreateBackupPlan&Version=2019-01-01&Format=JSON&ClientToken=mine", 2, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				info, base, err := play(t, tt.policy, newRequest(tt.ctx, tt.url), step{err: syscall.ECONNRESET}, step{status: 200, body: okBody})
				if len(base.seen) != tt.attempts || (err == nil) != (tt.err == nil) || !errors.Is(err, tt.err) {
					t.Errorf("%d attempts, %v", len(base.seen), err)
				}
				for _, req := range base.seen {
					if req.URL.Query().Get("ClientToken") != "mine" || info.ClientToken != "mine" {
						t.Errorf("sent %s, told %q", req.URL.RawQuery, info.ClientToken)
					}
				}
			})
		})
	}
}

// One attempt is bounded by what the user says of the operation, of all operations, what
// the catalogue says, and the default, in this order.
func TestAttemptTimeoutOfOperations(t *testing.T) {
	const url = "http://ecs.aliyuncs.com/?Action=CreateSecurityGroup&Version=2014-05-26&Format=JSON"
	own := []Operation{{Version: "2014-05-26", Action: "CreateSecurityGroup", AttemptTimeout: 40 * time.Second}}
	for name, tt := range map[string]struct {
		policy Policy
		url    string
		want   time.Duration
	}{
		"default":      {Policy{}, createURL, 10 * time.Second},
		"catalogue":    {Policy{}, url, 86 * time.Second},
		"policy":       {Policy{AttemptTimeout: time.Second}, url, time.Second},
		"of Lookup":    {Policy{AttemptTimeout: time.Second, Operations: []Operation{{Version: "2014-05-26", Action: "CreateSecurityGroup", AttemptTimeout: 86 * time.Second}}}, url, time.Second},
		"of operation": {Policy{AttemptTimeout: time.Second, Operations: own}, url, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.policy.MaxAttempts = 1
				info, _, err := play(t, tt.policy, newRequest(context.Background(), tt.url), step{hang: true})
				if err == nil || info.Attempts[0].Duration != tt.want || info.Operation.AttemptTimeout != tt.want {
					t.Errorf("an attempt took %v, %v was told: %v", info.Attempts[0].Duration, info.Operation.AttemptTimeout, err)
				}
			})
		})
	}
}
