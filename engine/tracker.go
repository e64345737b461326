package engine

import (
	"hash/maphash"
	"math"
	"time"
)

// tracker counts consecutive failures per call. Entries form a queue in the
// order of their last touch, so the stale ones are always at its old end and
// every operation is O(1), whatever the number of entries. Not safe for
// concurrent use: the ledger locks.
type tracker struct {
	slots   slots
	index   hashIndex
	oldest  slotID
	newest  slotID
	entries int

	ttl     time.Duration
	bound   int
	evicted uint64 // removed because of the bound
	expired uint64 // removed because of their age

	toolSeed, requestSeed maphash.Seed
}

// expiryStep is how many stale entries one call removes at the most. More than
// one, so that a backlog shrinks even while every call adds an entry.
const expiryStep = 2

func newTracker(ttl time.Duration, bound int) tracker {
	return tracker{
		index: newHashIndex(), ttl: ttl, bound: bound,
		toolSeed: maphash.MakeSeed(), requestSeed: maphash.MakeSeed(),
	}
}

// keyOf reads the strings and does not keep them.
func (t *tracker) keyOf(tool, request string) key {
	return key{maphash.String(t.toolSeed, tool), maphash.String(t.requestSeed, request)}
}

// failures returns the count of a call, 0 if there is none or it is stale.
func (t *tracker) failures(k key, now time.Duration) uint32 {
	id := t.index.find(&t.slots, k)
	if id == 0 || t.isStale(t.slots.at(id), now) {
		return 0
	}
	return t.slots.at(id).failures
}

// fail adds one failure and returns the entry with it. The pointer is good until the
// next change of the tracker.
func (t *tracker) fail(k key, now time.Duration) *slot {
	id := t.index.find(&t.slots, k)
	if id == 0 {
		return t.add(k, now)
	}
	entry := t.slots.at(id)
	if t.isStale(entry, now) {
		t.expired++
		entry.failures, entry.delayMS, entry.charged = 0, 0, 0
	}
	if entry.failures < math.MaxUint32 {
		entry.failures++
	}
	entry.touched = int64(now)
	t.unlink(id)
	t.append(id)
	return entry
}

// begun returns when a call was first seen, which is now if it was not.
func (t *tracker) begun(k key, now time.Duration) time.Duration {
	if id := t.index.find(&t.slots, k); id != 0 && !t.isStale(t.slots.at(id), now) {
		return time.Duration(t.slots.at(id).touched)
	}
	return time.Duration(t.fail(k, now).touched)
}

func (t *tracker) add(k key, now time.Duration) *slot {
	for t.entries >= t.bound {
		t.evicted++
		t.drop(t.oldest)
	}
	id := t.slots.take()
	entry := t.slots.at(id)
	*entry = slot{key: k, touched: int64(now), failures: 1}
	t.entries++
	t.index.insert(&t.slots, id, t.entries)
	t.append(id)
	return entry
}

// forget removes a call, if it is there, and returns what was known of it; a stale
// entry is as good as none.
func (t *tracker) forget(k key, now time.Duration) (last slot, found bool) {
	id := t.index.find(&t.slots, k)
	if id == 0 {
		return slot{}, false
	}
	last = *t.slots.at(id)
	t.drop(id)
	return last, !t.isStale(&last, now)
}

// expire removes a few stale entries.
func (t *tracker) expire(now time.Duration) {
	for range expiryStep {
		if t.oldest == 0 || !t.isStale(t.slots.at(t.oldest), now) {
			return
		}
		t.expired++
		t.drop(t.oldest)
	}
}

// setBound changes the bound and evicts at once what is above it.
func (t *tracker) setBound(bound int) {
	t.bound = bound
	for t.entries > t.bound {
		t.evicted++
		t.drop(t.oldest)
	}
}

func (t *tracker) isStale(entry *slot, now time.Duration) bool {
	return now-time.Duration(entry.touched) > t.ttl
}

func (t *tracker) drop(id slotID) {
	t.unlink(id)
	t.index.remove(&t.slots, id)
	t.slots.giveBack(id)
	t.entries--
	if t.entries == 0 && len(t.slots.chunks) > 1 {
		// A storm is over: let its memory go.
		t.slots, t.index = slots{}, newHashIndex()
	}
}

func (t *tracker) append(id slotID) {
	entry := t.slots.at(id)
	entry.older, entry.newer = t.newest, 0
	if t.newest != 0 {
		t.slots.at(t.newest).newer = id
	} else {
		t.oldest = id
	}
	t.newest = id
}

func (t *tracker) unlink(id slotID) {
	entry := t.slots.at(id)
	if entry.older != 0 {
		t.slots.at(entry.older).newer = entry.newer
	} else {
		t.oldest = entry.newer
	}
	if entry.newer != 0 {
		t.slots.at(entry.newer).older = entry.older
	} else {
		t.newest = entry.older
	}
}
