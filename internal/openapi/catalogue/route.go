package catalogue

import (
	_ "embed"
	"net/http"
	"strings"
)

// routes holds the operations of the ROA style, by version and method: a line with these
// two, then a line "/path/[Parameter] Action" for each.
//
//go:embed routes.txt
var routes string

// Route returns the action of a ROA operation by its method and its path as it stands
// in the URL, and "" if there is none. HEAD is to read as GET does. Where several patterns
// fit a path, the one counts that spells it out the furthest.
func Route(version, method, path string) string {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if version == "" || method == "" || strings.ContainsAny(version, "/\n ") || strings.ContainsAny(method, "/\n ") {
		return ""
	}
	heading := "\n" + version + " " + method + "\n"
	start := strings.Index(routes, heading)
	if start < 0 {
		return ""
	}
	action, best := "", ""
	for line := range strings.SplitSeq(routes[start+len(heading):], "\n") {
		if !strings.HasPrefix(line, "/") {
			break // the next heading
		}
		pattern, name, _ := strings.Cut(line, " ")
		if matches(pattern, path) && (action == "" || further(pattern, best)) {
			action, best = name, pattern
		}
	}
	return action
}

// matches reports whether a path fits a pattern, segment by segment. "[Name]" stands for
// any text but the empty one, up to what follows it in its segment.
func matches(pattern, path string) bool {
	// Most patterns are told apart by what stands before their first parameter and after
	// their last one.
	if i := strings.IndexByte(pattern, '['); i < 0 {
		return pattern == path
	} else if !strings.HasPrefix(path, pattern[:i]) || !strings.HasSuffix(path, pattern[strings.LastIndexByte(pattern, ']')+1:]) {
		return false
	}
	for {
		p, restPattern, more := strings.Cut(pattern, "/")
		s, restPath, morePath := strings.Cut(path, "/")
		if p != s {
			suffix, ok := parameter(p)
			if !ok || len(s) <= len(suffix) || !strings.HasSuffix(s, suffix) {
				return false
			}
		}
		if !more || !morePath {
			return more == morePath
		}
		pattern, path = restPattern, restPath
	}
}

// parameter returns what follows the parameter that a segment begins with.
func parameter(segment string) (suffix string, ok bool) {
	if !strings.HasPrefix(segment, "[") {
		return "", false
	}
	_, suffix, ok = strings.Cut(segment, "]")
	return suffix, ok
}

// further reports whether a spells out a path further than b does; both fit it.
func further(a, b string) bool {
	for a != "" && b != "" {
		var p, q string
		p, a, _ = strings.Cut(a, "/")
		q, b, _ = strings.Cut(b, "/")
		if p != q {
			suffix, ok := parameter(p)
			other, okOther := parameter(q)
			return !ok || okOther && len(suffix) > len(other)
		}
	}
	return false
}
