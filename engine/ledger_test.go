package engine

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCountsOutliveTheEngine(t *testing.T) {
	s := (&world{}).store()
	first := build(t, s, nil)
	assert.EqualValues(t, 1, decide(t, first, "t", "r", failed).Failures)
	first.Close()
	second := build(t, s, nil)
	assert.EqualValues(t, 2, decide(t, second, "t", "r", failed).Failures)
	assert.Equal(t, Exhausted, decide(t, second, "t", "r", failed).Reason)
	assert.EqualValues(t, 2, second.Stats().Decisions["retry"], "statistics go on too")
}

func TestEnginesOfOneNameShareCountsAndOthersDoNot(t *testing.T) {
	s := (&world{}).store()
	a, b := build(t, s, nil), build(t, s, nil)
	other := build(t, s, func(c *Config) { c.Name = "other" })
	private := build(t, s, func(c *Config) { c.Private = true })
	decide(t, a, "t", "r", failed)
	assert.EqualValues(t, 2, decide(t, b, "t", "r", failed).Failures)
	assert.EqualValues(t, 1, decide(t, other, "t", "r", failed).Failures)
	assert.EqualValues(t, 1, decide(t, private, "t", "r", failed).Failures)
}

func TestAPanicCondemnsTheLedgerButNotTheName(t *testing.T) {
	s := (&world{}).store()
	a, b := build(t, s, nil), build(t, s, nil)
	decide(t, a, "t", "r", failed)
	a.Break()
	for _, e := range []*Engine{a, b} {
		d, err := e.Decide(&Call{Tool: "t", RequestID: "r", Facts: failed})
		assert.ErrorIs(t, err, ErrBroken)
		assert.Equal(t, Decision{Reason: Fault}, d)
		_, err = e.Failures("t", "r")
		assert.ErrorIs(t, err, ErrBroken)
	}
	b.Break() // a second panic in the same ledger changes nothing
	fresh := build(t, s, nil)
	assert.EqualValues(t, 1, decide(t, fresh, "t", "r", failed).Failures)
	assert.EqualValues(t, 2, fresh.Stats().Decisions["retry"], "statistics survive the panic")
	a.Counters().Faults++
	assert.EqualValues(t, 1, fresh.Stats().Decisions["fault"], "a broken engine's faults are counted for its name")
	a.Close()
	b.Close()
	assert.EqualValues(t, 1, fresh.Counters().Busy, "its end takes nothing away from the heir")
	assert.EqualValues(t, 2, decide(t, fresh, "t", "r", failed).Failures)
}

func TestIdleNamesAreBounded(t *testing.T) {
	s := (&world{}).store()
	for i := range 3 * idleLedgers {
		build(t, s, func(c *Config) { c.Name = fmt.Sprint(i) }).Close()
	}
	assert.Len(t, s.ledgers, idleLedgers)
	assert.Len(t, s.idle, idleLedgers)
	last := build(t, s, func(c *Config) { c.Name = fmt.Sprint(3*idleLedgers - 1) })
	assert.Len(t, s.idle, idleLedgers-1, "a name in use is not idle")
	last.Close()
}

func TestBuildingAndClosingLeavesNothingBehind(t *testing.T) {
	made := 0
	w := &world{}
	env := w.environment()
	env.NewCounters = func() *Counters { made++; return new(Counters) }
	s := NewStore(env)
	for range 1000 {
		e := build(t, s, func(c *Config) { c.Private = true })
		decide(t, e, "t", "r", failed)
		require.EqualValues(t, 1, atomic.LoadInt64(&e.Counters().Busy))
		e.Close()
	}
	assert.Equal(t, 1, made, "counter blocks are recycled")
	assert.Empty(t, s.ledgers)
}

func TestTheNewestConfigurationDecidesTheBound(t *testing.T) {
	s := (&world{}).store()
	e := build(t, s, nil)
	for i := range 10 {
		decide(t, e, "t", fmt.Sprint(i), failed)
	}
	smaller := build(t, s, func(c *Config) { c.MaxTrackedRequests = 4 })
	assert.Equal(t, 4, smaller.Stats().Tracked)
	assert.EqualValues(t, 4, smaller.Counters().Busy)
	assert.EqualValues(t, 6, smaller.Stats().Evicted)
}
