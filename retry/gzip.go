package retry

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// unpack makes a compressed reply readable, as net/http does for those that it has asked for:
// proxies compress also where nobody asked, and no SDK could read that.
func unpack(resp *http.Response, method string) {
	if method == http.MethodHead || resp.ContentLength == 0 || !isGzip(encoding(resp.Header)) ||
		resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusResetContent {
		return
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	resp.Body = &gzipBody{packed: resp.Body}
}

// gzipBody reads a body in gzip (RFC 1952), the header of which need not be there yet.
type gzipBody struct {
	packed io.ReadCloser
	plain  *gzip.Reader
	err    error
}

func (g *gzipBody) Read(p []byte) (int, error) {
	if g.plain == nil && g.err == nil {
		if g.plain, g.err = gzip.NewReader(g.packed); g.err == io.EOF {
			g.err = io.ErrUnexpectedEOF // not even a header
		}
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.plain.Read(p)
}

func (g *gzipBody) Close() error { return g.packed.Close() }

// isPacked reports whether a reply's body is encoded in a way that nobody here can read.
func isPacked(h http.Header) bool {
	return encoding(h) != ""
}

// encoding is how a body is encoded, by all lines of its header: "" if it is not. Some servers
// write a charset there, which is none.
func encoding(h http.Header) string {
	var all []string
	for part := range strings.SplitSeq(strings.ToLower(strings.Join(h["Content-Encoding"], ",")), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "identity" && !strings.HasPrefix(part, "utf") {
			all = append(all, part)
		}
	}
	return strings.Join(all, ", ")
}

// isGzip knows both names (RFC 9110, section 8.4.1.3).
func isGzip(encoding string) bool {
	return strings.EqualFold(encoding, "gzip") || strings.EqualFold(encoding, "x-gzip")
}
