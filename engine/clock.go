package engine

import "time"

// Environment is everything the engine takes from outside. All functions are
// called from any thread, some of them under a lock, and must not call back
// into the engine.
type Environment struct {
	// Now is a monotonic clock: time since an arbitrary fixed origin.
	Now func() time.Duration
	// WallNow is the time of day, for dates in hints; nil: there are none.
	WallNow func() time.Time
	// Random returns 64 uniformly distributed bits; used for jitter only.
	Random func() uint64
	// NewCounters returns a zeroed block that readers outside the engine may
	// look at without a call. nil means: plain Go memory. Blocks are recycled
	// and never given back, so a late reader never touches freed memory.
	NewCounters func() *Counters
}

// Counters is shared with callers that want to skip a call: a result without any
// sign of an error, while Busy is 0, changes nothing in the engine but the number of
// successes (except of a tool that has a deadline, see [Engine.Begin]). All fields are
// accessed atomically on both sides.
type Counters struct {
	// Busy is the number of requests whose failures are being counted and of budgets
	// that are not full.
	Busy int64
	// FastSuccesses counts the calls that were answered without the engine.
	FastSuccesses uint64
	// Faults counts the calls that were not answered; only callers know all of them.
	Faults uint64
}
