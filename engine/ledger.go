package engine

import (
	"slices"
	"sync"
	"sync/atomic"
)

// ledger is what engines of one plugin name share and what outlives them: the
// gateway rebuilds its plugin objects every 30 s, also in the middle of a call's
// retries. Safe for concurrent use.
type ledger struct {
	counters *Counters
	broken   atomic.Bool

	mu        sync.Mutex
	tracker   tracker
	begun     tracker // when calls with a deadline began
	budgets   budgets
	cooldowns cooldowns
	budgeted  bool // some policy in force has a budget
	decisions [ReasonCount]uint64
	delays    histogram

	// Guarded by the store's lock:
	name    string
	private bool // known to its engine alone
	refs    int
}

// publish lets readers outside see whether a success can change anything.
func (l *ledger) publish() {
	busy := l.tracker.entries
	if l.budgeted {
		busy += l.budgets.low
	}
	atomic.StoreInt64(&l.counters.Busy, int64(busy))
}

func (l *ledger) count(d Decision) {
	l.decisions[d.Reason]++
	if d.Delay > 0 {
		l.delays.add(d.Delay)
	}
}

// configure takes over what the newest configuration says of the ledger.
func (l *ledger) configure(c *Config, ps *policies) {
	for _, t := range []*tracker{&l.tracker, &l.begun} {
		t.ttl = milliseconds(c.StateTTLMS)
		t.setBound(int(c.MaxTrackedRequests))
	}
	l.budgeted = false
	for p := range ps.all {
		l.budgeted = l.budgeted || p.Budget != nil
	}
	l.publish()
}

// totals are the decisions including those that were counted outside the lock.
// The caller holds l.mu.
func (l *ledger) totals() [ReasonCount]uint64 {
	t := l.decisions
	t[Success] += atomic.LoadUint64(&l.counters.FastSuccesses)
	t[Fault] += atomic.LoadUint64(&l.counters.Faults)
	return t
}

// Store holds the ledgers of one process. Safe for concurrent use.
type Store struct {
	env Environment

	mu      sync.Mutex
	ledgers map[string]*ledger
	idle    []*ledger   // without an engine, the longest idle first
	spare   []*Counters // of dropped ledgers
}

// idleLedgers bounds the ledgers that wait for an engine of their name to be
// built again. Names come from configuration files, so only a test gets there.
const idleLedgers = 1024

// NewStore returns an empty store that lives on env.
func NewStore(env Environment) *Store {
	if env.NewCounters == nil {
		env.NewCounters = func() *Counters { return new(Counters) }
	}
	return &Store{env: env, ledgers: map[string]*ledger{}}
}

// acquire finds or makes the ledger of a configuration; the newest configuration
// decides the time to live and the bound.
func (s *Store) acquire(c *Config, ps *policies) *ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.ledgers[c.Name]; l != nil && !c.Private {
		if l.refs == 0 {
			s.idle = slices.DeleteFunc(s.idle, func(other *ledger) bool { return other == l })
		}
		l.refs++
		l.mu.Lock()
		defer l.mu.Unlock()
		l.configure(c, ps)
		return l
	}
	l := &ledger{counters: s.takeCounters(), tracker: newTracker(0, 0), begun: newTracker(0, 0), refs: 1}
	l.name, l.private = c.Name, c.Private
	l.configure(c, ps)
	if !c.Private {
		s.ledgers[c.Name] = l
	}
	return l
}

func (s *Store) takeCounters() *Counters {
	if n := len(s.spare); n > 0 {
		c := s.spare[n-1]
		s.spare = s.spare[:n-1]
		atomic.StoreInt64(&c.Busy, 0)
		atomic.StoreUint64(&c.FastSuccesses, 0)
		atomic.StoreUint64(&c.Faults, 0)
		return c
	}
	return s.env.NewCounters()
}

// release ends an engine's use of its ledger.
func (s *Store) release(l *ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.refs--
	if l.refs > 0 {
		return
	}
	switch {
	case l.private:
		s.spare = append(s.spare, l.counters)
	case s.ledgers[l.name] == l:
		s.retire(l)
	default: // condemned: the counters are its heir's
	}
}

// retire lets a ledger wait for the next engine of its name.
func (s *Store) retire(l *ledger) {
	s.idle = append(s.idle, l)
	if len(s.idle) > idleLedgers {
		oldest := s.idle[0]
		s.idle = slices.Delete(s.idle, 0, 1)
		delete(s.ledgers, oldest.name)
		s.spare = append(s.spare, oldest.counters)
	}
}

// condemn makes every engine of a ledger refuse work. After a panic none of its
// counts can be trusted, so the next engine of that name gets a fresh ledger; only
// the statistics, plain numbers, go on in it.
func (s *Store) condemn(l *ledger) {
	l.broken.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.private || s.ledgers[l.name] != l {
		return // nobody inherits, or somebody has
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	heir := &ledger{
		counters: l.counters, tracker: newTracker(l.tracker.ttl, l.tracker.bound),
		begun: newTracker(l.begun.ttl, l.begun.bound), budgeted: l.budgeted,
		decisions: l.decisions, delays: l.delays, name: l.name,
	}
	heir.publish()
	heir.tracker.evicted, heir.tracker.expired = l.tracker.evicted, l.tracker.expired
	s.ledgers[l.name] = heir
	s.retire(heir)
}
