package retrytest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
)

// result is what a call is answered with, the same each time that it is asked for.
type result struct {
	requestID string
	field, id string // empty for operations without an effect
}

// resource returns the name under which the reply to an action gives the ID of what
// was made, and the prefix of such IDs.
func resource(action string) (field, prefix string) {
	thing, creates := strings.CutPrefix(action, "Create")
	switch {
	case action == "CreateVpcEndpoint":
		thing = "Endpoint"
	case creates && thing != "":
	case action == "ExecuteScalingRule", action == "RemoveInstances", strings.HasPrefix(action, "Attach"):
		thing = "ScalingActivity"
	default:
		thing = "Resource"
	}
	prefix, known := map[string]string{
		"ScalingGroup": "asg", "ScalingConfiguration": "asc", "ScalingRule": "asr", "ScalingActivity": "asa",
		"Endpoint": "ep", "VSwitch": "vsw", "Vpc": "vpc",
	}[thing]
	if !known {
		prefix = "res"
	}
	return thing + "Id", prefix
}

// field is an element of a reply.
type field struct{ name, value string }

func (r result) render(asJSON bool, action string) (contentType string, body []byte) {
	fields := []field{{"RequestId", r.requestID}}
	if r.field != "" {
		fields = append(fields, field{r.field, r.id})
	}
	return render(asJSON, action+"Response", fields)
}

func renderError(asJSON bool, requestID, hostID, code, message string) (contentType string, body []byte) {
	return render(asJSON, "Error", []field{
		{"RequestId", requestID}, {"HostId", hostID}, {"Code", code}, {"Message", message},
	})
}

// render writes the fields as a JSON object, or as an XML document under root. Both
// keep the order of the fields.
func render(asJSON bool, root string, fields []field) (contentType string, body []byte) {
	if asJSON {
		var members []string
		for _, f := range fields {
			members = append(members, quote(f.name)+":"+quote(f.value))
		}
		return "application/json;charset=utf-8", []byte("{" + strings.Join(members, ",") + "}")
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<" + root + ">")
	for _, f := range fields {
		b.WriteString("<" + f.name + ">")
		xml.EscapeText(&b, []byte(f.value)) // a bytes.Buffer takes everything
		b.WriteString("</" + f.name + ">")
	}
	b.WriteString("</" + root + ">")
	return "text/xml;charset=utf-8", b.Bytes()
}

// quote makes a JSON string, which shows &, < and > as they are.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string always has an encoding
	return strings.TrimSuffix(b.String(), "\n")
}
