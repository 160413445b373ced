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
	DryRun requests.Boolean ` + "`position:\"DRYPLACE\" name:\"DRYNAME\"`" + `
}
func CreateCreateThingRequest() (request *CreateThingRequest) {
	request.InitWithApiInfo(ARGS)
	request.Method = METHOD
	return
}`

// The reader takes what it knows, and stops at whatever the SDK has never had.
func TestReadFile(t *testing.T) {
	const rpc, roa = `"P", "1", "A", "", ""`, `"P", "1", "A", "/p/[X]", "", ""`
	tests := map[string]struct {
		token, dryRun string // place and name
		args, method  string
		want          operation
		err           string
	}{
		"RPC, query":           {"Query ClientToken", "Query DryRun", rpc, "requests.POST", operation{token: catalogue.TokenInQuery, method: "POST", dryRun: catalogue.UpperDryRun}, ""},
		"RPC, form":            {"Body ClientToken", "Body DryRun", rpc, "requests.GET", operation{token: catalogue.TokenInForm, method: "GET", dryRun: catalogue.UpperDryRun}, ""},
		"RPC, none":            {"Query Other", "Query Dryrun", rpc, "requests.POST", operation{token: catalogue.NoToken, method: "POST"}, ""},
		"ROA, query":           {"Query ClientToken", "Body DryRun", roa, "requests.PUT", operation{token: catalogue.TokenInQuery, roa: true, path: "/p/[X]", method: "PUT", dryRun: catalogue.UpperDryRun}, ""},
		"ROA, in lower case":   {"Query clientToken", "Query dryRun", roa, "requests.POST", operation{token: catalogue.LowerTokenQuery, roa: true, path: "/p/[X]", method: "POST", dryRun: catalogue.LowerDryRun}, ""},
		"RPC, in lower case":   {"Query clientToken", "Query DryRun", rpc, "requests.POST", operation{}, "which is new"},
		"ROA, body":            {"Body ClientToken", "Query dryRun", roa, "requests.POST", operation{}, "which is new"},
		"a header":             {"Header ClientToken", "Query DryRun", rpc, "requests.POST", operation{}, "which is new"},
		"a dry run elsewhere":  {"Query Other", "Query DryRun", roa, "requests.POST", operation{}, "which is new"},
		"a dry run, misspelt":  {"Query Other", "Query dryRun", rpc, "requests.POST", operation{}, "which is new"},
		"too few arguments":    {"Query Other", "Query DryRun", `"P", "1"`, "requests.POST", operation{}, "2 arguments"},
		"an argument computed": {"Query Other", "Query DryRun", `"P", version, "A", "", ""`, "requests.POST", operation{}, "no literal"},
		"a method as text":     {"Query Other", "Query DryRun", rpc, `"POST"`, operation{}, "which is new"},
		"another method":       {"Query Other", "Query DryRun", rpc, "requests.TRACE", operation{}, "which is new"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			place, tokenName, _ := strings.Cut(tt.token, " ")
			dryPlace, dryName, _ := strings.Cut(tt.dryRun, " ")
			src := strings.NewReplacer("DRYPLACE", dryPlace, "DRYNAME", dryName, "PLACE", place, "NAME", tokenName, "ARGS", tt.args, "METHOD", tt.method).Replace(service)
			found, err := readText(t, src)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %s", err, tt.err)
				}
				return
			}
			tt.want.product, tt.want.version, tt.want.action = "P", "1", "A"
			if err != nil || len(found) != 1 || *found[0] != tt.want {
				t.Errorf("%+v, %v; want %+v", found, err, tt.want)
			}
		})
	}
}

func readText(t *testing.T, src string) ([]*operation, error) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	return readFile(file)
}

// A function of another shape is no reason to go on without its operation.
func TestReadFileOtherShapes(t *testing.T) {
	const call = "{ request.InitWithApiInfo(`P`, `1`, `A`, ``, ``) }"
	for _, f := range []string{"func f() " + call, "func f() int " + call, "func f() *Elsewhere " + call} {
		if found, err := readText(t, "package p\n"+f); err == nil {
			t.Errorf("%s: %v", f, found)
		}
	}
	if found, err := readText(t, "package p\nfunc f() {}\nfunc g()"); err != nil || found != nil {
		t.Errorf("%v, %v", found, err)
	}
}

func TestAddTimeouts(t *testing.T) {
	for text, want := range map[string]int{`{"ecs": {"A": 16}}`: 16, `{"other": {"A": 16}}`: 0, `{}`: -1, `{"ecs"`: -1} {
		name := filepath.Join(t.TempDir(), "timeout.go")
		if err := os.WriteFile(name, []byte("package sdk\nvar apiTimeouts = `"+text+"`\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := operation{product: "Ecs", action: "A"}
		if err := addTimeouts([]*operation{&o}, name); (err != nil) != (want < 0) || err == nil && o.timeout != want {
			t.Errorf("%s: %d, %v", text, o.timeout, err)
		}
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
		func(o *operation) { o.method = "PUT" },
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
		{operation{action: "GetThing", roa: true, method: "HEAD"}, false, catalogue.ReadOnly},
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
