package engine

import (
	"errors"
	"fmt"
	"strconv"
)

// What a configuration may hold. Python validates what an operator wrote and
// words the errors; these bounds are checked again here, so that no other caller
// can bring the engine into a state that its arithmetic does not cover.
const (
	// MaxRetriesLimit bounds max_retries.
	MaxRetriesLimit = 1000
	// DelayLimitMS bounds everything that is a delay (24.8 days).
	DelayLimitMS = 1<<31 - 1
	// MultiplierLimit bounds multiplier, which is at least 1.
	MultiplierLimit = 1000
	// StatusLimit bounds the entries of retry_on_status.
	StatusLimit = 1<<31 - 1
	// StateTTLLimitMS bounds state_ttl_ms.
	StateTTLLimitMS = 1<<31 - 1
	// TrackedLimit bounds max_tracked_requests.
	TrackedLimit = 10_000_000
	// TextBytesLimit bounds max_text_bytes (1 GiB).
	TextBytesLimit = 1 << 30
	// TokensLimit bounds the tokens of a budget.
	TokensLimit = 1_000_000
)

// FormulaFields are the options that make a [Formula]; nil is "not set".
type FormulaFields struct {
	MaxRetries    *int64    `json:"max_retries"`
	BackoffBaseMS *int64    `json:"backoff_base_ms"`
	MaxBackoffMS  *int64    `json:"max_backoff_ms"`
	Strategy      *Strategy `json:"strategy"`
	Multiplier    *float64  `json:"multiplier"`
	Jitter        *Jitter   `json:"jitter"`
}

// StatusFields is what differs for one status or one class of them.
type StatusFields struct {
	Status Status `json:"status"`
	FormulaFields
}

// Fields are the options that an override may hold too; nil is "not set". What is
// set nowhere is off.
type Fields struct {
	FormulaFields
	RetryOnStatus         *[]Status       `json:"retry_on_status"`
	StatusOverrides       *[]StatusFields `json:"status_overrides"`
	CheckTextContent      *bool           `json:"check_text_content"`
	MaxTextBytes          *int64          `json:"max_text_bytes"`
	HonorRetryAfter       *bool           `json:"honor_retry_after"`
	MaxRetryAfterMS       *int64          `json:"max_retry_after_ms"`
	ShareCooldown         *bool           `json:"share_cooldown"`
	NeverRetryOnErrorCode *[]int64        `json:"never_retry_on_error_code"`
	NeverRetryOnText      *[]string       `json:"never_retry_on_text"`
	RetryOnText           *[]string       `json:"retry_on_text"`
	RetrySafety           *Safety         `json:"retry_safety"`
	Budget                *BudgetFields   `json:"budget"`
	MaxElapsedMS          *int64          `json:"max_elapsed_ms"` // 0: no deadline
}

// BudgetFields are the numbers of a retry budget; see [bucket].
type BudgetFields struct {
	Tokens        int64 `json:"tokens"` // 0: no budget
	RetryCost     int64 `json:"retry_cost"`
	ThrottleCost  int64 `json:"throttle_cost"`
	SuccessRefund int64 `json:"success_refund"`
	Scope         Scope `json:"scope"`
}

// Scope is what shares a budget.
type Scope string

// The scopes, by their names in a configuration.
const (
	ToolScope   Scope = "tool"
	PluginScope Scope = "plugin"
)

func (f *Fields) check(where string) error {
	err := errors.Join(
		f.FormulaFields.check(where),
		inRange(where+"max_text_bytes", f.MaxTextBytes, 0, TextBytesLimit),
		inRange(where+"max_retry_after_ms", f.MaxRetryAfterMS, 1, DelayLimitMS),
		inRange(where+"max_elapsed_ms", f.MaxElapsedMS, 0, DelayLimitMS),
		oneOf(where+"retry_safety", f.RetrySafety, SafetyOff, Annotated, Strict),
		f.Budget.check(where+"budget."),
	)
	if f.RetryOnStatus != nil {
		for i, status := range *f.RetryOnStatus {
			err = errors.Join(err, inRange(fmt.Sprintf("%sretry_on_status[%d]", where, i), &status.Code, 0, StatusLimit))
		}
	}
	if f.StatusOverrides != nil {
		for _, entry := range *f.StatusOverrides {
			err = errors.Join(err, entry.check(where+"status_overrides["+entry.Status.String()+"]."))
		}
	}
	return err
}

func (f *FormulaFields) check(where string) error {
	err := errors.Join(
		inRange(where+"max_retries", f.MaxRetries, 0, MaxRetriesLimit),
		inRange(where+"backoff_base_ms", f.BackoffBaseMS, 1, DelayLimitMS),
		inRange(where+"max_backoff_ms", f.MaxBackoffMS, 1, DelayLimitMS),
		oneOf(where+"strategy", f.Strategy, Exponential, Linear, Fixed),
		oneOf(where+"jitter", f.Jitter, NoJitter, FullJitter, EqualJitter, Decorrelated),
	)
	if m := f.Multiplier; m != nil && !(*m >= 1 && *m <= MultiplierLimit) {
		err = errors.Join(err, fmt.Errorf("%smultiplier = %v: must be from 1 to %d", where, *m, MultiplierLimit))
	}
	return err
}

func (b *BudgetFields) check(where string) error {
	if b == nil {
		return nil
	}
	return errors.Join(
		inRange(where+"tokens", &b.Tokens, 0, TokensLimit),
		inRange(where+"retry_cost", &b.RetryCost, 0, b.Tokens),
		inRange(where+"throttle_cost", &b.ThrottleCost, 0, b.Tokens),
		inRange(where+"success_refund", &b.SuccessRefund, 0, b.Tokens),
		oneOf(where+"scope", &b.Scope, ToolScope, PluginScope),
	)
}

func inRange(field string, value *int64, low, high int64) error {
	if value != nil && (*value < low || *value > high) {
		return fmt.Errorf("%s = %d: must be from %d to %d", field, *value, low, high)
	}
	return nil
}

func oneOf[T ~string](field string, value *T, allowed ...T) error {
	if value == nil {
		return nil
	}
	for _, name := range allowed {
		if *value == name {
			return nil
		}
	}
	return fmt.Errorf("%s = %q: must be one of %q", field, *value, allowed)
}

// UnmarshalJSON reads the name, or true for full and false for none.
func (j *Jitter) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		*j = FullJitter
	case "false":
		*j = NoJitter
	default:
		name, err := strconv.Unquote(string(text))
		if err != nil {
			return fmt.Errorf("jitter = %.40s: must be a name or a boolean", text)
		}
		*j = Jitter(name)
	}
	return nil
}
