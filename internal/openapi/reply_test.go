package openapi

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadFault(t *testing.T) {
	long := strings.Repeat("语", 2000)
	tests := []struct {
		name, body string
		want       Fault
	}{
		{"JSON", `{"RequestId":"R1","HostId":"h","Code":"InternalError","Message":"oops"}`,
			Fault{Code: "InternalError", Message: "oops", RequestID: "R1"}},
		{"lower-case keys", `{"requestId":"R1","code":"Busy","message":"later"}`,
			Fault{Code: "Busy", Message: "later", RequestID: "R1"}},
		{"snake-case and short keys", `{"request_id":"R1","err_code":"Busy","errMsg":"later"}`,
			Fault{Code: "Busy", Message: "later", RequestID: "R1"}},
		{"nested Error", `{"Error":{"Code":"Busy","Message":"later"},"RequestId":"R1"}`,
			Fault{Code: "Busy", Message: "later", RequestID: "R1"}},
		{"numeric code", `{"code":500,"message":"x"}`, Fault{Code: "500", Message: "x"}},
		{"numeric code beside a named one", `{"code":403,"errorCode":"Forbidden"}`, Fault{Code: "Forbidden"}},
		{"number as string beside a named one", `{"Code":"403","ErrorCode":"Forbidden"}`, Fault{Code: "Forbidden"}},
		{"error as text", `{"error":"boom"}`, Fault{Message: "boom"}},
		{"codes of other things are not ours", `{"Data":{"Code":"X"},"Items":[{"Code":"Y"}],"RequestId":"R"}`, Fault{RequestID: "R"}},
		{"odd types", `{"Code":null,"Message":["x"],"RequestId":{"a":1}}`, Fault{}},
		{"refused with 200", `{"Success":false,"Code":"Biz.Failed"}`, Fault{Code: "Biz.Failed", Refused: true}},
		{"refused as text", `{"success":"false"}`, Fault{Refused: true}},
		{"not refused", `{"Success":true,"Code":"OK"}`, Fault{Code: "OK"}},
		{"byte order mark and space", "\ufeff \r\n{\"Code\":\"X\"}", Fault{Code: "X"}},
		{"XML", `<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>R1</RequestId><Code>X</Code><Message>a &lt; b</Message></Error>`,
			Fault{Code: "X", Message: "a < b", RequestID: "R1"}},
		{"XML with nested Error", `<ErrorResponse><RequestId>R1</RequestId><Error><Code>X</Code><Message>m</Message></Error></ErrorResponse>`,
			Fault{Code: "X", Message: "m", RequestID: "R1"}},
		{"XML codes of other things are not ours", `<R><Items><Item><Code>Y</Code></Item></Items><Data><Code>X</Code></Data></R>`, Fault{}},
		{"empty", "", Fault{}},
		{"space", " \n", Fault{}},
		{"HTML", "<!DOCTYPE html><html><body><Code>X</Code></body></html>", Fault{}},
		{"HTML after a comment", "<!-- c --><HTML><Code>X</Code></HTML>", Fault{}},
		{"text", "upstream connect error", Fault{}},
		{"array", `[{"Code":"X"}]`, Fault{}},
		{"JSON cut off in a string", `{"Code":"X","Message":"he`, Fault{Code: "X", Cut: true}},
		{"JSON cut off after a comma", `{"Code":"X",`, Fault{Code: "X", Cut: true}},
		{"JSON cut off in nesting", `{"Error":{"Code":"X"`, Fault{Code: "X", Cut: true}},
		{"malformed is not cut off", `{"Code":"X","Message":"say "hi""}`, Fault{Code: "X", Message: "say"}},
		{"XML cut off", `<Error><Code>X</Code><Mess`, Fault{Code: "X", Cut: true}},
		{"XML cut off between tags", `<Error><Code>X</Code>`, Fault{Code: "X", Cut: true}},
		{"XML with a wrong end tag", `<Error><Code>X</Code></Err>`, Fault{Code: "X"}},
		{"bounded message", `{"Code":"X","Message":"` + long + `"}`, Fault{Code: "X", Message: clip(long, maxMessage)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ReadFault([]byte(tt.body)); got != tt.want {
				t.Errorf("ReadFault = %+v\nwant        %+v", got, tt.want)
			}
		})
	}
}

