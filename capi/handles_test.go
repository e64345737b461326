package main

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"cpex-retry-with-backoff/engine"
)

func TestAHandleLeadsToItsEngineUntilItIsRemoved(t *testing.T) {
	var h handles
	a, b := new(engine.Engine), new(engine.Engine)
	first, _ := h.add(a)
	second, _ := h.add(b)
	assert.NotZero(t, first)
	assert.Same(t, a, h.get(first))
	assert.Same(t, b, h.get(second))
	assert.Same(t, a, h.remove(first))
	assert.Nil(t, h.get(first))
	assert.Nil(t, h.remove(first), "only once")
	third, _ := h.add(a)
	assert.NotEqual(t, first, third, "the slot is used again, the number is not")
	assert.Nil(t, h.get(first))
	assert.Len(t, h.all(), 2)
}

func TestHandlesThatWereNeverMadeLeadNowhere(t *testing.T) {
	var h handles
	for _, made := range []uint64{0, 1, 1 << 20, 1<<64 - 1} {
		assert.Nil(t, h.get(made))
	}
	_, _ = h.add(new(engine.Engine))
	for _, made := range []uint64{0, 1, 2 << 20, 1<<64 - 1} {
		assert.Nil(t, h.get(made))
		assert.Nil(t, h.remove(made))
	}
}

func TestHandlesAreSafeForManyThreads(t *testing.T) {
	var h handles
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 1000 {
				e := new(engine.Engine)
				handle, ok := h.add(e)
				if !ok || h.get(handle) != e || h.remove(handle) != e || h.get(handle) != nil {
					t.Error("a handle led to the wrong engine")
				}
			}
		}()
	}
	group.Wait()
	assert.LessOrEqual(t, len(h.all()), 8)
}
