package openapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxFault is how much of an error reply is read for its code and message, in bytes.
// Real ones have less than 2 KiB; what lies behind the bound is ignored.
const MaxFault = 64 << 10

// Bounds of what is kept of an error reply, in bytes.
const (
	maxCode    = 128
	maxMessage = 1024
)

// Fault is what a reply says about an error.
type Fault struct {
	Code      string // "" where the reply has none
	Message   string
	RequestID string
	Refused   bool // it says "Success": false
	Cut       bool // it begins as JSON or XML and ends before its end
}

// ReadFault reads an error reply in JSON or XML: keys in any case, the fields at the
// top or in a nested Error, codes as strings or numbers. Of anything else, such as a
// gateway's HTML page, it makes an empty Fault. It looks at the first [MaxFault]
// bytes and keeps what it has understood when the body breaks off.
func ReadFault(body []byte) Fault {
	body = trim(body)
	bounded := len(body) > MaxFault
	if bounded {
		body = body[:MaxFault]
	}
	var r faultReader
	var err error
	switch {
	case len(body) == 0:
	case body[0] == '{':
		err = r.readJSON(body)
	case body[0] == '<' && !looksHTML(body):
		err = r.readXML(body)
	}
	f := r.fault()
	f.Cut = !bounded && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF))
	return f
}

// IsAnswer reports whether a whole body is an answer in the reply format asked for,
// "JSON" or "XML". An HTML page is never one, and of an unknown format every other
// text is.
func IsAnswer(format string, body []byte) bool {
	body = trim(body)
	switch format {
	case "JSON":
		return json.Valid(body)
	case "XML":
		return len(body) > 0 && !looksHTML(body) && new(faultReader).readXML(body) == nil
	}
	return len(body) > 0 && !looksHTML(body)
}

// IsHTML reports whether a reply is a web page, by what its Content-Type says or by what
// it holds.
func IsHTML(contentType string, body []byte) bool {
	return hasPrefixFold(contentType, "text/html") || looksHTML(trim(body))
}

// MayBeFault reports, much faster than ReadFault, whether a body could hold an error
// code or a "Success": false at all. Answers that could not need no closer look.
func MayBeFault(body []byte) bool {
	for _, key := range [...]string{"ode\"", "ODE\"", "uccess\"", "UCCESS\"", "ode>", "ODE>", "uccess>", "UCCESS>"} {
		if bytes.Contains(body, []byte(key)) {
			return true
		}
	}
	return false
}

func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}

// looksHTML reports whether a body is a web page: a gateway's error, a login page.
func looksHTML(body []byte) bool {
	head := bytes.ToLower(body[:min(len(body), 1024)])
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.Contains(head, []byte("<html"))
}

// faultReader gathers the fields of an error reply as they come by.
type faultReader struct {
	code, numericCode, errorCode, message, requestID string
	refused                                          bool
}

func (r *faultReader) fault() Fault {
	f := Fault{
		Code:      clip(firstOf(r.code, r.errorCode, r.numericCode), maxCode),
		Message:   clip(r.message, maxMessage),
		RequestID: clip(r.requestID, maxCode),
		Refused:   r.refused,
	}
	return f
}

// set takes one field. The first value of each name stays: the fields of the top
// level come before nested ones in every documented form.
func (r *faultReader) set(name, value string, numeric bool) {
	value = strings.TrimSpace(value)
	var field *string
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "code":
		field = &r.code
		if numeric || strings.Trim(value, "0123456789") == "" {
			field = &r.numericCode
		}
	case "errorcode", "errcode":
		field = &r.errorCode
	case "message", "errormessage", "errmessage", "errormsg", "errmsg", "msg":
		field = &r.message
	case "requestid":
		field = &r.requestID
	case "success":
		r.refused = r.refused || strings.EqualFold(value, "false")
		return
	default:
		return
	}
	if *field == "" {
		*field = value
	}
}

// readJSON walks the tokens, so that a body which breaks off has still said what
// came before, and nothing nests deeper than two levels.
func (r *faultReader) readJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // the opening brace
		return err
	}
	return r.readObject(d, true)
}

func (r *faultReader) readObject(d *json.Decoder, top bool) error {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return errors.New("object key is no string")
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		switch v := value.(type) {
		case string:
			if top && strings.EqualFold(name, "error") {
				name = "message" // {"error": "some text"}
			}
			r.set(name, v, false)
		case json.Number:
			r.set(name, v.String(), true)
		case bool:
			if !v {
				r.set(name, "false", false)
			}
		case json.Delim:
			if top && v == '{' && strings.EqualFold(name, "error") {
				err = r.readObject(d, false)
			} else {
				err = skip(d)
			}
			if err != nil {
				return err
			}
		}
	}
	_, err := d.Token() // the closing brace
	return err
}

// skip passes over the rest of an object or array whose opening was just read.
func skip(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// readXML reads <Error><Code/><Message/></Error>, also one level deeper in an element
// named Error. It returns nil if the document is well-formed.
func (r *faultReader) readXML(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	var text strings.Builder
	root := false
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) && len(path) == 0 && root {
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			root = true
			text.Reset()
		case xml.CharData:
			if text.Len() <= maxMessage {
				text.Write(t)
			}
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name.Local {
				return errors.New("end tag does not match")
			}
			if len(path) == 2 || len(path) == 3 && strings.EqualFold(path[1], "error") {
				r.set(t.Name.Local, text.String(), false)
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
}

// unexpected gives encoding/xml's word for a document that breaks off the form that
// io and encoding/json have for it.
func unexpected(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) && syntax.Msg == "unexpected EOF" {
		return io.ErrUnexpectedEOF
	}
	return err
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// clip bounds s to n bytes, at the end of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