// In a 2xx, only what the API says about the call itself counts.
func TestReadAnswer(t *testing.T) {
	tests := []struct {
		name, body string
		want       Fault
	}{
		{"a code at the top", `{"Code":"Throttling","Message":"m"}`, Fault{Code: "Throttling", Message: "m"}},
		{"in XML", `<R><Code>Throttling</Code></R>`, Fault{Code: "Throttling"}},
		{"what a workflow failed with", `{"Name":"e-1","Status":"Failed","ErrorCode":"FC.ResourceThrottled"}`, Fault{}},
		{"what a task failed with", `{"error":{"code":"Throttling"},"OrderId":"1"}`, Fault{}},
		{"the same in XML", `<R><Error><Code>Throttling</Code></Error></R>`, Fault{}},
		{"a code beside success", `{"Success":true,"Code":"SystemBusy"}`, Fault{}},
		{"refused", `{"Success":false,"Code":"Biz"}`, Fault{Code: "Biz", Refused: true}},
		{"a word of success", `{"Code":"OK","Message":"OK"}`, Fault{Message: "OK"}},
		{"a numeric code", `{"code":200}`, Fault{}},
		{"a number of success", `{"Code":"10000","Message":"ok"}`, Fault{Message: "ok"}},
		{"a number of failure", `{"Code":"401","Message":"no"}`, Fault{Code: "401", Message: "no"}},
		{"a negative one", `{"Code":-1,"Msg":"no"}`, Fault{Code: "-1", Message: "no"}},
		{"a number that tells nothing more", `{"Code":500}`, Fault{}},
		{"refused in the registry's words", `{"IsSuccess":false,"Code":"INSTANCE_NOT_EXIST"}`, Fault{Code: "INSTANCE_NOT_EXIST", Refused: true}},
		{"accepted in them", `{"IsSuccess":true,"Code":"INSTANCE_NOT_EXIST"}`, Fault{}},
		{"what was asked for", `{"CanTransfer":false,"Code":"CheckTransferResult.DomainTransferProhibited","Message":"m"}`, Fault{Message: "m"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ReadAnswer([]byte(tt.body)); got != tt.want {
				t.Errorf("ReadAnswer = %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What lies behind the bound is not read, and a body over the bound is not cut off.
func TestReadFaultBound(t *testing.T) {
	body := `{"Pad":"` + strings.Repeat("x", MaxFault) + `","Code":"X"}`
	if got := ReadFault([]byte(body)); got != (Fault{}) {
		t.Errorf("ReadFault = %+v, want nothing", got)
	}
}

func TestIsAnswer(t *testing.T) {
	tests := []struct {
		format, body string
		want         bool
	}{
		{"JSON", `{"RequestId":"R"}`, true},
		{"JSON", `[]`, true},
		{"JSON", `null`, false},
		{"JSON", `"x"`, false},
		{"JSON", "", false},
		{"JSON", `{"RequestId":"R`, false},
		{"JSON", `<R><RequestId>R</RequestId></R>`, false},
		{"JSON", "<html></html>", false},
		{"XML", `<R><RequestId>R</RequestId></R>`, true},
		{"XML", `<R><RequestId>R</Requ`, false},
		{"XML", `<R/><!-- c -->`, true},
		{"XML", `<?xml version="1.0" encoding="UTF8"?><R><D><![CDATA[<html>]]></D></R>`, true},
		{"XML", `<?xml version="1.0"?><error/>`, true},
		{"XML", `<!-- c --><!DOCTYPE HTML><x/>`, false},
		{"XML", `<?xml version="1.0"?><!DOCTYPE x><Html/>`, false},
		{"XML", `<h1>403</h1>`, false},
		{"", `{"RequestId":"R"}`, true},
		{"", `<R/>`, true},
		{"", `<html/>`, false},
		{"", ``, false},
		{"XML", `no tags`, false},
		{"XML", "", false},
		{"XML", `<html><body></body></html>`, false},
		{"XML", `{"RequestId":"R"}`, false},
		{"CSV", "a,b", true},
		{"CSV", "", false},
		{"CSV", "<html>", false},
	}
	for _, tt := range tests {
		if got := IsAnswer(tt.format, []byte(tt.body)); got != tt.want {
			t.Errorf("IsAnswer(%s, %q) = %v, want %v", tt.format, tt.body, got, tt.want)
		}
	}
}

func FuzzReadFault(f *testing.F) {
	for _, seed := range []string{
		`{"Code":"X","Message":"m","Error":{"Code":1}}`, `<Error><Code>X</Code></Error>`,
		"<html>", `{"a":[[[[{}]]]]}`, `{"Code":"\ud800"}`, "<a", "{", "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := ReadFault(body)
		if len(got.Code) > maxCode || len(got.Message) > maxMessage || len(got.RequestID) > maxCode {
			t.Errorf("unbounded: %d %d %d", len(got.Code), len(got.Message), len(got.RequestID))
		}
		if utf8.Valid(body) && !utf8.ValidString(got.Code+got.Message) {
			t.Errorf("made invalid UTF-8: %+v", got)
		}
		if got.Cut && IsAnswer("JSON", body) {
			t.Error("a whole JSON body is called cut off")
		}
		if got.Cut && IsAnswer("XML", body) {
			t.Error("a whole XML body is called cut off")
		}
	})
}
