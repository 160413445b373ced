package retry

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// sample is one line of testdata/replies.jsonl: a real error reply, where it was seen,
// and the class that a careful reader gives it.
type sample struct {
	Status  int // 0: the source does not tell
	Code    string
	Message string
	Body    string // the raw body, where the source has it whole
	Class   Class
	Source  string
	Note    string
}

func readCorpus(t testing.TB) []sample {
	t.Helper()
	file, err := os.Open("testdata/replies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var replies []sample
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r sample
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("line %d: %v", len(replies)+1, err)
		}
		if r.Source == "" || r.Class == 0 {
			t.Fatalf("line %d has no source or no class", len(replies)+1)
		}
		replies = append(replies, r)
	}
	return replies
}

// evidence is what an attempt sees of the reply. A status that the source does not
// tell is the one that the class's replies have as a rule.
func (r sample) evidence(replaySafe bool) *evidence {
	status := r.Status
	if status == 0 {
		switch r.Class {
		case ServerError:
			status = 500
		case Unavailable:
			status = 503
		default:
			status = 400
		}
	}
	body := []byte(r.Body)
	if r.Body == "" {
		body, _ = json.Marshal(map[string]string{"RequestId": "R", "Code": r.Code, "Message": r.Message})
	}
	return &evidence{
		request: &openapi.Request{Style: openapi.RPC, Format: "JSON"}, method: http.MethodPost,
		replaySafe: replaySafe, status: status, header: http.Header{"Date": {noon.Format(http.TimeFormat)}}, body: body, received: noon.Add(time.Hour),
	}
}

// A reply that is wrongly retried and one that is wrongly given up are both defects.
func TestCorpus(t *testing.T) {
	count := make(map[Class]int)
	for _, r := range readCorpus(t) {
		count[r.Class]++
		got, _ := classify(r.evidence(true))
		if got != r.Class {
			t.Errorf("%d %s %q is %v, want %v (%s) %s", r.Status, r.Code, r.Message, got, r.Class, r.Source, r.Note)
		}
		// Where repeating is not safe, a Busy that the message alone tells is not
		// believed, nor is a code in a 2xx enough; nothing else changes.
		unsafe, _ := classify(r.evidence(false))
		if unsafe != got && !(got == Busy && unsafe == Rejected) && !(r.Status == 200 && unsafe == Broken) {
			t.Errorf("%d %s %q is %v where replay is not safe, %v where it is", r.Status, r.Code, r.Message, unsafe, got)
		}
	}
	t.Log(count)
	for class, least := range map[Class]int{Busy: 30, Throttled: 30, InProgress: 9, Mismatch: 10, ServerError: 40,
		Unavailable: 25, ClockSkew: 5, CredentialsExpired: 3, Rejected: 150} {
		if count[class] < least {
			t.Errorf("corpus has %d of %v, want at least %d", count[class], class, least)
		}
	}
}
