package engine

import (
	"errors"
	"time"
)

// ErrBroken is what an engine answers after a panic inside it or inside another
// engine of the same plugin name. A new engine works again.
var ErrBroken = errors.New("the engine is out of order after an internal fault; build a new one")

// Engine decides for one plugin object. Safe for concurrent use.
type Engine struct {
	store    *Store
	ledger   *ledger
	policies *policies
	notices  []Notice
}

// Call is one result of a tool, to be decided on. The engine reads the strings
// during the call and keeps none of them, so they may point into memory that
// belongs to the caller.
type Call struct {
	Tool, RequestID string
	Facts           Facts
	// Texts are the text payloads: needed if the policy reads or searches them.
	Texts []string
	// Hints are what was found outside texts.
	Hints []Hint
}

// Decision is the answer to a Call.
type Decision struct {
	Reason Reason
	// Delay until the next attempt, in whole milliseconds; 0 means: no retry.
	Delay time.Duration
	// Failures is the number of consecutive failures of the call so far, this one
	// included; 0 if it is over without one.
	Failures uint32
}

// New builds an engine. Engines of one name in one store share their counts.
func New(store *Store, c *Config) (*Engine, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	policies, notices, err := newPolicies(c)
	if err != nil {
		return nil, err
	}
	return &Engine{store: store, policies: policies, notices: notices, ledger: store.acquire(c, policies)}, nil
}

// Close gives back what the engine holds. Counts and statistics stay with its
// name. Call it once; the engine must not be used afterwards.
func (e *Engine) Close() { e.store.release(e.ledger) }

// Break marks the engine, and all that share its counts, as out of order.
func (e *Engine) Break() { e.store.condemn(e.ledger) }

// Decide judges one result, counts it and says whether and when to try again.
// Every answer without a delay ends the call: what was known of it is removed.
// O(1), without allocation. Policies are in rules.go.
func (e *Engine) Decide(c *Call) (Decision, error) {
	t := e.policies.of(c.Tool)
	v := judgeCall(t.Policy, c, e.store.env.WallNow)

	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken.Load() {
		return Decision{Reason: Fault}, ErrBroken
	}
	a := attempt{ledger: l, env: &e.store.env, tool: &t, call: c, verdict: &v, now: e.store.env.Now()}
	l.tracker.expire(a.now)
	a.key = l.tracker.keyOf(c.Tool, c.RequestID)
	d := a.decide()
	l.count(d)
	l.publish()
	return d, nil
}

// Begin notes that a call has begun, for tools with a deadline: without it the time
// counts from the first failure. Only the first Begin of a call counts.
func (e *Engine) Begin(tool, request string) error {
	if e.policies.of(tool).MaxElapsed == 0 {
		return nil
	}
	return e.withTracker(&e.ledger.begun, tool, request, func(t *tracker, k key, now time.Duration) { t.begun(k, now) })
}

// Counters is the block that callers may read to skip a call, see [Counters].
func (e *Engine) Counters() *Counters { return e.ledger.counters }

// Notices reports what New found in the configuration.
func (e *Engine) Notices() []Notice { return e.notices }

// PolicyOf shows the policy in force for a tool, with max_retries bounded by
// ceiling unless that is negative.
func (e *Engine) PolicyOf(name string, ceiling int64) PolicyView {
	t := e.policies.of(name)
	return t.view(ceiling)
}

// BasePolicy shows the policy of tools without an override, bounded likewise.
func (e *Engine) BasePolicy(ceiling int64) PolicyView {
	t := tool{Policy: e.policies.base}
	return t.view(ceiling)
}
