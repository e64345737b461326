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

func formula(base, limit time.Duration, jitter Jitter) *Formula {
	return &Formula{2, base, limit, Exponential, 2, jitter}
}

func TestBackoffWithoutJitterFollowsTheTable(t *testing.T) {
	for _, c := range []struct {
		base, limit time.Duration
		n           uint32
		want        time.Duration
	}{
		{200 * ms, 5000 * ms, 1, 200 * ms},
		{200 * ms, 5000 * ms, 2, 400 * ms},
		{200 * ms, 5000 * ms, 5, 3200 * ms},
		{200 * ms, 5000 * ms, 6, 5000 * ms},
		{200 * ms, 5000 * ms, 64, 5000 * ms},
		{200 * ms, 5000 * ms, 65, 5000 * ms},
		{200 * ms, 5000 * ms, math.MaxUint32, 5000 * ms},
		{1 * ms, 1 * ms, 1, 1 * ms},
		{1 * ms, DelayLimitMS * ms, 31, (1 << 30) * ms},
		{1 * ms, DelayLimitMS * ms, 32, DelayLimitMS * ms},
		{DelayLimitMS * ms, DelayLimitMS * ms, 2, DelayLimitMS * ms},
		{300 * ms, 100 * ms, 1, 100 * ms}, // base above the limit: the limit
		{0, 0, 1, 1 * ms},                 // never 0
	} {
		assert.Equalf(t, c.want, formula(c.base, c.limit, NoJitter).Delay(c.n, 0, 12345),
			"base %v limit %v n %d", c.base, c.limit, c.n)
	}
}

func TestStrategiesFollowTheTable(t *testing.T) {
	for _, c := range []struct {
		strategy   Strategy
		multiplier float64
		want       []time.Duration // in milliseconds, with base 200 ms and at most 5 s
	}{
		{Exponential, 2, []time.Duration{200, 400, 800, 1600, 3200, 5000}},
		{Exponential, 1, []time.Duration{200, 200, 200, 200, 200, 200}},
		{Exponential, 1.5, []time.Duration{200, 300, 450, 675, 1012, 1518}}, // rounded down
		{Exponential, 1000, []time.Duration{200, 5000, 5000, 5000, 5000, 5000}},
		{Linear, 2, []time.Duration{200, 400, 600, 800, 1000, 1200}},
		{Fixed, 2, []time.Duration{200, 200, 200, 200, 200, 200}},
	} {
		for i, want := range c.want {
			f := Formula{9, 200 * ms, 5000 * ms, c.strategy, c.multiplier, NoJitter}
			assert.Equal(t, want*ms, f.Delay(uint32(i+1), 0, 7), "%v %v %d", c.strategy, c.multiplier, i+1)
			full, equal := f, f
			full.Jitter, equal.Jitter = FullJitter, EqualJitter
			assert.Equal(t, 1*ms, full.Delay(uint32(i+1), 0, 0))
			assert.Equal(t, want*ms, full.Delay(uint32(i+1), 0, math.MaxUint64))
			assert.Equal(t, (want+1)/2*ms, equal.Delay(uint32(i+1), 0, 0), "half, rounded up")
			assert.Equal(t, want*ms, equal.Delay(uint32(i+1), 0, math.MaxUint64))
		}
	}
}

func TestDecorrelatedJitterHasItsEnds(t *testing.T) {
	f := Formula{9, 100 * ms, 1000 * ms, Linear, 5, Decorrelated}
	for _, c := range []struct {
		previous  time.Duration
		low, high time.Duration
	}{
		{0, 100 * ms, 300 * ms}, // base before the first
		{100 * ms, 100 * ms, 300 * ms},
		{200 * ms, 100 * ms, 600 * ms},
		{900 * ms, 100 * ms, 1000 * ms},
	} {
		assert.Equal(t, c.low, f.Delay(3, c.previous, 0))
		assert.Equal(t, c.high, f.Delay(3, c.previous, math.MaxUint64))
	}
	f.MaxBackoff = 50 * ms
	assert.Equal(t, 50*ms, f.Delay(1, 0, 0), "capped below the base, too")
}

func TestJittersAreUniformBetweenTheirEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const draws = 100_000
	for jitter, ends := range map[Jitter][2]int{FullJitter: {1, 10}, EqualJitter: {5, 10}, Decorrelated: {10, 30}} {
		f := Formula{9, 10 * ms, time.Second, Exponential, 2, jitter}
		seen := map[int]float64{}
		for range draws {
			seen[int(f.Delay(1, 0, random.Uint64())/ms)]++
		}
		cells := ends[1] - ends[0] + 1
		assert.Len(t, seen, cells, jitter)
		p := 1 / float64(cells)
		deviation := math.Sqrt(draws * p * (1 - p))
		for delay := ends[0]; delay <= ends[1]; delay++ {
			assert.InDelta(t, draws*p, seen[delay], 5*deviation, "%s %d ms", jitter, delay)
		}
	}
}

func TestJitterReachesBothEndsAndNeverZero(t *testing.T) {
	assert.Equal(t, 1*ms, formula(200*ms, 5000*ms, FullJitter).Delay(1, 0, 0))
	assert.Equal(t, 200*ms, formula(200*ms, 5000*ms, FullJitter).Delay(1, 0, math.MaxUint64))
	assert.Equal(t, 1*ms, formula(1*ms, 1*ms, FullJitter).Delay(1, 0, math.MaxUint64))
}

func TestJitterIsUniform(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const draws, cells = 100_000, 10
	var seen [cells]int
	for range draws {
		d := formula(cells*ms, time.Second, FullJitter).Delay(1, 0, random.Uint64())
		seen[d/ms-1]++
	}
	for delay, n := range seen {
		// Five standard deviations of a binomial(draws, 1/cells) are 474.
		assert.InDeltaf(t, draws/cells, n, 474, "delay %d ms", delay+1)
	}
}

func TestBackoffNeverLeavesItsBounds(t *testing.T) {
	property := func(base, limit, attempt uint32, random uint64) bool {
		n := max(attempt, 1)
		b, l := time.Duration(base)*ms, time.Duration(limit)*ms
		full := formula(b, l, NoJitter).Delay(n, 0, random)
		jittered := formula(b, l, FullJitter).Delay(n, 0, random)
		next := formula(b, l, NoJitter).Delay(n+1, 0, random)
		grows := n == math.MaxUint32 || next >= full
		return jittered >= ms && jittered <= full && full <= max(l, ms) && full%ms == 0 && grows
	}
	assert.NoError(t, quick.Check(property, &quick.Config{MaxCount: 20_000}))
}

func FuzzBackoff(f *testing.F) {
	f.Add(uint32(200), uint32(5000), uint32(3), uint64(7))
	f.Fuzz(func(t *testing.T, base, limit, attempt uint32, random uint64) {
		n := max(attempt, 1)
		b, l := time.Duration(base)*ms, time.Duration(limit)*ms
		for _, strategy := range []Strategy{Exponential, Linear, Fixed} {
			plain := Formula{2, b, l, strategy, 2, NoJitter}
			want := math.Max(float64(base), 1) * map[Strategy]float64{
				Exponential: math.Pow(2, float64(n)-1), Linear: float64(n), Fixed: 1,
			}[strategy]
			want = math.Min(math.Min(math.Max(float64(limit), 1), want), DelayLimitMS)
			got := plain.Delay(n, 0, random)
			assert.Equal(t, want, float64(got.Milliseconds()))
			for _, jitter := range []Jitter{FullJitter, EqualJitter, Decorrelated} {
				jittered := Formula{2, b, l, strategy, 2, jitter}
				delay := jittered.Delay(n, got, random)
				assert.True(t, delay >= ms && delay <= max(l, ms), "%v: %v of %v", jitter, delay, got)
			}
		}
	})
}
