package engine

import "time"

// attempt is one result on its way to a decision. It is made and used under the
// ledger's lock.
type attempt struct {
	ledger  *ledger
	env     *Environment
	tool    *tool
	call    *Call
	verdict *verdict
	now     time.Duration
	key     key
}

// decide applies the rules in their order: the first that says no has the last word.
func (a *attempt) decide() Decision {
	var d Decision
	switch a.verdict.reason {
	case Success:
		a.succeed()
		return d
	case NotRetryableStatus:
		d.Reason = NotRetryableStatus
	default:
		d = a.fail()
	}
	if d.Delay == 0 {
		a.end()
	}
	return d
}

// fail counts a failure and decides whether it is retried.
func (a *attempt) fail() Decision {
	v, p := a.verdict, a.tool.Policy
	f := p.formulaFor(v.status, v.hasStatus)
	cooldown := a.cooldown()

	var entry *slot
	var d Decision
	if f.MaxRetries > 0 {
		entry = a.ledger.tracker.fail(a.key, a.now)
		d.Failures = entry.failures
	} else { // the first failure is the last: nothing to remember
		d.Failures = a.ledger.tracker.failures(a.key, a.now) + 1
	}
	switch {
	case v.reason != Retry:
		d.Reason = v.reason
	case int64(d.Failures) > f.MaxRetries:
		d.Reason = Exhausted
	case p.Safety != SafetyOff && a.tool.restricted(a.call.Facts.Annotations) && !v.hadNoEffect():
		d.Reason = Unsafe
	case v.hint > p.MaxRetryAfter:
		d.Reason = HintTooLong
	default:
		delay, reason := a.delay(f, entry, cooldown)
		switch {
		case p.MaxElapsed > 0 && a.elapsed()+delay > p.MaxElapsed:
			d.Reason = Deadline
		case p.Budget != nil && !a.charge(entry):
			d.Reason = BudgetSpent
		default:
			d.Reason, d.Delay = reason, delay
		}
	}
	return d
}

// delay is the longest of what the formula, the server's hint and the tool's cool-down
// ask for, and which of them it was.
func (a *attempt) delay(f *Formula, entry *slot, cooldown time.Duration) (time.Duration, Reason) {
	var random uint64
	if f.Jitter != NoJitter {
		random = a.env.Random()
	}
	delay, reason := f.Delay(entry.failures, milliseconds(int64(entry.delayMS)), random), Retry
	entry.delayMS = uint32(delay.Milliseconds())
	if hint := a.verdict.hint; hint > delay {
		delay, reason = min(hint+a.spread(f, hint), a.tool.MaxRetryAfter), RetryHint
	}
	if cooldown > delay {
		delay, reason = cooldown+a.spread(f, cooldown), RetryCooldown
	}
	return delay, reason
}

// spread keeps those apart who were all told the same moment.
func (a *attempt) spread(f *Formula, wait time.Duration) time.Duration {
	if f.Jitter == NoJitter {
		return 0
	}
	return upToATenth(wait, a.env.Random())
}

// cooldown is what is left of the cool-down that earlier hints began; this failure's
// own hint begins or prolongs it.
func (a *attempt) cooldown() (left time.Duration) {
	p := a.tool.Policy
	if !p.ShareCooldown || !p.HonorRetryAfter {
		return 0
	}
	left = a.ledger.cooldowns.left(a.key.tool, a.now)
	if hint := a.verdict.hint; hint > 0 {
		a.ledger.cooldowns.note(a.key.tool, a.now+min(hint, p.MaxRetryAfter))
	}
	return left
}

// elapsed is how long ago the call began, as far as is known.
func (a *attempt) elapsed() time.Duration {
	a.ledger.begun.expire(a.now)
	return a.now - a.ledger.begun.begun(a.key, a.now)
}

// charge pays for a retry out of the budget, if that has enough.
func (a *attempt) charge(entry *slot) bool {
	b, f := &a.ledger.budgets, a.tool.Budget
	bucket, cost := b.of(f, a.call.Tool, a.key.tool), f.cost(a.verdict)
	if bucket.level < cost {
		return false
	}
	b.change(bucket, -cost)
	entry.charged += uint32(cost)
	return true
}

// succeed ends the call, and feeds the budget: with what its retries took, or with
// the refund if there were none.
func (a *attempt) succeed() {
	last, retried := a.end()
	if a.tool.Budget == nil {
		return
	}
	if bucket := a.ledger.budgets.find(a.tool.Budget, a.key.tool); bucket != nil {
		refund := a.tool.Budget.SuccessRefund
		if retried {
			refund = int64(last.charged)
		}
		a.ledger.budgets.change(bucket, refund)
	}
}

// end removes what is known of the call.
func (a *attempt) end() (last slot, found bool) {
	if a.tool.MaxElapsed > 0 {
		a.ledger.begun.forget(a.key, a.now)
	}
	return a.ledger.tracker.forget(a.key, a.now)
}
