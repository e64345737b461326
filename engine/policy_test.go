package engine

import (
	"reflect"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
)

func viewOfDefaults() PolicyView {
	return PolicyView{
		FormulaView:   FormulaView{2, 200, 5000, Exponential, 2, NoJitter},
		RetryOnStatus: *statuses(429, 500, 502, 503, 504), StatusOverrides: []StatusView{},
		MaxTextBytes: 1 << 20, MaxRetryAfterMS: 0, NeverRetryOnErrorCode: []int64{},
		NeverRetryOnText: []string{}, RetryOnText: []string{}, RetrySafety: SafetyOff, Plain: true,
	}
}

func TestAnOverrideReplacesWhatItSetsAndInheritsTheRest(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Overrides = []Override{{Tool: "slow", Fields: Fields{FormulaFields: FormulaFields{BackoffBaseMS: ptr[int64](1000)}, RetryOnStatus: statuses(503, 429)}}}
	})
	slow, other := e.PolicyOf("slow", -1), e.PolicyOf("other", -1)
	want := viewOfDefaults()
	want.BackoffBaseMS, want.RetryOnStatus, want.Override = 1000, *statuses(503, 429), "slow"
	assert.Equal(t, want, slow, "statuses are shown as written")
	assert.EqualValues(t, 200, other.BackoffBaseMS)
	assert.Empty(t, other.Override)
}

func TestAToolMayHaveTheEmptyName(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Overrides = []Override{{Tool: "", Fields: Fields{FormulaFields: retries(9)}}}
	})
	assert.EqualValues(t, 9, e.PolicyOf("", -1).MaxRetries)
	assert.EqualValues(t, 2, e.BasePolicy(-1).MaxRetries)
	assert.EqualValues(t, 1, e.BasePolicy(1).MaxRetries)
}

func TestTheCeilingClampsBaseAndOverridesAndSaysSo(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Ceiling = ptr[int64](1)
		c.Overrides = []Override{
			{Tool: "more", Fields: Fields{FormulaFields: retries(5)}},
			{Tool: "none", Fields: Fields{FormulaFields: retries(0)}},
			{Tool: "inherits", Fields: Fields{FormulaFields: FormulaFields{Jitter: ptr(FullJitter)}}},
		}
	})
	assert.Equal(t, []Notice{{Clamped, "", "", 2, 1}, {Clamped, "more", "", 5, 1}}, e.Notices(),
		"what is inherited is not reported again")
	for tool, want := range map[string]int64{"": 1, "more": 1, "none": 0, "inherits": 1} {
		assert.Equal(t, want, e.PolicyOf(tool, -1).MaxRetries, tool)
	}
}

func TestABaseAboveTheMaximumIsReportedOnce(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.BackoffBaseMS = ptr[int64](9000)
		c.Overrides = []Override{
			{Tool: "same", Fields: Fields{FormulaFields: FormulaFields{Jitter: ptr(FullJitter)}}},
			{Tool: "own", Fields: Fields{FormulaFields: FormulaFields{MaxBackoffMS: ptr[int64](100)}}},
		}
	})
	assert.Equal(t, []Notice{{BaseAboveMax, "", "", 9000, 5000}, {BaseAboveMax, "own", "", 9000, 100}}, e.Notices())
	assert.Equal(t, 5000*ms, e.BackoffOf("x", 0))
}

func TestEveryFieldIsTheOverridesOrTheBasesAndWithinTheCeiling(t *testing.T) {
	property := func(set uint8, retries, ceiling uint16, base, limit uint32, texts bool) bool {
		over := Fields{}
		pick := func(bit int) bool { return set>>bit&1 == 1 }
		r, b, m := int64(retries%(MaxRetriesLimit+1)), int64(base>>1)+1, int64(limit>>1)+1
		want := viewOfDefaults()
		want.Override = "t"
		if pick(0) {
			over.MaxRetries, want.MaxRetries = &r, r
		}
		if pick(1) {
			over.BackoffBaseMS, want.BackoffBaseMS = &b, b
		}
		if pick(2) {
			over.MaxBackoffMS, want.MaxBackoffMS = &m, m
		}
		if pick(3) {
			over.Jitter, want.Jitter = ptr(EqualJitter), EqualJitter
			want.Plain = false
		}
		if pick(4) {
			over.CheckTextContent, want.CheckTextContent = &texts, texts
			want.Reads.Texts = texts
			want.Plain = want.Plain && !texts
		}
		c := defaults()
		c.Overrides = []Override{{"t", over}}
		if pick(5) {
			bound := int64(ceiling)
			c.Ceiling, want.MaxRetries = &bound, min(want.MaxRetries, bound)
		}
		e, err := New((&world{}).store(), c)
		return err == nil && reflect.DeepEqual(want, e.PolicyOf("t", -1))
	}
	assert.NoError(t, quick.Check(property, &quick.Config{MaxCount: 5000}))
}

func TestAViewCanBeBoundedByAnotherCeiling(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	assert.EqualValues(t, 2, e.PolicyOf("x", -1).MaxRetries)
	assert.EqualValues(t, 2, e.PolicyOf("x", 7).MaxRetries)
	assert.EqualValues(t, 0, e.PolicyOf("x", 0).MaxRetries)
}

func TestAViewSharesNothingWithThePolicy(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	e.PolicyOf("x", -1).RetryOnStatus[0].Code = 1
	assert.EqualValues(t, 429, e.PolicyOf("x", -1).RetryOnStatus[0].Code)
}
