package openapi

import (
	"slices"
	"testing"
)

func TestJSONMembers(t *testing.T) {
	wanted := func(name string) bool { return name == "T" || name == "t" }
	tests := map[string][]string{ // name=value
		`{"T":"a"}`:                     {"T=a"},
		` {"x":1,"t":"b","T":"a"} `:     {"t=b", "T=a"},
		`{"T":"a","T":"b"}`:             {"T=a", "T=b"},
		`{"T":""}`:                      {"T="},
		`{"T":7}`:                       {"T="},
		`{"T":null}`:                    {"T="},
		`{"T":{"t":"inner"}}`:           {"T="},
		`{"x":{"T":"inner"},"y":["T"]}`: nil,
		`{"\u0054":"a"}`:                {"T=a"},
		`{"T":"a"} x`:                   nil,
		`{"T":"a","x":`:                 nil,
		`["T","a"]`:                     nil,
		`"T"`:                           nil,
		``:                              nil,
		"\ufeff" + `{"T":"a"}`:          nil,
		`{"T":"a"}{"T":"b"}`:            nil,
		`{"T":"\u0061\ud83d\ude00"}`:    {"T=a😀"},
	}
	for body, want := range tests {
		var got []string
		for _, p := range JSONMembers([]byte(body), wanted) {
			got = append(got, p.Name()+"="+p.Value())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
