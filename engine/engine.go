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
	// Texts are the text payloads, if the result has no structured content. They
	// are only looked at if the policy says so and Facts show no error.
	Texts []string
}

// Decision is the answer to a Call.
type Decision struct {
	Reason Reason
	// Delay until the next attempt; 0 means: no retry.
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
	e := &Engine{store: store}
	e.policies, e.notices = newPolicies(c)
	e.ledger = store.acquire(c)
	return e, nil
}

// Close gives back what the engine holds. Counts and statistics stay with its
// name. Call it once; the engine must not be used afterwards.
func (e *Engine) Close() { e.store.release(e.ledger) }

// Break marks the engine, and all that share its counts, as out of order.
func (e *Engine) Break() { e.store.condemn(e.ledger) }

// Decide judges one result, counts it and says whether and when to try again.
// Every answer without a delay ends the call: its count is removed.
// O(1), without allocation.
func (e *Engine) Decide(c Call) (Decision, error) {
	p := e.policies.forTool(c.Tool)
	reason := judge(p, c.Facts)
	if reason == Success && len(c.Texts) > 0 {
		reason = judgeTexts(p, c.Texts)
	}

	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken.Load() {
		return Decision{Reason: Fault}, ErrBroken
	}
	t := &l.tracker
	now := e.store.env.Now()
	t.expire(now)
	d := Decision{Reason: reason}
	k := t.keyOf(c.Tool, c.RequestID)
	if reason == Retry {
		if p.MaxRetries > 0 {
			d.Failures = t.fail(k, now)
		} else { // the first failure is the last: nothing to remember
			d.Failures = t.failures(k, now) + 1
		}
		if int64(d.Failures) > p.MaxRetries {
			d.Reason = Exhausted
		}
	}
	if d.Reason == Retry {
		d.Delay = e.backoff(p, d.Failures-1)
	} else {
		t.forget(k)
	}
	l.decisions[d.Reason]++
	l.publish()
	return d, nil
}

func (e *Engine) backoff(p *Policy, attempt uint32) time.Duration {
	var random uint64
	if p.Jitter {
		random = e.store.env.Random()
	}
	return Backoff(p.BackoffBase, p.MaxBackoff, p.Jitter, attempt, random)
}

// Counters is the block that callers may read to skip a call, see [Counters].
func (e *Engine) Counters() *Counters { return e.ledger.counters }

// Notices reports what New found in the configuration.
func (e *Engine) Notices() []Notice { return e.notices }

// PolicyOf shows the policy in force for a tool, with max_retries bounded by
// ceiling unless that is negative.
func (e *Engine) PolicyOf(tool string, ceiling int64) PolicyView {
	return e.policies.forTool(tool).view(ceiling)
}

// BasePolicy shows the policy of tools without an override, bounded likewise.
func (e *Engine) BasePolicy(ceiling int64) PolicyView { return e.policies.base.view(ceiling) }
