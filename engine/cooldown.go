package engine

import "time"

// cooldowns are the instants before which no retry of a tool is made, because its
// server asked one of its callers to wait. Bounded; not safe for concurrent use: the
// ledger locks.
type cooldowns struct{ tools *lru[time.Duration] }

const cooldownLimit = 10_000

// left is how long the cool-down of a tool still lasts, in whole milliseconds rounded
// up, so that nobody comes too early.
func (c *cooldowns) left(key uint64, now time.Duration) time.Duration {
	if c.tools == nil {
		return 0
	}
	until := c.tools.get(key)
	if until == nil || *until <= now {
		return 0
	}
	return (*until - now + time.Millisecond - 1).Truncate(time.Millisecond)
}

// note makes a tool's cool-down last until then at least; the latest instant counts.
func (c *cooldowns) note(key uint64, until time.Duration) {
	if c.tools == nil {
		c.tools = newLRU[time.Duration](cooldownLimit)
	}
	if noted := c.tools.get(key); noted != nil {
		*noted = max(*noted, until)
		return
	}
	c.tools.put(key, until)
}
