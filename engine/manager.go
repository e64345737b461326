package engine

import "time"

// The steps of Decide one by one, for the interface of the wheel that this
// project replaces (its class RetryStateManager).

// Judge tells whether a result is a failure that the tool's policy retries.
func (e *Engine) Judge(tool string, f Facts) bool {
	return judge(e.policies.of(tool).Policy, &f) == Retry
}

// BackoffOf returns the delay before retry attempt+1 of a tool, as after a failure
// without a status and a hint.
func (e *Engine) BackoffOf(tool string, attempt uint32) time.Duration {
	f := &e.policies.of(tool).Formula
	return f.Delay(max(attempt, attempt+1), 0, e.store.env.Random())
}

// Failures returns the count of a call.
func (e *Engine) Failures(tool, request string) (count uint32, err error) {
	err = e.withTracker(&e.ledger.tracker, tool, request, func(t *tracker, k key, now time.Duration) { count = t.failures(k, now) })
	return count, err
}

// RecordFailure adds one failure to a call's count and returns the count.
func (e *Engine) RecordFailure(tool, request string) (count uint32, err error) {
	err = e.withTracker(&e.ledger.tracker, tool, request, func(t *tracker, k key, now time.Duration) { count = t.fail(k, now).failures })
	return count, err
}

// Forget removes a call's count.
func (e *Engine) Forget(tool, request string) error {
	return e.withTracker(&e.ledger.tracker, tool, request, func(t *tracker, k key, now time.Duration) { t.forget(k, now) })
}

// withTracker works on a call in one of the ledger's trackers, under its lock. Keys are
// those of the first tracker in all of them.
func (e *Engine) withTracker(t *tracker, tool, request string, do func(*tracker, key, time.Duration)) error {
	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken.Load() {
		return ErrBroken
	}
	now := e.store.env.Now()
	t.expire(now)
	do(t, l.tracker.keyOf(tool, request), now)
	l.publish()
	return nil
}
