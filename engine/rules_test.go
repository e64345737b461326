package engine

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// full is a configuration with everything on.
func full(c *Config) {
	c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS, c.Base.ShareCooldown = ptr(true), ptr[int64](30_000), ptr(true)
	c.Base.NeverRetryOnErrorCode = &[]int64{-32602}
	c.Base.NeverRetryOnText = &[]string{"(?i)invalid argument"}
	c.Base.RetryOnText = &[]string{"overloaded"}
	c.Base.RetrySafety, c.UnsafeTools = ptr(Annotated), []string{"pay"}
	c.Base.Budget = budgetOf(10, 5, 5, 1, ToolScope)
	c.Base.MaxElapsedMS = ptr[int64](10_000)
}

func hinted(seconds float64) []Hint { return []Hint{{Name: RetryAfter, Number: seconds}} }

func TestTheFirstRuleThatSaysNoHasTheLastWord(t *testing.T) {
	// Each step takes the reason of the one before away; the others still hold.
	w := &world{}
	e := build(t, w.store(), full)
	exhaust := func(tool string) {
		for range 2 {
			_, err := e.RecordFailure(tool, "r")
			require.NoError(t, err)
		}
	}
	code := Facts{IsError: true, HasErrorCode: true, ErrorCode: -32602, ToldNotTo: true}
	texts := []string{"Invalid Argument"}
	for _, c := range []struct {
		want    Reason
		tool    string
		exhaust bool
		call    Call
	}{
		{NotRetryableStatus, "pay", true, Call{Facts: Facts{IsError: true, HasStatus: true, Status: 404, ToldNotTo: true}, Texts: texts}},
		{NotRetryableCode, "pay", true, Call{Facts: code, Texts: texts, Hints: hinted(99)}},
		{NotRetryableText, "pay", true, Call{Facts: Facts{IsError: true, ToldNotTo: true}, Texts: texts, Hints: hinted(99)}},
		{ToldNotTo, "pay", true, Call{Facts: Facts{IsError: true, ToldNotTo: true}, Hints: hinted(99)}},
		{Exhausted, "pay", true, Call{Facts: failed, Hints: hinted(99)}},
		{Unsafe, "pay", false, Call{Facts: failed, Hints: hinted(99)}},
		{HintTooLong, "a", false, Call{Facts: failed, Hints: hinted(99)}},
		{Deadline, "b", false, Call{Facts: failed, Hints: hinted(11)}},
	} {
		if c.exhaust {
			exhaust(c.tool)
		}
		c.call.Tool, c.call.RequestID = c.tool, "r"
		d, err := e.Decide(&c.call)
		require.NoError(t, err)
		assert.Equal(t, c.want, d.Reason)
		assert.Zero(t, d.Delay)
		n, _ := e.Failures(c.tool, "r")
		assert.Zero(t, n, "an answer of 0 removes the call's state")
		assert.Zero(t, e.ledger.begun.entries)
	}
	for _, l := range e.Stats().Budget {
		assert.Equal(t, l.Of, l.Tokens, "nothing was charged")
	}
	decide(t, e, "c", "1", failed)
	decide(t, e, "c", "2", failed)
	assert.Equal(t, BudgetSpent, decide(t, e, "c", "3", failed).Reason)
}

func TestAnErrorCodeOnlyCountsOnAnErrorWithoutAStatus(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.NeverRetryOnErrorCode = &[]int64{-32602}
		c.Base.CheckTextContent = ptr(true)
	})
	code := Facts{HasErrorCode: true, ErrorCode: -32602}
	with := func(change func(*Facts)) Facts { f := code; change(&f); return f }
	assert.Equal(t, NotRetryableCode, decide(t, e, "t", "a", with(func(f *Facts) { f.IsError = true })).Reason)
	assert.Equal(t, NotRetryableCode, decide(t, e, "t", "a", with(func(f *Facts) { f.NestedIsError = true })).Reason)
	assert.Equal(t, Retry, decide(t, e, "t", "b", with(func(f *Facts) { f.HasStatus, f.Status = true, 503 })).Reason)
	assert.Equal(t, Retry, decide(t, e, "t", "c", with(func(f *Facts) { f.IsError, f.ErrorCode = true, -32000 })).Reason)
	assert.Equal(t, Retry, decide(t, e, "t", "d", code, `{"isError": true}`).Reason, "an error of the text alone")
	assert.Equal(t, Success, decide(t, e, "t", "e", code).Reason)
}

