package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An hour of a busy gateway in a few seconds: 300 calls a second, a third of which
// fail; some calls are abandoned in the middle, and the plugin is rebuilt every 30 s.
func TestAnHourInFastForward(t *testing.T) {
	w := &world{}
	s := w.store()
	configure := func(c *Config) { c.MaxTrackedRequests = 50_000 }
	e := build(t, s, configure)
	random := rand.New(rand.NewPCG(3, 4))
	goroutines := runtime.NumGoroutine()
	var heapAfterWarmUp uint64
	var decided uint64
	for second := range 3600 {
		for range 300 {
			w.now += time.Second / 300
			request := fmt.Sprint(random.Uint64())
			for {
				f := Facts{HasStatus: true, Status: 503}
				if random.IntN(3) > 0 {
					f = Facts{}
				}
				d := decide(t, e, fmt.Sprint("tool-", random.IntN(100)), request, f)
				decided++
				if d.Delay == 0 || random.IntN(20) == 0 { // abandoned
					break
				}
			}
		}
		if second%30 == 0 {
			fresh := build(t, s, configure)
			e.Close()
			e = fresh
		}
		if second == 600 {
			heapAfterWarmUp = heapBytes()
		}
	}
	checkInvariants(t, &e.ledger.tracker)
	stats := e.Stats()
	var sum uint64
	for _, n := range stats.Decisions {
		sum += n
	}
	assert.Equal(t, decided, sum, "every call is counted once")
	assert.NotZero(t, stats.Expired)
	// What is tracked was touched in the last 300 s.
	require.LessOrEqual(t, stats.Tracked, 300*300)
	assert.Less(t, heapBytes(), heapAfterWarmUp+4<<20, "the heap is flat")
	assert.Equal(t, goroutines, runtime.NumGoroutine())
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
