package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
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

// ReadAnswer reads what a 2xx says about an error: a Code at the top that is not a word
// or number of success, and "Success" or "IsSuccess". There, ErrorCode and Error are
// data: what a workflow or task came to that the call asked for. So is a Code beside
// "Success": true.
func ReadAnswer(body []byte) Fault {
	r, _ := readFields(trim(body)) // an answer is whole, or is no answer: see IsAnswer
	f := r.fault()
	if f.Code = clip(r.code, maxCode); f.Code == "" && r.message != "" && isFailure(r.numericCode) {
		f.Code = r.numericCode
	}
	if r.accepted || isNoFault(f.Code) {
		f.Code = ""
	}
	return f
}

// isFailure reports whether a numeric code beside a message is one of failure: numbers of
// success are many (0, 1, 200, 10000), those of failure follow HTTP or are negative.
func isFailure(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && (n < 0 || 400 <= n && n < 600)
}

// isNoFault reports whether a code in a 2xx tells of no error.
func isNoFault(code string) bool {
	switch strings.ToLower(code) {
	case "ok", "success", "succeed", "succeeded", "successful":
		return true
	}
	// What domain CheckTransferInFeasibility was asked for: why a domain cannot move.
	return strings.HasPrefix(code, "CheckTransferResult.")
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
	r, err := readFields(body)
	f := r.fault()
	f.Cut = !bounded && isCut(err)
	return f
}

func readFields(body []byte) (r faultReader, err error) {
	switch {
	case len(body) == 0:
	case body[0] == '{':
		err = r.readJSON(body)
	case body[0] == '<' && !isPage(body):
		err = r.readXML(body)
	}
	return r, err
}

func isCut(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) }

// faultReader gathers the fields of an error reply as they come by.
type faultReader struct {
	code, numericCode, errorCode, message, requestID string
	refused, accepted                                bool // "Success": false, true
}

func (r *faultReader) fault() Fault {
	return Fault{
		Code:      clip(cmp.Or(r.code, r.errorCode, r.numericCode), maxCode),
		Message:   clip(r.message, maxMessage),
		RequestID: clip(r.requestID, maxCode),
		Refused:   r.refused,
	}
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
	case "success", "issuccess":
		r.refused = r.refused || strings.EqualFold(value, "false")
		r.accepted = r.accepted || strings.EqualFold(value, "true")
		return
	default:
		return
	}
	if *field == "" {
		*field = value
	}
}

// adopt takes what a nested Error says, where the top level does not say it.
func (r *faultReader) adopt(nested *faultReader) {
	r.errorCode = cmp.Or(r.errorCode, nested.code, nested.errorCode, nested.numericCode)
	r.message = cmp.Or(r.message, nested.message)
	r.requestID = cmp.Or(r.requestID, nested.requestID)
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
			r.set(name, strconv.FormatBool(v), false)
		case json.Delim:
			if top && v == '{' && strings.EqualFold(name, "error") {
				var nested faultReader
				err = nested.readObject(d, false)
				r.adopt(&nested)
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
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // "UTF8" and the like
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
			if len(path) == 2 {
				r.set(t.Name.Local, text.String(), false)
			} else if len(path) == 3 && strings.EqualFold(path[1], "error") {
				var nested faultReader
				nested.set(t.Name.Local, text.String(), false)
				r.adopt(&nested)
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

// ClipID bounds a request ID that did not come in a body.
func ClipID(id string) string { return clip(id, maxCode) }

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
