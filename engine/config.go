package engine

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-json"
)

// What a configuration may hold. Python validates what an operator wrote and
// words the errors; these bounds are checked again here, so that no other caller
// can bring the engine into a state that its arithmetic does not cover.
const (
	// MaxRetriesLimit bounds max_retries.
	MaxRetriesLimit = 1000
	// DelayLimitMS bounds backoff_base_ms and max_backoff_ms (24.8 days).
	DelayLimitMS = 1<<31 - 1
	// StatusLimit bounds the entries of retry_on_status.
	StatusLimit = 1<<31 - 1
	// StateTTLLimitMS bounds state_ttl_ms.
	StateTTLLimitMS = 1<<31 - 1
	// TrackedLimit bounds max_tracked_requests.
	TrackedLimit = 10_000_000
	// TextBytesLimit bounds max_text_bytes (1 GiB).
	TextBytesLimit = 1 << 30
)

// Config is the normalized configuration of one plugin object: defaults filled
// in, types coerced.
type Config struct {
	// Name is the plugin's name: engines of one name share counts and statistics.
	Name string `json:"name"`
	// Private gives the engine counts of its own, shared with nobody.
	Private bool `json:"private"`
	// Ceiling bounds max_retries everywhere; absent: no ceiling.
	Ceiling *int64 `json:"ceiling"`
	// StateTTLMS is how long a count is kept after its last failure.
	StateTTLMS int64 `json:"state_ttl_ms"`
	// MaxTrackedRequests bounds the counts that are kept at one time.
	MaxTrackedRequests int64 `json:"max_tracked_requests"`
	// Base must have every field.
	Base Fields `json:"base"`
	// Overrides are in the order of the operator's file.
	Overrides []Override `json:"overrides"`
}

// Fields are the options that an override may hold too; nil is "not set".
type Fields struct {
	MaxRetries       *int64   `json:"max_retries"`
	BackoffBaseMS    *int64   `json:"backoff_base_ms"`
	MaxBackoffMS     *int64   `json:"max_backoff_ms"`
	RetryOnStatus    *[]int64 `json:"retry_on_status"`
	Jitter           *bool    `json:"jitter"`
	CheckTextContent *bool    `json:"check_text_content"`
	MaxTextBytes     *int64   `json:"max_text_bytes"`
}

// Override is what differs for one tool.
type Override struct {
	Tool string `json:"tool"`
	Fields
}

// ParseConfig decodes a configuration from JSON and refuses unknown keys, missing
// base fields and values out of bounds, naming the field.
func ParseConfig(blob []byte) (*Config, error) {
	var c Config
	decoder := json.NewDecoder(bytes.NewReader(blob))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("configuration is not the JSON that is expected: %w", err)
	}
	return &c, c.check()
}

func (c *Config) check() error {
	if err := inRange("state_ttl_ms", &c.StateTTLMS, 1, StateTTLLimitMS); err != nil {
		return err
	}
	if err := inRange("max_tracked_requests", &c.MaxTrackedRequests, 1, TrackedLimit); err != nil {
		return err
	}
	if err := inRange("ceiling", c.Ceiling, 0, 1<<62); err != nil {
		return err
	}
	b := &c.Base
	if b.MaxRetries == nil || b.BackoffBaseMS == nil || b.MaxBackoffMS == nil || b.RetryOnStatus == nil ||
		b.Jitter == nil || b.CheckTextContent == nil || b.MaxTextBytes == nil {
		return fmt.Errorf("base: every field must be set")
	}
	if err := b.check("base"); err != nil {
		return err
	}
	for i := range c.Overrides {
		o := &c.Overrides[i]
		if err := o.check(fmt.Sprintf("tool_overrides[%s]", o.Tool)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fields) check(where string) error {
	for _, field := range []struct {
		name     string
		value    *int64
		min, max int64
	}{
		{"max_retries", f.MaxRetries, 0, MaxRetriesLimit},
		{"backoff_base_ms", f.BackoffBaseMS, 1, DelayLimitMS},
		{"max_backoff_ms", f.MaxBackoffMS, 1, DelayLimitMS},
		{"max_text_bytes", f.MaxTextBytes, 0, TextBytesLimit},
	} {
		if err := inRange(where+"."+field.name, field.value, field.min, field.max); err != nil {
			return err
		}
	}
	if f.RetryOnStatus != nil {
		for i, status := range *f.RetryOnStatus {
			if err := inRange(fmt.Sprintf("%s.retry_on_status[%d]", where, i), &status, 0, StatusLimit); err != nil {
				return err
			}
		}
	}
	return nil
}

func inRange(field string, value *int64, low, high int64) error {
	if value != nil && (*value < low || *value > high) {
		return fmt.Errorf("%s = %d: must be from %d to %d", field, *value, low, high)
	}
	return nil
}
