package retry

import (
	"encoding/json"
	"net/http"
	"time"
)

// Info is what is known of a logical call. It holds no secrets. Its JSON form, which
// leaves out each attempt's Message and Err, is for passing it on, not for keeping it: it
// may change with any release.
type Info struct {
	Operation   Operation `json:"operation"`
	Method      string    `json:"method"`          // the HTTP method, as sent
	Scheme      string    `json:"scheme"`          // http or https
	Host        string    `json:"host"`            // the endpoint, with its port if the request names one
	ClientToken string    `json:"token,omitempty"` // sent in every attempt; "" if the call carries none
	Outcome     Outcome   `json:"outcome"`
	Attempts    []Attempt `json:"attempts"` // in order; empty if nothing was sent; not to be modified
	Reason      string    `json:"reason"`   // why the call ended, in words for people

	Key        string    `json:"key,omitempty"`         // of WithKey
	Resumed    bool      `json:"resumed,omitempty"`     // another call under the key may have been sent before, under the same token
	Replayed   bool      `json:"replayed,omitempty"`    // the reply is the one that the Journal kept; nothing was sent
	RecordedAt time.Time `json:"recorded,omitzero"`     // when the key's call was recorded as done, of one that was done before
	RecordOpen bool      `json:"record_open,omitempty"` // the Journal's record is open still: by the Outcome, by another call, or because its end could not be written
}

// Attempt is what is known of one attempt.
type Attempt struct {
	Number    int           `json:"n"` // counted from 1
	Nonce     string        `json:"nonce"`
	SignedAt  time.Time     `json:"signed"` // the signing time sent, in whole seconds
	Start     time.Time     `json:"start"`
	Duration  time.Duration `json:"ns"` // until the whole reply was there, or none came
	Class     Class         `json:"class"`
	Status    int           `json:"status,omitempty"` // HTTP status; 0 if no reply came
	Code      string        `json:"code,omitempty"`   // the API's error code, at most 128 bytes
	Message   string        `json:"-"`                // the API's error message, at most 1 KiB
	RequestID string        `json:"request,omitempty"`
	Err       error         `json:"-"`                 // what went wrong where there is no reply
	Wait      time.Duration `json:"wait_ns,omitempty"` // the delay that follows; after the last attempt 0, unless a Budget ended the call
}

// infoHeader carries the Info of a call in its response, for callers that see nothing
// else of it: the SDK's ServerError keeps the response's headers alone.
const infoHeader = "X-Aliretry-Info"

// write puts i into a response's headers.
func (i *Info) write(h http.Header) {
	if text, err := json.Marshal(i); err == nil {
		h.Set(infoHeader, string(text))
	}
}

// readInfo reads what write wrote.
func readInfo(h http.Header) (Info, bool) {
	var i Info
	text := h.Get(infoHeader)
	return i, text != "" && json.Unmarshal([]byte(text), &i) == nil
}

// InfoOfResponse returns the Info of the call that resp answers, also of a call that
// succeeded at once. It returns false for a response that no Transport made.
func InfoOfResponse(resp *http.Response) (Info, bool) {
	if resp == nil || resp.Request == nil {
		return Info{}, false
	}
	if c := callOf(resp.Request); c != nil {
		return c.snapshot(), true
	}
	return Info{}, false
}
