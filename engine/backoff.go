package engine

import (
	"math/bits"
	"time"
)

// Backoff returns how long to wait before retry number attempt+1 (attempt 0 is
// the first retry): capped exponential backoff, with full jitter if asked for.
//
//	delay(attempt) = min(limit, base * 2^attempt), saturating
//	full jitter    = uniform over 1 ms ... delay
//
// random is 64 uniform bits; it is only looked at with jitter. A fixed number
// gives a fixed answer: the function is pure.
//
// The result is a whole number of milliseconds and never 0, because the gateway
// reads 0 as "do not retry". Units finer than a millisecond do not occur: base
// and limit are whole milliseconds, at least 1.
//
// Formula: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full
// jitter"), moved off zero. With base 200 ms and limit 5 s:
//
//	attempt        0    1    2     3     4     5
//	without, ms    200  400  800   1600  3200  5000
//	mean with, ms  100  200  400   800   1600  2500
func Backoff(base, limit time.Duration, jitter bool, attempt uint32, random uint64) time.Duration {
	baseMS, limitMS := max(base.Milliseconds(), 1), max(limit.Milliseconds(), 1)
	delay := uint64(limitMS)
	// base << attempt fits below limit only while attempt is smaller than the
	// difference of their bit lengths (+1); beyond that the limit has won.
	if int(attempt) <= bits.Len64(uint64(limitMS))-bits.Len64(uint64(baseMS)) {
		delay = min(delay, uint64(baseMS)<<attempt)
	}
	if jitter {
		// The high word of random*delay is uniform over 0..delay-1 (Lemire, 2019);
		// its bias is below delay/2^64.
		high, _ := bits.Mul64(random, delay)
		delay = high + 1
	}
	return time.Duration(delay) * time.Millisecond
}
