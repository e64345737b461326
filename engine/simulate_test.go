package engine

import (
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func play(t *testing.T, change func(*Load), configure func(*Config)) *Simulated {
	t.Helper()
	l := &Load{
		Tool: "t", RPS: 50, DurationMS: 120_000, Workers: 4, LatencyMS: 50,
		OutageStartMS: 30_000, OutageMS: 30_000, Status: 503, Seed: 1,
	}
	if change != nil {
		change(l)
	}
	c := defaults()
	if configure != nil {
		configure(c)
	}
	out, err := Simulate(c, l, nil)
	require.NoError(t, err)
	return out
}

func TestWithoutFailuresEveryCallSucceedsAtOnce(t *testing.T) {
	out := play(t, func(l *Load) { l.OutageMS = 0 }, nil)
	assert.InDelta(t, 6000, out.Calls, 400)
	assert.Equal(t, out.Calls, out.Succeeded)
	assert.Equal(t, out.Calls, out.FirstTry)
	assert.Equal(t, out.Calls, out.Attempts)
	assert.Equal(t, SimulatedLatency{50, 50, 50, 50}, out.Latency)
}

func TestAnOutageMultipliesTheLoadByTheRetries(t *testing.T) {
	out := play(t, nil, nil)
	assert.InDelta(t, 0.25, 1-float64(out.Succeeded)/float64(out.Calls), 0.03, "a quarter of the time")
	assert.EqualValues(t, out.Attempts, out.Calls+int64(out.Decisions["retry"]))
	assert.EqualValues(t, out.Decisions["exhausted"], out.Calls-out.Succeeded)
	var worst float64
	for _, s := range out.Series {
		worst = max(worst, float64(s.Attempts)/float64(max(s.Calls, 1)))
	}
	assert.Greater(t, worst, 2.0, "up to three attempts for each call")
}

func TestABudgetBoundsWhatAnOutageAdds(t *testing.T) {
	out := play(t, nil, func(c *Config) { c.Base.Budget = budgetOf(100, 5, 5, 1, ToolScope) })
	assert.LessOrEqual(t, out.Attempts-out.Calls, int64(4*100/5+5), "tokens / cost for each worker, and what successes pay for")
	assert.NotZero(t, out.Decisions["budget"])
}

func TestCapacityFailsWhatIsBeyondIt(t *testing.T) {
	out := play(t, func(l *Load) { l.OutageMS, l.CapacityRPS = 0, 25 }, func(c *Config) { c.Base.MaxRetries = ptr[int64](0) })
	assert.InDelta(t, 0.5, float64(out.Succeeded)/float64(out.Calls), 0.03)
}

func TestHintsAreWaitedForInSimulations(t *testing.T) {
	out := play(t, func(l *Load) { l.RetryAfterMS = 2_000 }, func(c *Config) {
		c.Base.HonorRetryAfter, c.Base.MaxRetryAfterMS = ptr(true), ptr[int64](30_000)
	})
	assert.NotZero(t, out.Decisions["retry_hint"])
	assert.Zero(t, out.Decisions["retry"])
}

func TestTheSameSeedGivesTheSameSimulation(t *testing.T) {
	jitter := func(c *Config) { c.Base.Jitter = ptr(FullJitter) }
	rate := func(seed uint64) func(*Load) { return func(l *Load) { l.FailRate, l.Seed = 0.2, seed } }
	assert.Equal(t, play(t, rate(1), jitter), play(t, rate(1), jitter))
	assert.NotEqual(t, play(t, rate(1), jitter), play(t, rate(2), jitter))
}

func TestASimulationShowsItsProgressAndCanBeCancelled(t *testing.T) {
	var p Progress
	l := &Load{RPS: 10, DurationMS: 10_000, Workers: 1}
	_, err := Simulate(defaults(), l, &p)
	require.NoError(t, err)
	assert.Greater(t, p.Done, int64(9_000))
	p.Cancel = 1
	_, err = Simulate(defaults(), l, &p)
	assert.ErrorIs(t, err, ErrCancelled)
}

func TestALoadOutOfBoundsIsRefused(t *testing.T) {
	good := `{"rps": 1, "duration_ms": 1000, "workers": 1}`
	_, err := ParseLoad([]byte(good))
	require.NoError(t, err)
	for _, bad := range []string{
		``, `[]`, `{"rps": 0, "duration_ms": 1000, "workers": 1}`, `{"rps": 1, "duration_ms": 0, "workers": 1}`,
		`{"rps": 1, "duration_ms": 1000, "workers": 0}`, `{"rps": 1e9, "duration_ms": 1000000, "workers": 1}`,
		`{"rps": 1, "duration_ms": 1000, "workers": 1, "fail_rate": 2}`,
		`{"rps": 1, "duration_ms": 1000, "workers": 1, "capacity_rps": -1}`,
		`{"rps": 1, "duration_ms": 1000, "workers": 1, "unknown": 1}`,
	} {
		_, err := ParseLoad([]byte(bad))
		assert.Error(t, err, bad)
	}
}

func TestASimulationIsManyTimesFasterThanWhatItPlays(t *testing.T) {
	// Not a measurement: an hour that took minutes would be no simulation.
	begun := time.Now()
	play(t, func(l *Load) { l.DurationMS = 3_600_000 }, nil)
	assert.Less(t, time.Since(begun), time.Minute)
}

func TestASimulationCanBeWrittenAsJSON(t *testing.T) {
	text, err := json.Marshal(play(t, nil, nil))
	require.NoError(t, err)
	assert.Less(t, len(text), 1<<19, "callers have a MiB of room")
}
