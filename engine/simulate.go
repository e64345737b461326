package engine

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/goccy/go-json"
)

// Load is what a simulation plays: calls of one tool, and a server that fails now and
// then. Times are virtual.
type Load struct {
	Tool       string  `json:"tool"`
	RPS        float64 `json:"rps"` // calls a second over all workers, at random moments
	DurationMS int64   `json:"duration_ms"`
	Workers    int     `json:"workers"` // processes: each has counts and budgets of its own
	LatencyMS  int64   `json:"latency_ms"`
	// The server fails every attempt from OutageStartMS on for OutageMS, others with
	// the probability FailRate, and those beyond CapacityRPS in one second (0: none).
	OutageStartMS int64   `json:"outage_start_ms"`
	OutageMS      int64   `json:"outage_ms"`
	FailRate      float64 `json:"fail_rate"`
	CapacityRPS   float64 `json:"capacity_rps"`
	// Status is that of failures, RetryAfterMS their hint (0: none).
	Status       int64  `json:"status"`
	RetryAfterMS int64  `json:"retry_after_ms"`
	Seed         uint64 `json:"seed"`
}

// SimulatedCallsLimit bounds the calls of one simulation.
const SimulatedCallsLimit = 20_000_000

// Progress is shared with whoever waits for a simulation; all atomic.
type Progress struct {
	Done   int64 // milliseconds of the duration that were played
	Cancel int64 // written by the caller: not 0 ends the simulation
}

// ErrCancelled is what Simulate answers after a Cancel.
var ErrCancelled = errors.New("cancelled")

// Simulated is what came of a simulation.
type Simulated struct {
	Calls     int64             `json:"calls"`
	Succeeded int64             `json:"succeeded"`
	FirstTry  int64             `json:"succeeded_first_try"`
	Attempts  int64             `json:"attempts"`
	Decisions map[string]uint64 `json:"decisions"`
	// Latency is that of calls that succeeded, waits included.
	Latency SimulatedLatency `json:"latency_ms"`
	// StepMS is how long each element of Series is.
	StepMS int64           `json:"step_ms"`
	Series []SimulatedStep `json:"series"`
}

// SimulatedLatency is in milliseconds.
type SimulatedLatency struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// SimulatedStep counts calls that began in the step, and attempts made in it.
type SimulatedStep struct {
	Calls     int64 `json:"calls"`
	Attempts  int64 `json:"attempts"`
	Failures  int64 `json:"failed_attempts"`
	Succeeded int64 `json:"succeeded"` // of the calls that began in it
}

// ParseLoad decodes a Load from JSON and checks it.
func ParseLoad(blob []byte) (*Load, error) {
	var l Load
	decoder := json.NewDecoder(bytes.NewReader(blob))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return nil, fmt.Errorf("load is not the JSON that is expected: %w", err)
	}
	day := int64(24 * time.Hour / time.Millisecond)
	workers, status := int64(l.Workers), l.Status
	if err := errors.Join(
		inRange("duration_ms", &l.DurationMS, 1, 30*day),
		inRange("workers", &workers, 1, 10_000),
		inRange("latency_ms", &l.LatencyMS, 0, day),
		inRange("outage_start_ms", &l.OutageStartMS, 0, 30*day),
		inRange("outage_ms", &l.OutageMS, 0, 30*day),
		inRange("status", &status, 0, StatusLimit),
		inRange("retry_after_ms", &l.RetryAfterMS, 0, day),
	); err != nil {
		return nil, err
	}
	if !(l.RPS > 0 && l.RPS*float64(l.DurationMS)/1000 <= SimulatedCallsLimit) {
		return nil, fmt.Errorf("rps = %v: must be above 0, and at most %d calls in all", l.RPS, SimulatedCallsLimit)
	}
	if !(l.FailRate >= 0 && l.FailRate <= 1) || !(l.CapacityRPS >= 0) {
		return nil, fmt.Errorf("fail_rate = %v, capacity_rps = %v: must be from 0 to 1, and not negative", l.FailRate, l.CapacityRPS)
	}
	return &l, nil
}

// Simulate plays a load against a configuration, with engines like those of real
// workers, in virtual time. The same seed gives the same answer. progress may be nil.
func Simulate(c *Config, l *Load, progress *Progress) (*Simulated, error) {
	if progress == nil {
		progress = new(Progress)
	}
	s := newSimulation(l)
	for range l.Workers {
		e, err := New(NewStore(Environment{
			Now:    func() time.Duration { return s.now },
			Random: s.jitter.Uint64,
		}), c)
		if err != nil {
			return nil, err
		}
		s.workers = append(s.workers, e)
	}
	return s.run(progress)
}

type simulation struct {
	load *Load
	// Each has a sequence of its own, so that the load is the same whatever is decided.
	arrivals, outcomes, jitter *rand.Rand

	workers []*Engine
	now     time.Duration // of the engines: when an attempt's result is there
	pending attempts
	made    uint64
	second  int64 // that attempts are counted in, for the capacity
	taken   float64
	latency []int32
	out     Simulated
}

