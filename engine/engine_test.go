package engine

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFailuresAreRetriedUntilTheLimitAndThenForgotten(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	assert.Equal(t, Decision{Retry, 200 * ms, 1}, decide(t, e, "t", "r", failed))
	assert.Equal(t, Decision{Retry, 400 * ms, 2}, decide(t, e, "t", "r", failed))
	assert.Equal(t, Decision{Exhausted, 0, 3}, decide(t, e, "t", "r", failed))
	assert.Equal(t, Decision{Retry, 200 * ms, 1}, decide(t, e, "t", "r", failed), "the count began again")
}

func TestEveryAnswerWithoutADelayEndsTheCall(t *testing.T) {
	for name, end := range map[string]Facts{
		"success": {}, "an error that is not retried": {IsError: true, HasStatus: true, Status: 404},
	} {
		e := build(t, (&world{}).store(), nil)
		decide(t, e, "t", "r", failed)
		d := decide(t, e, "t", "r", end)
		assert.Zero(t, d.Delay, name)
		assert.Zero(t, d.Failures, name)
		assert.Zero(t, e.Stats().Tracked, name)
		assert.EqualValues(t, 1, decide(t, e, "t", "r", failed).Failures, name)
	}
}

func TestWithoutRetriesAFailureIsExhaustedAtOnce(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.MaxRetries = ptr[int64](0) })
	assert.Equal(t, Decision{Exhausted, 0, 1}, decide(t, e, "t", "r", failed))
	assert.Zero(t, e.Stats().Tracked)
}

func TestTheToolsPolicyDecides(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Overrides = []Override{{Tool: "fragile", Fields: Fields{FormulaFields: FormulaFields{MaxRetries: ptr[int64](1), BackoffBaseMS: ptr[int64](50)}}}}
	})
	assert.Equal(t, 50*ms, decide(t, e, "fragile", "r", failed).Delay)
	assert.Equal(t, Exhausted, decide(t, e, "fragile", "r", failed).Reason)
	assert.Equal(t, 200*ms, decide(t, e, "sturdy", "r", failed).Delay)
}

func TestTextsOnlyCountWhenNothingElseShowsAnError(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.CheckTextContent = ptr(true) })
	bad := `{"status_code":503}`
	assert.Equal(t, Retry, decide(t, e, "t", "1", Facts{}, bad).Reason)
	assert.Equal(t, Success, decide(t, e, "t", "2", Facts{}, "fine").Reason)
	assert.Equal(t, NotRetryableStatus, decide(t, e, "t", "3", Facts{IsError: true, HasStatus: true, Status: 400}, bad).Reason)
}

func TestJitterComesFromTheEnvironment(t *testing.T) {
	w := &world{random: 1 << 63} // one half
	e := build(t, w.store(), func(c *Config) { c.Base.Jitter = ptr(FullJitter) })
	assert.Equal(t, 101*ms, decide(t, e, "t", "r", failed).Delay)
}

func TestStateIsForgottenAfterItsTimeToLive(t *testing.T) {
	w := &world{}
	e := build(t, w.store(), nil)
	decide(t, e, "t", "r", failed)
	w.now += 300*time.Second + 1
	assert.EqualValues(t, 1, decide(t, e, "t", "r", failed).Failures)
	assert.EqualValues(t, 1, e.Stats().Expired)
}

func TestStatisticsAddUp(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	for range 3 {
		decide(t, e, "t", "r", failed)
	}
	decide(t, e, "t", "r", Facts{})
	decide(t, e, "t", "r", Facts{IsError: true, HasStatus: true, Status: 404})
	e.Counters().FastSuccesses += 7
	seen := e.Stats().Decisions
	assert.Len(t, seen, int(ReasonCount))
	maps.DeleteFunc(seen, func(_ string, n uint64) bool { return n == 0 })
	assert.Equal(t, map[string]uint64{
		"success": 8, "retry": 2, "exhausted": 1, "not_retryable_status": 1,
	}, seen)
	delays := e.Stats().Delays
	assert.EqualValues(t, 600, delays.Sum)
	assert.EqualValues(t, 1, delays.Counts[slices.Index(delays.Bounds, 250)], "200 ms")
	assert.EqualValues(t, 1, delays.Counts[slices.Index(delays.Bounds, 500)], "400 ms")
}

func TestTheOldStepsWorkOnTheSameCounts(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	n, err := e.RecordFailure("t", "r")
	assert.NoError(t, err)
	assert.EqualValues(t, 1, n)
	assert.EqualValues(t, 2, decide(t, e, "t", "r", failed).Failures)
	n, _ = e.Failures("t", "r")
	assert.EqualValues(t, 2, n)
	assert.NoError(t, e.Forget("t", "r"))
	n, _ = e.Failures("t", "r")
	assert.Zero(t, n)
	assert.True(t, e.Judge("t", Facts{HasStatus: true, Status: 503}))
	assert.False(t, e.Judge("t", Facts{IsError: true, HasStatus: true, Status: 404}))
	assert.Equal(t, 800*ms, e.BackoffOf("t", 2))
}

func TestManyThreadsLoseNoCount(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.MaxRetries = ptr[int64](1000) })
	const threads, calls = 8, 100
	var group sync.WaitGroup
	for thread := range threads {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range calls {
				_, _ = e.Decide(&Call{Tool: "t", RequestID: "same", Facts: failed})
				_, _ = e.Decide(&Call{Tool: "t", RequestID: fmt.Sprint(thread, i), Facts: failed})
				_ = e.Stats()
				_ = e.PolicyOf("t", -1)
			}
		}()
	}
	group.Wait()
	n, _ := e.Failures("t", "same")
	assert.EqualValues(t, threads*calls, n)
	assert.Equal(t, 1+threads*calls, e.Stats().Tracked)
	assert.EqualValues(t, 2*threads*calls, e.Stats().Decisions["retry"])
}

func TestTheHotPathDoesNotAllocate(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	call := Call{Tool: "t", RequestID: "r", Facts: failed}
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = e.Decide(&call) }))
	call.Facts = Facts{}
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = e.Decide(&call) }))
}
