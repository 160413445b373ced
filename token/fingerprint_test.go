package token

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// params reads "A=1,B=2".
func params(text string) (list []Param) {
	for part := range strings.SplitSeq(text, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			list = append(list, Param{name, value})
		}
	}
	return list
}

func TestFingerprintDiffer(t *testing.T) {
	tests := []struct{ name, first, later, want string }{
		{"none", "", "", ""},
		{"the same", "A=1,B=2", "A=1,B=2", ""},
		{"another order of names", "A=1,B=2,C=3", "C=3,A=1,B=2", ""},
		{"another value", "A=1,B=2", "A=1,B=3", "B"},
		{"an empty value", "A=1", "A=", "A"},
		{"an empty value is not none", "A=", "", "A"},
		{"none is not an empty value", "", "A=", "A"},
		{"an empty name", "=1", "=2", ""}, // and its name is said to be empty
		{"values of two names swapped", "A=1,B=2", "A=2,B=1", "A B"},
		{"added and missing, in order", "C=1,A=1", "B=1,A=1", "B C"},
		{"upper and lower case", "A=x,a=1", "A=X,a=1", "A"},
		{"name and value run together", "AB=C", "A=BC", "A AB"},

		{"several values", "A=1,A=2", "A=1,A=2", ""},
		{"several values, others between", "A=1,B=0,A=2", "A=1,A=2,B=0", ""},
		{"several values in another order", "A=1,A=2", "A=2,A=1", "A"},
		{"several values that run together", "A=ab,A=c", "A=a,A=bc", "A"},
		{"several values in one", "A=a,A=b", "A=ab", "A"},
		{"one value less", "A=1,A=1", "A=1", "A"},
		{"an empty one more", "A=1", "A=1,A=", "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, later := params(tt.first), params(tt.later)
			before := slices.Clone(later)
			taken := newFingerprint(first)
			got := taken.differ(later)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("differ in %q, want %q", got, tt.want)
			}
			if tt.name == "an empty name" && len(got) != 1 {
				t.Errorf("differ in %q, want one", got)
			}
			if !slices.Equal(later, before) {
				t.Error("the parameters were put into another order for their owner")
			}
		})
	}
}

// What is stored tells nothing of two keys whose calls are the same, and holds no value.
func TestFingerprintIsSalted(t *testing.T) {
	call := params("Password=correct-horse,Name=web")
	a, b := newFingerprint(call), newFingerprint(call)
	if len(a.Salt) < 16 || slices.Equal(a.Salt, b.Salt) {
		t.Errorf("salts %x and %x", a.Salt, b.Salt)
	}
	for name, mac := range a.MACs {
		if mac == b.MACs[name] {
			t.Errorf("%s has the same MAC twice", name)
		}
	}
	if same := newFingerprint(params("A=1,B=1")); same.MACs["A"] == same.MACs["B"] {
		t.Error("two names with one value have one MAC")
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{string(text), fmt.Sprintf("%+v", a)} {
		if strings.Contains(shown, "horse") || strings.Contains(shown, "web") {
			t.Errorf("a value is shown: %s", shown)
		}
	}

	// As text it is what it was.
	var back Fingerprint
	if err := json.Unmarshal(text, &back); err != nil || len(back.differ(call)) > 0 {
		t.Errorf("read back: %v, differ in %q", err, back.differ(call))
	}
}

// MACs are stored, and read by later releases: these are pinned, computed with Python's hmac.
func TestFingerprintVectors(t *testing.T) {
	got := macs([]byte("0123456789abcdef"), params("Name=web-prod,Zone=a,Zone=b,Empty="))
	want := map[string]string{"Empty": "uzTyMdwA+CRYyMB+sRE9Cw", "Name": "S9Mq+LcCeVy9bu2qUgQ0Uw", "Zone": "7JsAaS7bSqfalk/ENc9ZPQ"}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A call differs in exactly the names whose values, in their order, are not the same.
func FuzzFingerprint(f *testing.F) {
	f.Add("A=1,B=2", "B=2,A=1")
	f.Add("A=ab,A=c", "A=a,A=bc")
	f.Add("A=1,A=,=", "=,A=1")
	f.Fuzz(func(t *testing.T, one, two string) {
		first, later := params(one), params(two)
		values := func(list []Param) map[string][]string {
			m := make(map[string][]string)
			for _, p := range list {
				m[p.Name] = append(m[p.Name], p.Value)
			}
			return m
		}
		was, is := values(first), values(later)
		names := make(map[string]bool)
		for name := range was {
			names[name] = !slices.Equal(was[name], is[name])
		}
		for name := range is {
			names[name] = was[name] == nil || !slices.Equal(was[name], is[name])
		}
		maps.DeleteFunc(names, func(_ string, differs bool) bool { return !differs })
		want := slices.Sorted(maps.Keys(names))

		taken := newFingerprint(first)
		if got := taken.differ(later); !slices.Equal(got, want) {
			t.Errorf("%q and %q differ in %q, want %q", one, two, got, want)
		}
		if back := newFingerprint(later).differ(first); !slices.Equal(back, want) {
			t.Errorf("%q and %q differ in %q, want %q", two, one, back, want)
		}
		slices.SortStableFunc(first, func(a, b Param) int { return strings.Compare(b.Name, a.Name) })
		if got := taken.differ(first); len(got) > 0 {
			t.Errorf("%q in another order of names differs in %q", one, got)
		}
	})
}
