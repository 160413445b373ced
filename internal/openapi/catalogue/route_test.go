package catalogue

import (
	"strings"
	"testing"

	"github.com/aliretry/aliretry/internal/openapi/catalogue/fulllist"
)

// Every ROA operation is found by its method and a path that its pattern stands for.
func TestRouteFindsEveryOperation(t *testing.T) {
	n := 0
	for _, o := range fulllist.All() {
		if o.Style != "ROA" {
			continue
		}
		n++
		path := o.Path
		for strings.Contains(path, "[") {
			before, rest, _ := strings.Cut(path, "[")
			_, after, _ := strings.Cut(rest, "]")
			path = before + "x-%2F1" + after
		}
		if action := Route(o.Version, o.Method, path); action != o.Action {
			t.Errorf("%s %s %s is %q, want %s", o.Version, o.Method, path, action, o.Action)
		}
	}
	if n != 1481 {
		t.Errorf("%d operations of the ROA style", n)
	}
}

func TestRoute(t *testing.T) {
	tests := []struct{ version, method, path, want string }{
		{"2015-12-15", "POST", "/clusters", "CreateCluster"},
		{"2015-12-15", "GET", "/clusters/c1/nodes", "DescribeClusterNodes"},
		{"2015-12-15", "HEAD", "/clusters/c1/nodes", "DescribeClusterNodes"},
		{"2015-12-15", "GET", "/clusters/c1/nodes/", ""},
		{"2015-12-15", "GET", "/clusters//nodes", ""},
		{"2015-12-15", "PATCH", "/clusters", ""},
		{"2015-12-16", "POST", "/clusters", ""},
		{"", "POST", "/clusters", ""},
		{"2015-12-15\nGET", "/clusters", "x", ""},
		{"2015-12-15", "POST /clusters", "", ""},
		{"# ROA", "operations", "of", ""},
		{"2015-12-15", "POST", "", ""},
		{"2015-12-15", "", "/clusters", ""},
		{"2015-12-15", "PO", "ST /clusters", ""},
		// Both a literal and a parameter fit; the literal counts.
		{"2020-05-01", "GET", "/pop/workspaces/w/catalog/v1beta2/namespaces/n/catalogs/c:getTable", "GetTable"},
	}
	for _, tt := range tests {
		if got := Route(tt.version, tt.method, tt.path); got != tt.want {
			t.Errorf("%q %q %q is %q, want %q", tt.version, tt.method, tt.path, got, tt.want)
		}
	}
}

func TestFurther(t *testing.T) {
	ranked := []string{"/a/b/c", "/a/b/[C]", "/a/[B]:verb/c", "/a/[B]/c", "/a/[B]/[C]"}
	for i, a := range ranked {
		for j, b := range ranked {
			if further(a, b) != (i < j) {
				t.Errorf("%s before %s: %v", a, b, further(a, b))
			}
		}
	}
}

func TestHasVerb(t *testing.T) {
	for name, want := range map[string]bool{"List": true, "ListTags": true, "List400Order": true, "Listen": false, "list": false, "DoList": false} {
		if HasVerb(name, "List") != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if IsRead("GetFoo") || !IsRead("DescribeFoo") || !IsRead("ListFoo") {
		t.Error("an unknown operation reads by Describe and List, and by nothing else")
	}
}

func BenchmarkRoute(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Route("2017-06-13", "POST", "/openapi/instances/es-1/actions/restart")
	}
}
