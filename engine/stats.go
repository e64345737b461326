package engine

import "time"

// Stats counts what was decided under one plugin name in this process since it
// was first seen.
type Stats struct {
	// Decisions maps each reason to its count; they add up to the calls.
	Decisions map[string]uint64 `json:"decisions"`
	// Delays are the delays that were answered.
	Delays Histogram `json:"delays_ms"`
	// Tracked is the number of requests whose failures are being counted.
	Tracked int `json:"tracked"`
	// Evicted counts those dropped because of max_tracked_requests.
	Evicted uint64 `json:"evicted"`
	// Expired counts those dropped because of state_ttl_ms.
	Expired uint64 `json:"expired"`
	// Budget are the budgets that are known, the lowest first, at most a hundred. One
	// that is not shown is full, or there are a hundred lower ones.
	Budget []BudgetLevel `json:"budget"`
}

// Stats takes a consistent picture. It also works on a broken engine.
func (e *Engine) Stats() Stats {
	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Decisions: make(map[string]uint64, ReasonCount),
		Delays:    l.delays.view(),
		Tracked:   l.tracker.entries,
		Evicted:   l.tracker.evicted,
		Expired:   l.tracker.expired,
		Budget:    l.budgets.levels(),
	}
	for r, n := range l.totals() {
		s.Decisions[Reason(r).String()] = n
	}
	return s
}

// delayBounds are the upper bounds of the histogram's classes, in milliseconds; a last
// class holds what is above them.
var delayBounds = [...]int64{5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000}

// histogram counts delays by size.
type histogram struct {
	counts [len(delayBounds) + 1]uint64
	sumMS  uint64
}

func (h *histogram) add(delay time.Duration) {
	ms, i := delay.Milliseconds(), 0
	for i < len(delayBounds) && ms > delayBounds[i] {
		i++
	}
	h.counts[i]++
	h.sumMS += uint64(ms)
}

// Histogram shows how many delays were at most each of the bounds, and above the one
// before; the last count is of those above all bounds.
type Histogram struct {
	Bounds []int64  `json:"bounds"`
	Counts []uint64 `json:"counts"`
	Sum    uint64   `json:"sum"`
}

func (h *histogram) view() Histogram {
	return Histogram{
		append([]int64{}, delayBounds[:]...), append([]uint64{}, h.counts[:]...), h.sumMS,
	}
}
