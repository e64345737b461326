package engine

// Reason says why a decision came out as it did. The numbers are part of the C
// ABI (retry.h, enum retry_reason) and of the statistics: append, never reuse.
type Reason uint8

const (
	// Success: the result is no failure and carries no error; nothing to do.
	Success Reason = iota
	// Retry: a failure that is called again after the formula's delay.
	Retry
	// Exhausted: a failure, but max_retries retries were already made.
	Exhausted
	// NotRetryableStatus: an error whose status is not in retry_on_status.
	NotRetryableStatus
	// Fault: the call could not be decided; the answer is "no retry". Callers count
	// it, see [Counters].
	Fault
	// NotRetryableCode: an error whose code is in never_retry_on_error_code.
	NotRetryableCode
	// NotRetryableText: a failure with a text that never_retry_on_text matches.
	NotRetryableText
	// ToldNotTo: the failure itself says that it is not to be retried.
	ToldNotTo
	// Unsafe: the tool may have had an effect that must not happen twice.
	Unsafe
	// HintTooLong: the server asks for a longer wait than max_retry_after_ms.
	HintTooLong
	// Deadline: the next attempt would come after max_elapsed_ms.
	Deadline
	// BudgetSpent: the budget has too few tokens for a retry.
	BudgetSpent
	// RetryHint: a failure that is called again when the server asked for it.
	RetryHint
	// RetryCooldown: a failure that is called again when its tool's cool-down is over.
	RetryCooldown

	// ReasonCount is the number of reasons; arrays indexed by Reason have this length.
	ReasonCount
)

var reasonNames = [ReasonCount]string{
	Success:            "success",
	Retry:              "retry",
	Exhausted:          "exhausted",
	NotRetryableStatus: "not_retryable_status",
	Fault:              "fault",
	NotRetryableCode:   "not_retryable_code",
	NotRetryableText:   "not_retryable_text",
	ToldNotTo:          "told_not_to",
	Unsafe:             "unsafe",
	HintTooLong:        "hint_too_long",
	Deadline:           "deadline",
	BudgetSpent:        "budget",
	RetryHint:          "retry_hint",
	RetryCooldown:      "retry_cooldown",
}

// String returns the name used in statistics, logs and metrics.
func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return "unknown"
}
