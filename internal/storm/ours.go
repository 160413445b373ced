package storm

import (
	"math/rand/v2"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
	_ "github.com/aliretry/aliretry/retry" // fills in the seam
)

// Ours is the model of this library under rules; zero ones are its defaults.
func Ours(name string, rules seam.Rules) *Model {
	classes := classify()
	return &Model{Name: name, Token: TokenPerCall, Program: func() Program {
		return &ourProgram{seam.New(rules), classes}
	}}
}

// classify asks package retry, once for all calls, what it takes the replies for.
func classify() *[replies]seam.Class {
	body := func(code, message string) string {
		return `{"RequestId":"1B209D1D-614A-41B5-AC47-BE341030999A","HostId":"ess.aliyuncs.com","Code":"` + code + `","Message":"` + message + `"}`
	}
	return &[replies]seam.Class{
		OK:          seam.Classify(200, `{"RequestId":"1B209D1D-614A-41B5-AC47-BE341030999A","ScalingGroupId":"asg-00000001"}`),
		Refused:     seam.Classify(0, ""),
		Lost:        seam.Classify(0, ""),
		TimedOut:    seam.Classify(0, ""),
		Internal:    seam.Classify(500, body("InternalError", "The request processing has failed due to some unknown error.")),
		Unavailable: seam.Classify(503, body("ServiceUnavailable", "The request has failed due to a temporary failure of the server.")),
		Throttled:   seam.Classify(400, body("Throttling.User", "Request was denied due to user flow control.")),
		InProgress:  seam.Classify(403, body("LastTokenProcessing", "The last token request is processing.")),
	}
}

type ourProgram struct {
	client  seam.Client
	classes *[replies]seam.Class
}

func (p *ourProgram) Call(now time.Time) Call { return &ourCall{p.client.Call(now), p.classes} }

type ourCall struct {
	seam.Call
	classes *[replies]seam.Class
}

func (c *ourCall) Next(reply Reply, now time.Time, random *rand.Rand) Step {
	return c.Call.Next(c.classes[reply], now, random.Float64())
}
