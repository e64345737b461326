package engine

import (
	"regexp"
	"time"
)

// Facts is what a caller read from a tool's result. It says what was found, not
// what it means.
type Facts struct {
	// IsError: the result's isError is true.
	IsError bool
	// NestedIsError: structuredContent.isError is true.
	NestedIsError bool
	// HasStatus: structuredContent.status_code is an integer.
	HasStatus bool
	// HasStructured: there is structured content, so texts are not judged as JSON.
	HasStructured bool
	// HasErrorCode: _meta's error code is an integer.
	HasErrorCode bool
	// ToldNotTo: false stands at "retryable" or "retry".
	ToldNotTo bool
	// Annotations is what the tool declares.
	Annotations Annotations
	// Status is that integer; one beyond 64 bits is passed as [UnlistableStatus].
	Status int64
	// ErrorCode is that integer.
	ErrorCode int64
}

// UnlistableStatus stands for a status that no retry_on_status can hold.
const UnlistableStatus = -1

// SearchedTextBytes is how much of a result's texts, in all, is searched for
// never_retry_on_text and retry_on_text.
const SearchedTextBytes = 65_536

// verdict is what a result means under a policy.
type verdict struct {
	// reason is Retry for a failure that may be retried.
	reason    Reason
	status    int64
	hasStatus bool
	advice
}

// judge tells whether a result is a failure that the policy retries, and if not,
// why not. A readable status decides alone: it is in retry_on_status or it is
// not, whatever isError says. Without one, either isError decides.
//
//	isError  nested  status  listed  -> reason
//	any      any     yes     yes     -> Retry
//	false    false   yes     no      -> Success
//	one of them      yes     no      -> NotRetryableStatus
//	false    false   no      -       -> Success
//	one of them      no      -       -> Retry
func judge(p *Policy, f *Facts) Reason {
	failed := f.IsError || f.NestedIsError
	switch {
	case f.HasStatus && p.statuses.has(f.Status):
		return Retry
	case !failed:
		return Success
	case f.HasStatus:
		return NotRetryableStatus
	default:
		return Retry
	}
}

// judgeCall judges the whole result. Texts may turn a success into a failure, and a
// failure may say that it is not to be retried, or when.
func judgeCall(p *Policy, c *Call, wallNow func() time.Time) verdict {
	v := verdict{reason: judge(p, &c.Facts), status: c.Facts.Status, hasStatus: c.Facts.HasStatus}
	if len(c.Texts) > 0 {
		if p.CheckTextContent && !c.Facts.HasStructured {
			v.judgeTexts(p, c.Texts)
		}
		if v.reason != Retry && matchTexts(p.retryTexts, c.Texts) {
			v.reason = Retry
		}
	}
	if v.reason == Retry {
		v.reason = refusal(p, c, &v, wallNow)
	}
	return v
}

// judgeTexts reads JSON texts: if the result itself shows no error, one that tells of
// a failure is enough; else they only tell the status, if nothing else does. At most
// MaxTextBytes are inspected in all; a text that does not fit into what is left of
// them is passed over.
func (v *verdict) judgeTexts(p *Policy, texts []string) {
	if v.reason == Retry && v.hasStatus || v.reason == NotRetryableStatus {
		return
	}
	left := p.MaxTextBytes
	for _, text := range texts {
		if !fits(text, &left) {
			continue
		}
		found := ReadText(text)
		failed := found.IsError || found.HasStatus && p.statuses.has(found.Status)
		if v.reason == Success && failed {
			v.reason, v.status, v.hasStatus = Retry, found.Status, found.HasStatus
			return
		}
		if v.reason == Retry && found.HasStatus {
			v.status, v.hasStatus = found.Status, true
			return
		}
	}
}

// fits takes a text off what is left of MaxTextBytes, if there is so much left.
func fits(text string, left *int64) bool {
	if int64(len(text)) > *left {
		return false
	}
	*left -= int64(len(text))
	return true
}

// refusal tells why a failure is not to be retried, whatever was tried before: Retry
// if there is no such reason. On the way it collects the hints.
func refusal(p *Policy, c *Call, v *verdict, wallNow func() time.Time) Reason {
	if p.HonorRetryAfter {
		v.toldNotTo = c.Facts.ToldNotTo
		for i := range c.Hints {
			v.add(&c.Hints[i], wallNow)
		}
		if p.CheckTextContent && !c.Facts.HasStructured {
			left := p.MaxTextBytes
			for _, text := range c.Texts {
				if fits(text, &left) {
					v.readAdvice(text, wallNow)
				}
			}
		}
	}
	switch {
	case c.Facts.HasErrorCode && !v.hasStatus && p.neverGetsBetter(&c.Facts):
		return NotRetryableCode
	case matchTexts(p.neverTexts, c.Texts):
		return NotRetryableText
	case v.toldNotTo:
		return ToldNotTo
	}
	return Retry
}

func (p *Policy) neverGetsBetter(f *Facts) bool {
	_, never := p.neverCodes[f.ErrorCode]
	return never && (f.IsError || f.NestedIsError)
}

// matchTexts searches each text in turn, SearchedTextBytes in all.
func matchTexts(patterns []*regexp.Regexp, texts []string) bool {
	if len(patterns) == 0 {
		return false
	}
	left := SearchedTextBytes
	for _, text := range texts {
		text = text[:min(len(text), left)]
		left -= len(text)
		for _, pattern := range patterns {
			if pattern.MatchString(text) {
				return true
			}
		}
		if left == 0 {
			break
		}
	}
	return false
}
