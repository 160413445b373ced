package openapi

import (
	"bytes"
	"encoding/json"
	"strings"
)

// IsAnswer reports whether a whole body is an answer in the reply format asked for:
// "JSON", "XML", or "" where the request leaves it to the server and both will do. A web
// page is never one, and of any other format every other text is.
func IsAnswer(format string, body []byte) bool {
	body = trim(body)
	switch format {
	case "JSON":
		return isJSON(body)
	case "XML":
		return isXML(body)
	case "":
		return isJSON(body) || isXML(body)
	}
	return len(body) > 0 && !isPage(body)
}

// An answer is an object, or a list; a bare null or word comes from somewhere else.
func isJSON(body []byte) bool {
	return len(body) > 0 && (body[0] == '{' || body[0] == '[') && json.Valid(body)
}

func isXML(body []byte) bool {
	return len(body) > 0 && !isPage(body) && new(faultReader).readXML(body) == nil
}

// IsHTML reports whether a reply is a web page, by what its Content-Type says or by what
// it holds.
func IsHTML(contentType string, body []byte) bool {
	return HasPrefixFold(contentType, "text/html") || isPage(trim(body))
}

// MayBeFault reports, much faster than ReadFault, whether a body could hold an error
// code or a "Success": false at all. Answers that could not need no closer look.
func MayBeFault(body []byte) bool {
	return names(body, '"', '"') || names(body, '<', '>')
}

// names reports whether one of the names that tell of a fault stands between two marks.
func names(body []byte, before, behind byte) bool {
	for {
		i := bytes.IndexByte(body, before)
		if i < 0 {
			return false
		}
		body = body[i+1:]
		if len(body) == 0 || strings.IndexByte("CcSsIi", body[0]) < 0 {
			continue
		}
		for _, name := range [...]string{"Code", "code", "CODE", "Success", "success", "SUCCESS", "IsSuccess", "isSuccess"} {
			if n := len(name); len(body) > n && body[n] == behind && string(body[:n]) == name {
				return true
			}
		}
	}
}

func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}

// isPage reports whether a body is a web page or a piece of one: a gateway's error, a
// login page. Its first element tells, of whatever comes before: the APIs' own have
// names in upper case, or an XML declaration ahead of them.
func isPage(body []byte) bool {
	declared := false
	for len(body) > 0 && body[0] == '<' {
		end := []byte(">")
		switch {
		case bytes.HasPrefix(body, []byte("<?xml")):
			declared = true
		case bytes.HasPrefix(body, []byte("<!--")):
			end = []byte("-->")
		case len(body) > 1 && (body[1] == '!' || body[1] == '?'):
			if HasPrefixFold(string(body[:min(len(body), 14)]), "<!doctype html") {
				return true
			}
		default:
			name := string(body[1:min(len(body), 6)])
			return HasPrefixFold(name, "html") || !declared && len(name) > 0 && 'a' <= name[0] && name[0] <= 'z'
		}
		_, rest, _ := bytes.Cut(body, end)
		body = bytes.TrimSpace(rest)
	}
	return false
}
