package retry

import (
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/aliretry/aliretry/internal/openapi"
)

// rule maps error replies to a class. A rule fits when every pattern that it has fits.
type rule struct {
	class  Class
	status string // "any", "429", or one or both of "4xx", 408 excepted, and "2xx"
	code   string // regular expression on the folded code: lower case, without '_', '-', ' '
	text   string // regular expression on the message in lower case
	unless string // the same: where it fits, the rule does not
	alone  bool   // the message alone decides: only for calls that are replay-safe
	source string
}

// Messages by which the server asks for patience. "Later" alone is not one ("EndTime
// must be later than StartTime"), nor is "try again" alone ("check X and try again").
const tryLater = `(re)?try (it |this |again |the (request|operation) )*(later|in a |in \d|after (a |some |\d|the .*(finish|complete)))` +
	`|try [^.;,]{1,40} again later|later,? (please )?(re)?try|wait (for )?a (moment|while|few)|wait until .*(complete|finish|done)` +
	`|temporar(y|ily) (unavailable|failure|error)` +
	`|稍[后候後](再|重|尝|嘗|请|請)*[试試]|稍[后候後]再|请稍[后候]|(系统|服务|系統|服務|服务器)(繁)?忙|重试即可|暂时(不可用|无法|不提供)`

// Messages that ask a person to do something, which no repetition replaces. They count
// only ahead of a "try later": "try again later or contact support" does ask for it.
const personFirst = `(please |^|\. )check|specif(y|ied) .* and (then )?try|contact|submit a ticket|grant|authoriz|apply for|activate|enable the` +
	`|top up|recharge|pay |repay|purchase|upgrade (the|your|it)|add .* whitelist|verif(y|ication)|clear the cache|modify|change the` +
	`|检查|联系|提交工单|授权|开通|激活|充值|购买|升级|修改|申请`

// Messages about money, or about a quota that has to be raised: these never pass by
// waiting, whatever else they say and under whatever status.
const billing = `overdue|arrear|not purchased|insufficient balance|enough balance|billing|your plan|free .*quota|upgrade (the|your) (edition|plan)|outstanding payment` +
	`|(increase|raise|apply for) .*(quota|limit)|allocated quota exceeded|(daily|monthly) (available )?(quota|limit)` +
	`|欠费|余额|充值|购买|开通|套餐|[天日月]级|每[天日月]|[日月]发送限额`

// Messages under a code of passing trouble that tell of a lasting fault.
const lasting = `not exist|not found|not support|inva(li|il)d|illegal|has been used|already|not (been )?(open|activate)|not available in`

