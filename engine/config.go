package engine

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-json"
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
	// SafeTools and UnsafeTools are patterns; see [Safety].
	SafeTools   []string `json:"safe_tools"`
	UnsafeTools []string `json:"unsafe_tools"`
	// Base must have the fields without which there is no policy.
	Base Fields `json:"base"`
	// Overrides are in the order of the operator's file.
	Overrides []Override `json:"overrides"`
}

// Override is what differs for one tool, or for the tools that a pattern matches.
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
	if err := errors.Join(
		inRange("state_ttl_ms", &c.StateTTLMS, 1, StateTTLLimitMS),
		inRange("max_tracked_requests", &c.MaxTrackedRequests, 1, TrackedLimit),
		inRange("ceiling", c.Ceiling, 0, 1<<62),
	); err != nil {
		return err
	}
	b := &c.Base
	if b.MaxRetries == nil || b.BackoffBaseMS == nil || b.MaxBackoffMS == nil || b.RetryOnStatus == nil ||
		b.Jitter == nil || b.CheckTextContent == nil || b.MaxTextBytes == nil {
		return fmt.Errorf("base: max_retries, backoff_base_ms, max_backoff_ms, retry_on_status, jitter, " +
			"check_text_content and max_text_bytes must be set")
	}
	if b.HonorRetryAfter != nil && b.MaxRetryAfterMS == nil {
		return fmt.Errorf("max_retry_after_ms must be set where honor_retry_after is")
	}
	if err := b.check(""); err != nil {
		return err
	}
	for i := range c.Overrides {
		o := &c.Overrides[i]
		if err := o.check(fmt.Sprintf("tool_overrides[%q].", o.Tool)); err != nil {
			return err
		}
		if o.Budget != nil && o.Budget.Scope == PluginScope {
			return fmt.Errorf("tool_overrides[%q].budget.scope = %q: holds for the whole plugin, not for one tool", o.Tool, PluginScope)
		}
	}
	return nil
}
