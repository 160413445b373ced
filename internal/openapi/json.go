package openapi

import (
	"bytes"
	"encoding/json"
)

// JSONMembers returns the members of a JSON object whose names are wanted, in the order
// of the body, each with the string that it holds, or "" if it holds anything else.
// Members of objects within it are not looked at. It returns nil for a body that is not
// one JSON object from end to end.
func JSONMembers(body []byte, wanted func(name string) bool) (found []Param) {
	if !json.Valid(body) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, _ := d.Token() // the body is valid
		var value any
		if d.Decode(&value) != nil {
			return nil
		}
		if name, _ := key.(string); wanted(name) {
			text, _ := value.(string)
			found = append(found, NewParam(name, text))
		}
	}
	return found
}
