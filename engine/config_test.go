package engine

import (
	"testing"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAConfigurationSurvivesTheWayThroughJSON(t *testing.T) {
	c := defaults()
	c.Ceiling = ptr[int64](3)
	c.Overrides = []Override{{Tool: "b", Fields: Fields{FormulaFields: retries(1)}}, {Tool: "a"}}
	blob, err := json.Marshal(c)
	require.NoError(t, err)
	parsed, err := ParseConfig(blob)
	require.NoError(t, err)
	assert.Equal(t, c, parsed)
}

func TestAValueOutOfBoundsIsRefusedByName(t *testing.T) {
	over := func(f Fields) func(*Config) {
		return func(c *Config) { c.Overrides = []Override{{Tool: "t", Fields: f}} }
	}
	for want, change := range map[string]func(*Config){
		"max_retries = -1: must be from 0 to 1000":                             func(c *Config) { c.Base.MaxRetries = ptr[int64](-1) },
		"max_retries = 1001: must be from 0 to 1000":                           func(c *Config) { c.Base.MaxRetries = ptr[int64](1001) },
		"backoff_base_ms = 0: must be from 1 to 2147483647":                    func(c *Config) { c.Base.BackoffBaseMS = ptr[int64](0) },
		"max_backoff_ms = 2147483648: must be from 1 to 2147483647":            func(c *Config) { c.Base.MaxBackoffMS = ptr[int64](1 << 31) },
		"retry_on_status[1] = 2147483648: must be from 0 to":                   func(c *Config) { c.Base.RetryOnStatus = statuses(500, 1<<31) },
		"max_text_bytes = -5: must be from 0 to 1073741824":                    func(c *Config) { c.Base.MaxTextBytes = ptr[int64](-5) },
		"base: max_retries, backoff_base_ms":                                   func(c *Config) { c.Base.Jitter = nil },
		"state_ttl_ms = 0: must be from 1 to 2147483647":                       func(c *Config) { c.StateTTLMS = 0 },
		"max_tracked_requests = 10000001: must be from 1 to 10000000":          func(c *Config) { c.MaxTrackedRequests = TrackedLimit + 1 },
		"ceiling = -1: must be from 0 to":                                      func(c *Config) { c.Ceiling = ptr[int64](-1) },
		"tool_overrides[\"t\"].max_retries = 2000: must be from 0 to 1000":     over(Fields{FormulaFields: retries(2000)}),
		"tool_overrides[\"t\"].retry_on_status[0] = -1: must be from 0 to 214": over(Fields{RetryOnStatus: statuses(-1)}),
	} {
		c := defaults()
		change(c)
		_, err := New((&world{}).store(), c)
		assert.ErrorContains(t, err, want)
	}
}

func TestWhatIsNotTheExpectedJSONIsRefused(t *testing.T) {
	for _, blob := range []string{"", "null", "[]", "{", `{"max_retries":1}`, `{"base":{"max_retries":"3"}}`, "\xff"} {
		_, err := ParseConfig([]byte(blob))
		assert.Error(t, err, blob)
	}
}

func FuzzParseConfig(f *testing.F) {
	good, err := json.Marshal(defaults())
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"name":"x","base":{"max_retries":3},"overrides":[{"tool":"a","jitter":true}]}`))
	f.Fuzz(func(t *testing.T, blob []byte) {
		c, err := ParseConfig(blob)
		if err != nil {
			return
		}
		// What is accepted must work: no panic, and delays that keep the contract.
		e, err := New((&world{random: 1 << 63}).store(), c)
		require.NoError(t, err)
		d, err := e.Decide(&Call{Tool: "t", RequestID: "r", Facts: failed})
		require.NoError(t, err)
		assert.Equal(t, d.Reason == Retry, d.Delay > 0)
		e.Close()
	})
}
