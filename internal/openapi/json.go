package openapi

import (
	"bytes"
	"encoding/json"
)

// JSONStrings returns the members of a JSON object that have one of the names and hold a
// string, in the order of the body. Members of objects within it are not looked at. It
// returns nil for a body that is no JSON object, as far as it can be read.
func JSONStrings(body []byte, names ...string) (found []Param) {
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return found
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return found
		}
		for _, name := range names {
			var text string
			if key == name && json.Unmarshal(value, &text) == nil && value[0] == '"' {
				found = append(found, Param{Name: name, Value: text})
			}
		}
	}
	return found
}