// pendingAttempt is an attempt that is yet to be made.
type pendingAttempt struct {
	at, begun time.Duration
	call      uint64
	number    int
	worker    int
}

type attempts []pendingAttempt

func (a attempts) Len() int           { return len(a) }
func (a attempts) Less(i, j int) bool { return a[i].at < a[j].at }
func (a attempts) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *attempts) Push(x any)        { *a = append(*a, x.(pendingAttempt)) }
func (a *attempts) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// steps is about how many elements a series has.
const steps = 200

func newSimulation(l *Load) *simulation {
	sequence := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(l.Seed, n)) }
	s := &simulation{load: l, arrivals: sequence(1), outcomes: sequence(2), jitter: sequence(3)}
	s.out.StepMS = max(100, (l.DurationMS+steps-1)/steps)
	s.out.Series = make([]SimulatedStep, (l.DurationMS+s.out.StepMS-1)/s.out.StepMS)
	return s
}

func (s *simulation) run(progress *Progress) (*Simulated, error) {
	end := milliseconds(s.load.DurationMS)
	next := s.gap()
	for next < end || len(s.pending) > 0 {
		if atomic.LoadInt64(&progress.Cancel) != 0 {
			return nil, ErrCancelled
		}
		if next < end && (len(s.pending) == 0 || next <= s.pending[0].at) {
			s.begin(next)
			next += s.gap()
			continue
		}
		a := heap.Pop(&s.pending).(pendingAttempt)
		atomic.StoreInt64(&progress.Done, min(a.at, end).Milliseconds())
		s.attempt(a)
	}
	return s.finish(), nil
}

// gap is the time to the next call: exponentially distributed (a Poisson process).
func (s *simulation) gap() time.Duration {
	return time.Duration(s.arrivals.ExpFloat64() / s.load.RPS * float64(time.Second))
}

func (s *simulation) begin(at time.Duration) {
	s.made++
	s.out.Calls++
	s.step(at).Calls++
	heap.Push(&s.pending, pendingAttempt{at, at, s.made, 1, s.arrivals.IntN(len(s.workers))})
}

// step is the element of the series for a moment; what happens after the end counts
// into the last.
func (s *simulation) step(at time.Duration) *SimulatedStep {
	return &s.out.Series[min(at.Milliseconds()/s.out.StepMS, int64(len(s.out.Series)-1))]
}

func (s *simulation) attempt(a pendingAttempt) {
	s.out.Attempts++
	inTime := a.at < milliseconds(s.load.DurationMS)
	call := Call{Tool: s.load.Tool, RequestID: strconv.FormatUint(a.call, 10)}
	failed := s.fails(a.at)
	if failed {
		call.Facts = Facts{IsError: true, HasStatus: s.load.Status > 0, Status: s.load.Status}
		if s.load.RetryAfterMS > 0 {
			call.Hints = []Hint{{Name: RetryAfterMS, Number: float64(s.load.RetryAfterMS)}}
		}
	}
	if inTime {
		step := s.step(a.at)
		step.Attempts++
		if failed {
			step.Failures++
		}
	}
	s.now = a.at + milliseconds(s.load.LatencyMS)
	d, _ := s.workers[a.worker].Decide(&call)
	switch {
	case d.Delay > 0:
		a.at, a.number = s.now+d.Delay, a.number+1
		heap.Push(&s.pending, a)
	case !failed:
		s.out.Succeeded++
		s.step(a.begun).Succeeded++
		if a.number == 1 {
			s.out.FirstTry++
		}
		s.latency = append(s.latency, int32((s.now - a.begun).Milliseconds()))
	}
}

// fails tells whether the server fails an attempt.
func (s *simulation) fails(at time.Duration) bool {
	ms := at.Milliseconds()
	if second := ms / 1000; second != s.second {
		s.second, s.taken = second, 0
	}
	s.taken++
	failed := s.outcomes.Float64() < s.load.FailRate // drawn in any case: the seed's sequence
	switch {
	case ms >= s.load.OutageStartMS && ms < s.load.OutageStartMS+s.load.OutageMS:
		return true
	case s.load.CapacityRPS > 0 && s.taken > s.load.CapacityRPS:
		return true
	}
	return failed
}

func (s *simulation) finish() *Simulated {
	s.out.Decisions = map[string]uint64{}
	for _, e := range s.workers {
		for reason, n := range e.Stats().Decisions {
			s.out.Decisions[reason] += n
		}
	}
	if n := len(s.latency); n > 0 {
		slices.Sort(s.latency)
		at := func(percent int) int64 { return int64(s.latency[(n-1)*percent/100]) }
		s.out.Latency = SimulatedLatency{at(50), at(95), at(99), at(100)}
	}
	return &s.out
}
