package engine

// lru keeps the most recently used values under a bound. Not safe for concurrent use.
type lru[V any] struct {
	bound   int
	entries map[uint64]*lruEntry[V]
	ends    lruEntry[V] // ends.newer is the oldest entry, ends.older the newest
}

type lruEntry[V any] struct {
	key          uint64
	older, newer *lruEntry[V]
	value        V
}

func newLRU[V any](bound int) *lru[V] {
	l := &lru[V]{bound: bound, entries: map[uint64]*lruEntry[V]{}}
	l.ends.older, l.ends.newer = &l.ends, &l.ends
	return l
}

// get returns the value of a key, which is then the most recently used; nil if there
// is none. The pointer is good until the next put.
func (l *lru[V]) get(key uint64) *V {
	e := l.entries[key]
	if e == nil {
		return nil
	}
	e.unlink()
	l.append(e)
	return &e.value
}

// put adds a key that is not there. dropped is the value that had to go, if one had.
func (l *lru[V]) put(key uint64, value V) (added, dropped *V) {
	if len(l.entries) >= l.bound {
		oldest := l.ends.newer
		oldest.unlink()
		delete(l.entries, oldest.key)
		dropped = &oldest.value
	}
	e := &lruEntry[V]{key: key, value: value}
	l.entries[key] = e
	l.append(e)
	return &e.value, dropped
}

func (l *lru[V]) all(yield func(*V) bool) {
	for _, e := range l.entries {
		if !yield(&e.value) {
			return
		}
	}
}

func (l *lru[V]) append(e *lruEntry[V]) {
	e.older, e.newer = l.ends.older, &l.ends
	e.older.newer, l.ends.older = e, e
}

func (e *lruEntry[V]) unlink() { e.older.newer, e.newer.older = e.newer, e.older }