func TestTextsMakeFailuresAndNeverBeatsRetry(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.RetryOnText = &[]string{"try again", "^busy$"}
		c.Base.NeverRetryOnText = &[]string{"never"}
	})
	for _, c := range []struct {
		want  Reason
		f     Facts
		texts []string
	}{
		{Retry, Facts{}, []string{"please try again"}},
		{Retry, Facts{}, []string{"fine", "busy"}},
		{Success, Facts{}, []string{"not busy"}},
		{Success, Facts{}, []string{"never"}}, // no failure: nothing to refuse
		{NotRetryableText, failed, []string{"fine", "never"}},
		{NotRetryableText, Facts{}, []string{"try again", "never"}},
		{Retry, Facts{IsError: true, HasStatus: true, Status: 404, HasStructured: true}, []string{"try again"}},
		{Retry, Facts{HasStructured: true, HasStatus: true, Status: 200}, []string{"try again"}},
	} {
		assert.Equal(t, c.want, decide(t, e, "t", fmt.Sprint(c), c.f, c.texts...).Reason, "%v", c)
	}
}

func TestTextsAreSearchedUpToABoundInAll(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.RetryOnText = &[]string{"busy"} })
	filler := string(make([]byte, SearchedTextBytes-4))
	assert.Equal(t, Retry, decide(t, e, "t", "a", Facts{}, filler, "busy").Reason)
	assert.Equal(t, Success, decide(t, e, "t", "b", Facts{}, filler+"x", "busy").Reason)
	assert.Equal(t, Retry, decide(t, e, "t", "c", Facts{}, "busy"+filler+filler).Reason)
}

func TestAHintIsWaitedForIfItIsLonger(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) {
		c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS = ptr(true), ptr[int64](30_000)
	})
	for i, c := range []struct {
		seconds float64
		want    Decision
	}{
		{0.1, Decision{Retry, 200 * ms, 1}},
		{0.2, Decision{Retry, 200 * ms, 1}}, // as long: the formula decides
		{7, Decision{RetryHint, 7 * time.Second, 1}},
		{30, Decision{RetryHint, 30 * time.Second, 1}},
		{30.001, Decision{HintTooLong, 0, 1}},
		{math.Inf(1), Decision{HintTooLong, 0, 1}},
		{-1, Decision{Retry, 200 * ms, 1}},
	} {
		d, err := e.Decide(&Call{Tool: "t", RequestID: fmt.Sprint(i), Facts: failed, Hints: hinted(c.seconds)})
		require.NoError(t, err)
		assert.Equal(t, c.want, d, "%v s", c.seconds)
	}
	d, _ := e.Decide(&Call{Tool: "t", RequestID: "several", Facts: failed,
		Hints: []Hint{{Name: RetryAfterMS, Number: 900}, {Name: RetryAfter, Number: 1}, {Name: RetryAfterMS, Number: 10}}})
	assert.Equal(t, time.Second, d.Delay, "of several the longest")
}

func TestHintsAreOffUnlessHonored(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.ShareCooldown = ptr(true) })
	f := failed
	f.ToldNotTo = true
	d, _ := e.Decide(&Call{Tool: "t", RequestID: "r", Facts: f, Hints: hinted(99)})
	assert.Equal(t, Decision{Retry, 200 * ms, 1}, d)
	assert.Equal(t, Retry, decide(t, e, "t", "s", failed).Reason, "and no cool-down")
}

func TestAHintIsSpreadByUpToATenth(t *testing.T) {
	for _, c := range []struct {
		jitter Jitter
		random uint64
		want   time.Duration
	}{
		{NoJitter, math.MaxUint64, 10 * time.Second},
		{FullJitter, 0, 10 * time.Second},
		{FullJitter, math.MaxUint64, 11 * time.Second},
		{EqualJitter, math.MaxUint64, 11 * time.Second},
	} {
		w := &world{random: c.random}
		e := build(t, w.store(), func(cfg *Config) {
			cfg.Base.HonorRetryAfter, cfg.Base.MaxRetryAfterMS, cfg.Base.Jitter = ptr(true), ptr[int64](30_000), &c.jitter
		})
		d, _ := e.Decide(&Call{Tool: "t", RequestID: "r", Facts: failed, Hints: hinted(10)})
		assert.Equal(t, c.want, d.Delay, "%v", c)
		d, _ = e.Decide(&Call{Tool: "t", RequestID: "s", Facts: failed, Hints: hinted(29)})
		assert.LessOrEqual(t, d.Delay, 30*time.Second, "never beyond max_retry_after_ms")
	}
}

