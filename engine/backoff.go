package engine

import (
	"math"
	"math/bits"
	"time"
)

// Strategy is how delays grow from retry to retry.
type Strategy string

// Jitter is how a delay is spread, so that calls which failed together do not come
// back together.
type Jitter string

// The strategies and jitters, by their names in a configuration.
const (
	Exponential Strategy = "exponential"
	Linear      Strategy = "linear"
	Fixed       Strategy = "fixed"

	NoJitter     Jitter = "none"
	FullJitter   Jitter = "full"
	EqualJitter  Jitter = "equal"
	Decorrelated Jitter = "decorrelated"
)

// Formula says how often a call is retried and how long it waits before each retry.
// Immutable, so safe for concurrent use.
type Formula struct {
	MaxRetries  int64
	BackoffBase time.Duration // whole milliseconds, at least 1
	MaxBackoff  time.Duration // likewise
	Strategy    Strategy
	Multiplier  float64 // of Exponential; 1 to 1000
	Jitter      Jitter
}

// Delay returns how long to wait before retry number n (1 is the first):
//
//	exponential    base * multiplier^(n-1)
//	linear         base * n
//	fixed          base
//
// rounded down to milliseconds, at least 1, at most MaxBackoff. Then the jitter:
//
//	none           the delay
//	full           uniform over 1 ... delay
//	equal          uniform over ceil(delay/2) ... delay
//	decorrelated   uniform over base ... 3*previous (base before the first),
//	               at most MaxBackoff; the strategy plays no part
//
// previous is what Delay answered for the retry before, random is 64 uniform bits,
// which only jitter looks at. A fixed number gives a fixed answer: the function is pure.
// The answer is never 0, because the gateway reads 0 as "do not retry".
//
// Formulas: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, moved off
// zero. With base 200 ms, multiplier 2 and at most 5 s:
//
//	n                      1    2    3     4     5     6
//	exponential, ms        200  400  800   1600  3200  5000
//	mean with full, ms     100  200  400   800   1600  2500
//	mean with equal, ms    150  300  600   1200  2400  3750
//	linear, ms             200  400  600   800   1000  1200
//	fixed, ms              200  200  200   200   200   200
func (f *Formula) Delay(n uint32, previous time.Duration, random uint64) time.Duration {
	base, limit := max(f.BackoffBase.Milliseconds(), 1), max(f.MaxBackoff.Milliseconds(), 1)
	if f.Jitter == Decorrelated {
		before := max(previous.Milliseconds(), base)
		return milliseconds(min(limit, uniform(base, 3*before, random)))
	}
	delay := min(f.growth(base, n), limit)
	switch f.Jitter {
	case FullJitter:
		delay = uniform(1, delay, random)
	case EqualJitter:
		delay = uniform((delay+1)/2, delay, random)
	}
	return milliseconds(delay)
}

// growth is the strategy's formula in milliseconds, saturating.
func (f *Formula) growth(base int64, n uint32) int64 {
	delay := float64(base)
	switch f.Strategy {
	case Linear:
		delay *= float64(n)
	case Fixed:
	default:
		if f.Multiplier == 2 { // the default: exact, and at once
			delay = math.Ldexp(delay, int(n)-1)
		} else {
			delay *= math.Pow(f.Multiplier, float64(n)-1)
		}
	}
	if !(delay < DelayLimitMS) { // also for +Inf
		return DelayLimitMS
	}
	return max(int64(delay), 1)
}

// uniform maps 64 random bits to low ... high: the high word of random*n is uniform
// over 0 ... n-1 (Lemire, 2019); its bias is below n/2^64.
func uniform(low, high int64, random uint64) int64 {
	offset, _ := bits.Mul64(random, uint64(high-low)+1)
	return low + int64(offset)
}

// upToATenth is uniform over 0 ... a tenth of d, in whole milliseconds.
func upToATenth(d time.Duration, random uint64) time.Duration {
	return milliseconds(uniform(0, d.Milliseconds()/10, random))
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
