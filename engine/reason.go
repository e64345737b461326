package engine

// Reason says why a decision came out as it did. The numbers are part of the C
// ABI (retry.h, enum retry_reason) and of the statistics: append, never reuse.
type Reason uint8

const (
	// Success: the result is no failure and carries no error; nothing to do.
	Success Reason = iota
	// Retry: a failure that is called again after the delay.
	Retry
	// Exhausted: a failure, but max_retries retries were already made.
	Exhausted
	// NotRetryableStatus: an error whose status is not in retry_on_status.
	NotRetryableStatus
	// Fault: the call could not be decided; the answer is "no retry". Callers count
	// it, see [Counters].
	Fault

	// ReasonCount is the number of reasons; arrays indexed by Reason have this length.
	ReasonCount
)

var reasonNames = [ReasonCount]string{
	Success:            "success",
	Retry:              "retry",
	Exhausted:          "exhausted",
	NotRetryableStatus: "not_retryable_status",
	Fault:              "fault",
}

// String returns the name used in statistics, logs and metrics.
func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return "unknown"
}
