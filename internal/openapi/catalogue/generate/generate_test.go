package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

const service = `package cs
type CreateThingRequest struct {
	*requests.RpcRequest
	Name  string           ` + "`position:\"Query\" name:\"Name\"`" + `
	Token string           ` + "`position:\"PLACE\" name:\"NAME\"`" + `
	DryRun requests.Boolean ` + "`position:\"Query\" name:\"DryRun\"`" + `
}
func CreateCreateThingRequest() (request *CreateThingRequest) {
	request.InitWithApiInfo(ARGS)
	request.Method = requests.POST
	return
}`

// The reader takes what it knows, and stops at whatever the SDK has never had.
func TestReadFile(t *testing.T) {
	const rpc, roa = `"P", "1", "A", "", ""`, `"P", "1", "A", "/p/[X]", "", ""`
	tests := map[string]struct {
		place, name, args string
		want              operation
		err               string
	}{
		"RPC, query":           {"Query", "ClientToken", rpc, operation{token: catalogue.TokenInQuery}, ""},
		"RPC, form":            {"Body", "ClientToken", rpc, operation{token: catalogue.TokenInForm}, ""},
		"RPC, none":            {"Query", "Other", rpc, operation{token: catalogue.NoToken}, ""},
		"ROA, query":           {"Query", "ClientToken", roa, operation{token: catalogue.TokenInQuery, roa: true, path: "/p/[X]"}, ""},
		"ROA, in lower case":   {"Query", "clientToken", roa, operation{token: catalogue.LowerTokenQuery, roa: true, path: "/p/[X]"}, ""},
		"RPC, in lower case":   {"Query", "clientToken", rpc, operation{}, "which is new"},
		"ROA, body":            {"Body", "ClientToken", roa, operation{}, "which is new"},
		"a header":             {"Header", "ClientToken", rpc, operation{}, "which is new"},
		"too few arguments":    {"Query", "Other", `"P", "1"`, operation{}, "2 arguments"},
		"an argument computed": {"Query", "Other", `"P", version, "A", "", ""`, operation{}, "no literal"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src := strings.NewReplacer("PLACE", tt.place, "NAME", tt.name, "ARGS", tt.args).Replace(service)
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
			if err != nil {
				t.Fatal(err)
			}
			found, err := readFile(file)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %s", err, tt.err)
				}
				return
			}
			tt.want.product, tt.want.version, tt.want.action, tt.want.method, tt.want.dryRun = "P", "1", "A", "POST", catalogue.UpperDryRun
			if tt.want.roa {
				tt.want.dryRun = catalogue.NoDryRun // in the query it is spelt dryRun
			}
			if err != nil || len(found) != 1 || *found[0] != tt.want {
				t.Errorf("%+v, %v; want %+v", found, err, tt.want)
			}
		})
	}
}

// Of two copies of an operation the richer counts; copies that disagree are an error.
func TestMerge(t *testing.T) {
	all := make(map[string]*operation)
	old := operation{product: "P", version: "1", action: "A", token: catalogue.NoToken}
	rich := operation{product: "P", version: "1", action: "A", method: "POST", token: catalogue.TokenInQuery, dryRun: catalogue.UpperDryRun}
	for _, o := range []operation{old, rich, old} {
		if err := merge(all, &o); err != nil {
			t.Fatal(err)
		}
	}
	if got := all["P 1 A"]; *got != rich {
		t.Errorf("%+v", got)
	}
	for _, change := range []func(*operation){
		func(o *operation) { o.token = catalogue.TokenInForm },
		func(o *operation) { o.roa = true },
		func(o *operation) { o.path = "/x" },
	} {
		o := rich
		if change(&o); merge(all, &o) == nil {
			t.Errorf("%+v was merged", o)
		}
	}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		o        operation
		excepted bool
		want     catalogue.Safety // SafetyUnknown: an error
	}{
		{operation{action: "GetThing"}, false, catalogue.ReadOnly},
		{operation{action: "GetThing"}, true, catalogue.Unsafe},
		{operation{action: "Getaway"}, false, catalogue.Unsafe},
		{operation{action: "CreateThing"}, false, catalogue.Unsafe},
		{operation{action: "CreateThing"}, true, catalogue.SafetyUnknown},
		{operation{action: "UpdateThing", method: "PUT"}, false, catalogue.Unsafe},
		{operation{action: "GetThing", roa: true, method: "GET"}, false, catalogue.ReadOnly},
		{operation{action: "GetThing", roa: true, method: "POST"}, false, catalogue.Unsafe},
		{operation{action: "RunThing", roa: true, method: "GET"}, false, catalogue.Unsafe},
		{operation{action: "UpdateThing", roa: true, method: "PUT"}, false, catalogue.ReplaySafe},
		{operation{action: "UpdateThing", roa: true, method: "PUT"}, true, catalogue.Unsafe},
		{operation{action: "UpdateThing", roa: true, method: "POST"}, false, catalogue.Unsafe},
		{operation{action: "DeleteThing", roa: true, method: "DELETE"}, false, catalogue.ReplaySafe},
		{operation{action: "StartThing", roa: true, method: "PUT"}, false, catalogue.Unsafe},
	}
	for _, tt := range tests {
		exceptions := map[string]bool{}
		if tt.excepted {
			exceptions[tt.o.String()] = true
		}
		o := tt.o
		if err := judge([]*operation{&o}, exceptions); (err != nil) != (tt.want == catalogue.SafetyUnknown) || err == nil && o.safety != tt.want {
			t.Errorf("%+v: %v, %v; want %v", tt, o.safety, err, tt.want)
		}
	}
	if judge(nil, map[string]bool{"P 1 Gone": true}) == nil {
		t.Error("an exception of no operation is taken")
	}
}

func TestReadExceptions(t *testing.T) {
	if committed, err := readExceptions("../exceptions.tsv"); err != nil || len(committed) != 344 {
		t.Errorf("%d exceptions, %v", len(committed), err)
	}
	for content, fine := range map[string]bool{
		"# a comment\nP\t1\tA\tsends\tA mail\n":        true,
		"P\t1\tA\tsends\n":                             false,
		"P\t1\tA\tsends\t\n":                           false,
		"P\t1\tA\tsends\tx\nP\t1\tA\tcreates\tagain\n": false,
	} {
		name := filepath.Join(t.TempDir(), "exceptions.tsv")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readExceptions(name); (err == nil) != fine || fine && !got["P 1 A"] {
			t.Errorf("%q: %v, %v", content, got, err)
		}
	}
}