func TestACoolDownHoldsForEveryRetryOfTheTool(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) {
		c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS, c.Base.ShareCooldown = ptr(true), ptr[int64](5_000), ptr(true)
	})
	hint := func(request string, seconds float64) Decision {
		d, err := e.Decide(&Call{Tool: "t", RequestID: request, Facts: failed, Hints: hinted(seconds)})
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, Decision{RetryHint, 2 * time.Second, 1}, hint("a", 2))
	w.now = 500*ms + 1
	assert.Equal(t, Decision{RetryCooldown, 1500 * ms, 1}, decide(t, e, "t", "b", failed), "rounded up")
	assert.Equal(t, Retry, decide(t, e, "other", "b", failed).Reason)
	decide(t, e, "t", "c", Facts{})
	assert.Equal(t, RetryCooldown, decide(t, e, "t", "d", failed).Reason, "a success does not clear it")
	assert.Equal(t, Decision{RetryCooldown, 1500 * ms, 1}, hint("e", 1), "an earlier instant does not shorten it")
	w.now = 2 * time.Second
	assert.Equal(t, Retry, decide(t, e, "t", "f", failed).Reason, "over")
	assert.Equal(t, HintTooLong, hint("g", 60).Reason)
	assert.Equal(t, Decision{RetryCooldown, 5 * time.Second, 1}, decide(t, e, "t", "h", failed), "at most max_retry_after_ms")
}

func TestACoolDownIsSpreadAndSurvivesTheRebuild(t *testing.T) {
	w := &world{random: math.MaxUint64}
	s := w.store()
	change := func(c *Config) {
		c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS, c.Base.ShareCooldown = ptr(true), ptr[int64](5_000), ptr(true)
		c.Base.Jitter = ptr(FullJitter)
	}
	e := build(t, s, change)
	_, _ = e.Decide(&Call{Tool: "t", RequestID: "a", Facts: failed, Hints: hinted(2)})
	e.Close()
	assert.Equal(t, Decision{RetryCooldown, 2200 * ms, 1}, decide(t, build(t, s, change), "t", "b", failed))
}

func TestNoMoreThanTenThousandToolsCoolDown(t *testing.T) {
	var c cooldowns
	for i := range uint64(cooldownLimit + 10) {
		c.note(i, time.Second)
	}
	assert.Len(t, c.tools.entries, cooldownLimit)
}

func TestNoRetryIsMadeAfterTheDeadline(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) {
		c.Base.MaxRetries, c.Base.MaxElapsedMS = ptr[int64](10), ptr[int64](1_000)
	})
	assert.Equal(t, 200*ms, decide(t, e, "t", "r", failed).Delay, "counted from the first failure")
	w.now = 600 * ms
	assert.Equal(t, 400*ms, decide(t, e, "t", "r", failed).Delay, "600 + 400 is just in time")
	w.now = 1001 * ms
	assert.Equal(t, Decision{Reason: Deadline, Failures: 3}, decide(t, e, "t", "r", failed))

	assert.NoError(t, e.Begin("t", "s"))
	w.now += 500 * ms
	assert.NoError(t, e.Begin("t", "s"), "only the first counts")
	w.now += 301 * ms
	assert.Equal(t, Deadline, decide(t, e, "t", "s", failed).Reason, "801 + 200, counted from Begin")
	assert.Zero(t, e.ledger.begun.entries)
	assert.Equal(t, Retry, decide(t, e, "t", "s", failed).Reason, "the next call begins anew")
}

func TestBeginningsAreBoundedAndExpireAndEndWithASuccess(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) {
		c.Base.MaxElapsedMS, c.MaxTrackedRequests = ptr[int64](1_000), 10
		c.Overrides = []Override{{Tool: "none", Fields: Fields{MaxElapsedMS: ptr[int64](0)}}}
	})
	assert.NoError(t, e.Begin("none", "r"))
	assert.Zero(t, e.ledger.begun.entries, "only for tools with a deadline")
	for i := range 100 {
		assert.NoError(t, e.Begin("t", fmt.Sprint(i)))
	}
	assert.Equal(t, 10, e.ledger.begun.entries)
	assert.Zero(t, e.Counters().Busy, "a success elsewhere need not be decided")
	decide(t, e, "t", "99", Facts{})
	assert.Equal(t, 9, e.ledger.begun.entries)
	w.now = 301 * time.Second
	for i := range 20 {
		assert.NoError(t, e.Begin("t", fmt.Sprint("new", i%2)))
	}
	assert.Equal(t, 2, e.ledger.begun.entries)
}

