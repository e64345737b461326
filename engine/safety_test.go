package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhichToolsAreRestricted(t *testing.T) {
	for _, c := range []struct {
		name              string
		a                 Annotations
		listed            listing
		annotated, strict bool
	}{
		{"nothing declared", 0, notListed, false, true},
		{"read-only", ReadOnly, notListed, false, false},
		{"idempotent", NotReadOnly | Idempotent, notListed, false, false},
		{"read-only and destructive", ReadOnly | Destructive, notListed, false, false},
		{"destructive", Destructive, notListed, true, true},
		{"not read-only", NotReadOnly, notListed, false, true},
		{"not idempotent", NotIdempotent, notListed, false, true},
		{"neither", NotReadOnly | NotIdempotent, notListed, true, true},
		{"in safe_tools", Destructive, listedSafe, false, false},
		{"in unsafe_tools", ReadOnly | Idempotent, listedUnsafe, true, true},
	} {
		for mode, want := range map[Safety]bool{SafetyOff: false, Annotated: c.annotated, Strict: c.strict} {
			tool := tool{Policy: &Policy{Safety: mode}, listed: c.listed}
			assert.Equal(t, want, tool.restricted(c.a), "%s, %s", c.name, mode)
		}
	}
}

func TestARestrictedToolIsRetriedOnlyWhereNothingCanHaveHappened(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.RetrySafety, c.UnsafeTools = ptr(Annotated), []string{"pay*"}
		c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS = ptr(true), ptr[int64](30_000)
		c.Base.CheckTextContent = ptr(true)
	})
	hint := []Hint{{Name: RetryAfter, Number: 1}}
	for _, c := range []struct {
		name string
		call Call
		want Reason
	}{
		{"429", Call{Facts: Facts{HasStatus: true, Status: 429}}, Retry},
		{"503 with a hint", Call{Facts: Facts{HasStatus: true, Status: 503}, Hints: hint}, RetryHint},
		{"503 without", Call{Facts: Facts{HasStatus: true, Status: 503}}, Unsafe},
		{"503 with a hint of nothing", Call{Facts: Facts{HasStatus: true, Status: 503}, Hints: []Hint{{Number: -1}}}, Unsafe},
		{"500 with a hint", Call{Facts: Facts{HasStatus: true, Status: 500}, Hints: hint}, Unsafe},
		{"no status", Call{Facts: failed, Hints: hint}, Unsafe},
		{"429 in a text", Call{Texts: []string{`{"status_code": 429}`}}, Retry},
		{"503 and a hint in a text", Call{Texts: []string{`{"status_code": 503, "retry_after": 1}`}}, RetryHint},
	} {
		c.call.Tool, c.call.RequestID = "pay-now", c.name
		d, err := e.Decide(&c.call)
		assert.NoError(t, err)
		assert.Equal(t, c.want, d.Reason, c.name)
		c.call.Tool = "search"
		d, _ = e.Decide(&c.call)
		assert.NotZero(t, d.Delay, c.name)
	}
}
