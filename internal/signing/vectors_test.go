package signing

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// vector is a file of testdata/vectors.
type vector struct {
	req      *http.Request
	body     string
	c        Key
	at       Stamp
	sections map[string]string
}

func readVector(t *testing.T, name string) vector {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	v := vector{sections: make(map[string]string)}
	section, head := "", make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if title, found := strings.CutPrefix(line, "-- "); found && strings.HasSuffix(title, " --\n") {
			section = strings.TrimSuffix(title, " --\n")
		} else if section != "" {
			v.sections[section] += line
		} else if key, value, found := strings.Cut(line, ": "); found && !strings.HasPrefix(line, "#") {
			head[key] = strings.TrimSuffix(value, "\n")
		}
	}
	for section, text := range v.sections {
		v.sections[section] = strings.TrimSuffix(text, "\n")
	}
	v.c = Key{AccessKeyID: head["key"], AccessKeySecret: head["secret"], SecurityToken: head["security token"], BearerToken: head["bearer token"]}
	v.c.Anonymous = v.c == Key{}
	if strings.HasSuffix(v.c.AccessKeySecret, ".pem") {
		key, err := os.ReadFile(filepath.Join("testdata", v.c.AccessKeySecret))
		if err != nil {
			t.Fatal(err)
		}
		v.c.AccessKeySecret = string(key)
	}
	at, err := time.Parse(time.RFC3339, head["time"])
	if err != nil || head["nonce"] == "" {
		t.Fatalf("no stamp: %v", err)
	}
	v.at, v.body = Stamp{head["nonce"], at}, v.sections["body"]

	lines := bufio.NewScanner(strings.NewReader(v.sections["request"]))
	lines.Scan()
	method, target, _ := strings.Cut(lines.Text(), " ")
	if v.req, err = http.NewRequest(method, target, nil); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		v.req.Header[key] = []string{value}
	}
	return v
}

// stages takes the texts of the stages before the signature from a prepared request whose
// signature was written to req.
func stages(p *Prepared, v vector) (canonical, text string) {
	switch s := p.scheme.(type) {
	case *rpc:
		values := s.fill(&v.c, v.at.Nonce, v.at.Time.UTC().Format(time.RFC3339))
		text = string(s.appendText(nil, &values)[blockSize:])
		canonical, _ = url.PathUnescape(strings.TrimPrefix(text, v.req.Method+"&%2F&"))
	case *roa:
		fields := sentFields(&s.headers, v.req)
		canonical = string(s.appendTo(nil, &fields)) + s.resource
		text = string(s.appendStringToSign(nil, &fields))
	case *acs3:
		fields := sentFields(&s.headers, v.req)
		whole, _ := s.appendCanonical(nil, &fields)
		canonical, text = string(whole), string(s.appendStringToSign(nil, whole))
	}
	return canonical, text
}

// sentFields are the values of the fields as they stand in a signed request.
func sentFields(p *headers, req *http.Request) (v fieldValues) {
	for f, name := range p.names.lower {
		v[f] = folded(req.Header)[name]
	}
	return v
}

// folded returns headers with their keys in lower case.
func folded(h http.Header) map[string]string {
	out := make(map[string]string)
	for k := range maps.Keys(h) {
		out[strings.ToLower(k)] += strings.Join(h[k], "|")
	}
	return out
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) < 22 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			v := readVector(t, file)
			p, err := PrepareRequest(v.req, []byte(v.body))
			if err != nil {
				t.Fatal(err)
			}
			if style, _, _ := strings.Cut(filepath.Base(file), "-"); style != reflect.TypeOf(p.scheme).Elem().Name() {
				t.Fatalf("taken for %T", p.scheme)
			}
			// The stages belong to the prepared request, and the signature to both ways.
			once := v.req.Clone(t.Context())
			if err := Sign(once, []byte(v.body), v.c, v.at); err != nil {
				t.Fatal(err)
			}
			if err := p.Sign(v.req, v.c, v.at); err != nil {
				t.Fatal(err)
			}
			if once.URL.String() != v.req.URL.String() || !reflect.DeepEqual(once.Header, v.req.Header) {
				t.Errorf("Sign makes\n%s %v\nand a prepared request\n%s %v", once.URL, once.Header, v.req.URL, v.req.Header)
			}
			if want, found := v.sections["headers"]; found {
				checkHeaders(t, v.req, want)
				return
			}
			canonical, text := stages(&p, v)
			if want := v.sections["canonical"]; canonical != want || want == "" {
				t.Errorf("canonical form:\n%s\nwant:\n%s", canonical, want)
			}
			if want := v.sections["string to sign"]; text != want || want == "" {
				t.Errorf("string to sign:\n%s\nwant:\n%s", text, want)
			}
			if got, want := sentSignature(v.req), v.sections["signature"]; got != want || want == "" {
				t.Errorf("signature %s, want %s", got, want)
			}
		})
	}
}

// checkHeaders compares all headers of an unsigned request.
func checkHeaders(t *testing.T, req *http.Request, want string) {
	t.Helper()
	wanted := make(http.Header)
	for line := range strings.Lines(want) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		wanted[key] = []string{value}
	}
	if got, want := folded(req.Header), folded(wanted); !reflect.DeepEqual(got, want) || len(want) == 0 {
		t.Errorf("headers\n%v\nwant\n%v", got, want)
	}
}

// sentSignature returns the signature from where the request's style has it.
func sentSignature(req *http.Request) string {
	if authorization := folded(req.Header)["authorization"]; authorization != "" {
		return authorization
	}
	if signature := req.URL.Query().Get("Signature"); signature != "" {
		return signature
	}
	body, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(body))
	return form.Get("Signature")
}
