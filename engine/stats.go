package engine

// Stats counts what was decided under one plugin name in this process since it
// was first seen.
type Stats struct {
	// Decisions maps each reason to its count; they add up to the calls.
	Decisions map[string]uint64 `json:"decisions"`
	// Tracked is the number of requests whose failures are being counted.
	Tracked int `json:"tracked"`
	// Evicted counts those dropped because of max_tracked_requests.
	Evicted uint64 `json:"evicted"`
	// Expired counts those dropped because of state_ttl_ms.
	Expired uint64 `json:"expired"`
}

// Stats takes a consistent picture. It also works on a broken engine.
func (e *Engine) Stats() Stats {
	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Decisions: make(map[string]uint64, ReasonCount),
		Tracked:   l.tracker.entries,
		Evicted:   l.tracker.evicted,
		Expired:   l.tracker.expired,
	}
	for r, n := range l.totals() {
		s.Decisions[Reason(r).String()] = n
	}
	return s
}