func TestAStatusHasItsOwnFormula(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) {
		c.Base.RetryOnStatus = &[]Status{{Code: 429}, {Class: 5}}
		c.Base.CheckTextContent = ptr(true)
		c.Base.StatusOverrides = &[]StatusFields{
			{Status{Code: 429}, FormulaFields{BackoffBaseMS: ptr[int64](1000), MaxRetries: ptr[int64](4)}},
			{Status{Class: 5}, FormulaFields{BackoffBaseMS: ptr[int64](50)}},
			{Status{Code: 503}, FormulaFields{Strategy: ptr(Linear)}},
		}
		c.Overrides = []Override{{Tool: "own", Fields: Fields{
			FormulaFields: FormulaFields{BackoffBaseMS: ptr[int64](7), MaxRetries: ptr[int64](1)},
			StatusOverrides: &[]StatusFields{
				{Status{Code: 429}, FormulaFields{MaxRetries: ptr[int64](0)}},
			},
		}}}
	})
	code := func(n int64) Facts { return Facts{HasStatus: true, Status: n} }
	for i, c := range []struct {
		tool string
		f    Facts
		want time.Duration
	}{
		{"t", failed, 200 * ms},
		{"t", code(429), 1000 * ms},
		{"t", code(500), 50 * ms},
		{"t", code(503), 200 * ms}, // an exact entry beats its class
		{"own", failed, 7 * ms},
		{"own", code(500), 50 * ms}, // the base's entry beats the tool's plain fields
		{"own", code(503), 7 * ms},  // and leaves to them what it does not say
	} {
		assert.Equal(t, c.want, decide(t, e, c.tool, fmt.Sprint(i), c.f).Delay, "%v", c)
	}
	assert.Equal(t, Exhausted, decide(t, e, "own", "x", code(429)).Reason, "entries are merged by status")
	v := e.PolicyOf("own", -1)
	assert.Equal(t, FormulaView{0, 1000, 5000, Exponential, 2, NoJitter}, v.StatusOverrides[0].FormulaView, "field by field")

	assert.Equal(t, 1000*ms, decide(t, e, "t", "text", Facts{}, `{"status_code": 429}`).Delay)
	assert.Equal(t, 50*ms, decide(t, e, "t", "text2", failed, `{"status_code": 500}`).Delay)

	assert.Equal(t, 200*ms, decide(t, e, "t", "one", failed).Delay)
	assert.Equal(t, 2000*ms, decide(t, e, "t", "one", code(429)).Delay, "one count per call, the formula of the status just seen")
	assert.Equal(t, 4000*ms, decide(t, e, "t", "one", code(429)).Delay)
	assert.Equal(t, Exhausted, decide(t, e, "t", "one", failed).Reason, "and the limit")
}

func TestNoticesOfFormulas(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Ceiling = ptr[int64](3)
		c.SafeTools = []string{"a"}
		c.Base.StatusOverrides = &[]StatusFields{
			{Status{Code: 429}, FormulaFields{MaxRetries: ptr[int64](9)}},
			{Status{Code: 404}, FormulaFields{BackoffBaseMS: ptr[int64](6000)}},
		}
		c.Overrides = []Override{
			{Tool: "x*", Fields: Fields{FormulaFields: FormulaFields{Jitter: ptr(Decorrelated), Strategy: ptr(Linear)}}},
			{Tool: "y", Fields: Fields{FormulaFields: FormulaFields{Strategy: ptr(Fixed), Multiplier: ptr(3.0)}}},
		}
	})
	assert.Equal(t, []Notice{
		{StatusNotRetried, "", "404", 0, 0},
		{Clamped, "", "429", 9, 3},
		{BaseAboveMax, "", "404", 6000, 5000},
		{StrategyUnused, "x*", "", 0, 0},
		{MultiplierUnused, "y", "", 0, 0},
		{ListUnused, "", "", 0, 0},
	}, e.Notices())
	assert.EqualValues(t, 3, e.policies.base.formulaFor(429, true).MaxRetries, "clamped in entries, too")
}

func TestDecorrelatedDelaysFollowTheLastOne(t *testing.T) {
	w := &world{random: math.MaxUint64}
	e := build(t, w.store(), func(c *Config) {
		c.Base.Jitter, c.Base.MaxRetries = ptr(Decorrelated), ptr[int64](10)
	})
	for i, want := range []time.Duration{600, 1800, 5000, 5000} {
		assert.Equal(t, want*ms, decide(t, e, "t", "r", failed).Delay, i)
	}
	w.random = 0
	assert.Equal(t, 200*ms, decide(t, e, "t", "r", failed).Delay)
}

func TestEverythingOnAllocatesNothingOnceWarm(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), func(c *Config) { full(c); c.Base.Budget.Tokens = 1000 })
	call := Call{Tool: "t", RequestID: "r", Facts: failed, Hints: hinted(1), Texts: []string{"some text"}}
	fine := Call{Tool: "t", RequestID: "r"}
	round := func() { _, _ = e.Decide(&call); _, _ = e.Decide(&fine) }
	round()
	assert.Zero(t, testing.AllocsPerRun(1000, round))
}