// rules are asked from top to bottom; the first that fits decides. What none of them
// knows is classed by its status, see classifyReply.
var rules = []rule{
	// What the token and the signature rest on is named by code, under any status.
	{class: InProgress, status: "any",
		code:   `token\.?(is)?processing|idempoten(ce|t)\.?(token)?processing|tokenpreviousrequestprocess|processingsamerequest`,
		source: "LastTokenProcessing: VPC, PrivateLink error codes (403); the other names: Terraform provider, SLB, ALB, ROS"},
	{class: Mismatch, status: "any",
		code: `idempoten(ce|t).*((mis|not)\.?match|conflict)|invalididempoten|idempotentfailed|tokenconflict` +
			`|duplicated?\.?clienttoken|clienttoken\.?(mismatch|duplicate)`,
		source: "IdempotentParameterMismatch: Ensure idempotence; the other names: ROS, ALB, PrivateLink, NLB error codes"},
	{class: NonceUsed, status: "any", code: `nonceused`,
		source: "SignatureNonceUsed: common error codes"},
	{class: CredentialsExpired, status: "4xx 2xx", code: `securitytoken\.?expired`,
		source: "InvalidSecurityToken.Expired: common error codes; SecurityTokenExpired: OSS, FC"},
	{class: CredentialsExpired, status: "4xx", text: `securitytoken\.expired|security ?token .*has expired`,
		source: "InvalidParameter: SecurityToken.Expired: Terraform provider issues; Unauthorized: FC"},
	{class: ClockSkew, status: "4xx 2xx", code: `^(illegaltimestamp|invalidtimestamp\.expired|requesttimetooskewed|requesttime(out|is)?expired)$`,
		source: "InvalidTimeStamp.Expired, IllegalTimestamp: common error codes; the latter says that it is missing when it is stale"},
	{class: ClockSkew, status: "4xx", text: `mismatch between system time|^timestamp expired`,
		source: "OTSAuthFailed: Tablestore error codes; API Gateway, which has no code"},
	{class: NonceUsed, status: "4xx", text: `^nonce used`, source: "API Gateway, which has no code"},

	// A 4xx may still be the server's own failure, and then it may have happened.
	{class: ServerError, status: "4xx 2xx",
		code:   `internal(server)?(error|failure|exception)|^(unknown|system|server)(error|exception)|^isp\.unknown|^requesttimeout`,
		source: "InternalError under 400 and 403: ECS, IMM, SLS, Terraform provider issues; RequestTimeout under 400: OSS"},

	// Load. The message decides between a limit per second and one that has to be bought.
	{class: Rejected, status: "4xx", text: billing,
		source: "Throttling.AllocationQuota, PrepaidBillOverdue (429): Model Studio; isv.DAY_LIMIT_CONTROL: SMS"},
	{class: Rejected, status: "4xx 2xx", code: `businesslimitcontrol`, text: `天级`,
		source: "isv.BUSINESS_LIMIT_CONTROL under 200: SMS"},
	{class: Throttled, status: "429", source: "RFC 6585, section 4"},
	{class: Throttled, status: "4xx 2xx",
		code: `throttl|flowcontrol|flowexceeded|(qps|rate|tps)limit|toomanyrequest|requestlimitexceeded|limit(ed)?requests?$` +
			`|perminute|persecond|frequency|toofrequent|(read|write)quotaexceed|businesslimitcontrol`,
		source: "Throttling, Throttling.User, Throttling.Api: common error codes; *QuotaExceed: SLS; the rest: CDN, Tablestore, MQ, SMS"},
	{class: Throttled, status: "4xx",
		text:   `flow control|throttling|too (frequent|quick|many (requests|times))|qps (upper )?(limit|exceed)|rate limit|rate at which .* exceeds|excessive requests|(in|out)flow quota exceed|流控|限流|(过于|太)频繁|频率限制`,
		source: "messages under other codes: CDN TaskConflict, Tablestore OTSQuotaExhausted, SLS, OpenSearch"},

	// A service that is busy under a 2xx has made less plain that it did nothing.
	{class: Unavailable, status: "2xx", code: `busy($|\.)|service\.?(temporar(il)?y)?unavailable`, source: "as below"},

	// "When 4xx is returned, the retry will fail if try it later or similar errors do
	// not occur" (Ensure idempotence).
	{class: Busy, status: "4xx", code: `busy($|\.)|needretry$`,
		source: "SystemBusy, ServiceBusy, OperationBusy, ServiceIsBusy: SLB, RDS, CDN, ROS"},
	{class: Busy, status: "4xx", code: `service\.?(temporar(il)?y)?unavailable`, unless: lasting,
		source: "ServiceUnavailable under 400: Ensure idempotence, ECS; it also stands for lasting faults, which the message tells"},
	{class: Busy, status: "4xx", text: tryLater, unless: `after you `, alone: true, source: "Ensure idempotence"},
}

// compiled is the table with its patterns compiled, at the first error reply.
var compiled = sync.OnceValue(func() []compiledRule {
	out := make([]compiledRule, len(rules))
	for i, r := range rules {
		out[i] = compiledRule{rule: r, code: compile(r.code), text: compile(r.text), unless: compile(r.unless)}
	}
	return out
})

var person = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(personFirst) })

type compiledRule struct {
	rule
	code, text, unless *regexp.Regexp
}

func compile(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	return regexp.MustCompile(pattern)
}

// folder takes the differences of spelling out of a code.
var folder = strings.NewReplacer("_", "", "-", "", " ", "")

// classByRule returns the class that the first fitting rule gives a reply, and false
// if none fits.
func classByRule(e *evidence, f openapi.Fault) (Class, bool) {
	class, ok := firstRule(e, f)
	if class == ClockSkew && !e.skewed() {
		return Rejected, ok // stale for another reason: setting the clock would not help
	}
	return class, ok
}

// isStale reports whether a reply refuses the timestamp, by whichever clock.
func isStale(e *evidence, f openapi.Fault) bool {
	class, _ := firstRule(e, f)
	return class == ClockSkew
}

func firstRule(e *evidence, f openapi.Fault) (Class, bool) {
	code := folder.Replace(strings.ToLower(f.Code))
	text := strings.ToLower(f.Message)
	for _, r := range compiled() {
		if !r.fits(e.status, code, text) || r.alone && !e.replaySafe {
			continue
		}
		return r.class, true
	}
	return 0, false
}

func (r *rule) applies(status int) bool {
	switch {
	case r.status == "any":
		return true
	case r.status == "429":
		return status == http.StatusTooManyRequests
	case status < 300:
		return strings.Contains(r.status, "2xx")
	}
	return status < 500 && status != http.StatusRequestTimeout && strings.Contains(r.status, "4xx")
}

func (r *compiledRule) fits(status int, code, text string) bool {
	switch {
	case !r.applies(status),
		r.code != nil && !r.code.MatchString(code),
		r.unless != nil && r.unless.MatchString(text):
		return false
	}
	if r.text == nil {
		return true
	}
	at := r.text.FindStringIndex(text)
	if at == nil {
		return false
	}
	return !r.alone || !person().MatchString(text[:at[0]])
}
