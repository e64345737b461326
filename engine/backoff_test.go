package engine

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
)

const ms = time.Millisecond

func TestBackoffWithoutJitterFollowsTheTable(t *testing.T) {
	for _, c := range []struct {
		base, limit time.Duration
		attempt     uint32
		want        time.Duration
	}{
		{200 * ms, 5000 * ms, 0, 200 * ms},
		{200 * ms, 5000 * ms, 1, 400 * ms},
		{200 * ms, 5000 * ms, 4, 3200 * ms},
		{200 * ms, 5000 * ms, 5, 5000 * ms},
		{200 * ms, 5000 * ms, 63, 5000 * ms},
		{200 * ms, 5000 * ms, 64, 5000 * ms},
		{200 * ms, 5000 * ms, math.MaxUint32, 5000 * ms},
		{1 * ms, 1 * ms, 0, 1 * ms},
		{1 * ms, DelayLimitMS * ms, 30, (1 << 30) * ms},
		{1 * ms, DelayLimitMS * ms, 31, DelayLimitMS * ms},
		{DelayLimitMS * ms, DelayLimitMS * ms, 1, DelayLimitMS * ms},
		{300 * ms, 100 * ms, 0, 100 * ms}, // base above the limit: the limit
		{0, 0, 0, 1 * ms},                 // never 0
	} {
		assert.Equalf(t, c.want, Backoff(c.base, c.limit, false, c.attempt, 12345),
			"base %v limit %v attempt %d", c.base, c.limit, c.attempt)
	}
}

func TestJitterReachesBothEndsAndNeverZero(t *testing.T) {
	assert.Equal(t, 1*ms, Backoff(200*ms, 5000*ms, true, 0, 0))
	assert.Equal(t, 200*ms, Backoff(200*ms, 5000*ms, true, 0, math.MaxUint64))
	assert.Equal(t, 1*ms, Backoff(1*ms, 1*ms, true, 0, math.MaxUint64))
}

func TestJitterIsUniform(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const draws, cells = 100_000, 10
	var seen [cells]int
	for range draws {
		d := Backoff(cells*ms, time.Second, true, 0, random.Uint64())
		seen[d/ms-1]++
	}
	for delay, n := range seen {
		// Five standard deviations of a binomial(draws, 1/cells) are 474.
		assert.InDeltaf(t, draws/cells, n, 474, "delay %d ms", delay+1)
	}
}

func TestBackoffNeverLeavesItsBounds(t *testing.T) {
	property := func(base, limit uint32, attempt uint32, random uint64) bool {
		b, l := time.Duration(base)*ms, time.Duration(limit)*ms
		full := Backoff(b, l, false, attempt, random)
		jittered := Backoff(b, l, true, attempt, random)
		next := Backoff(b, l, false, attempt+1, random)
		grows := attempt == math.MaxUint32 || next >= full
		return jittered >= ms && jittered <= full && full <= max(l, ms) && full%ms == 0 && grows
	}
	assert.NoError(t, quick.Check(property, &quick.Config{MaxCount: 20_000}))
}

func FuzzBackoff(f *testing.F) {
	f.Add(uint32(200), uint32(5000), uint32(3), uint64(7))
	f.Fuzz(func(t *testing.T, base, limit, attempt uint32, random uint64) {
		// The obvious way, in floating point: exact for these magnitudes.
		want := math.Min(math.Max(float64(limit), 1), math.Max(float64(base), 1)*math.Pow(2, float64(attempt)))
		got := Backoff(time.Duration(base)*ms, time.Duration(limit)*ms, false, attempt, random)
		assert.Equal(t, want, float64(got.Milliseconds()))
		jittered := Backoff(time.Duration(base)*ms, time.Duration(limit)*ms, true, attempt, random)
		assert.True(t, jittered >= ms && jittered <= got, "jittered %v, full %v", jittered, got)
	})
}
