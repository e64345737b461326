// Package main is libretry: the engine behind a C ABI, built with
// -buildmode=c-shared. retry.h documents every function. Nothing is decided
// here: these files turn C values into Go values and back, look up handles, check
// bounds and keep panics from leaving.
package main

// #include <stdlib.h>
// #include "retry.h"
import "C"

import (
	"math/rand/v2"
	"runtime"
	"time"
	"unsafe"

	"cpex-retry-with-backoff/engine"
)

func main() {} // never called: a c-shared library needs one

// Everything of this process that outlives a call.
var (
	store   = engine.NewStore(environment())
	engines handles
	faults  faultLog
)

func environment() engine.Environment {
	start := time.Now()
	return engine.Environment{
		Now:     func() time.Duration { return time.Since(start) },
		WallNow: time.Now,
		Random:  rand.Uint64,
		// C memory, because callers read it without telling Go.
		NewCounters: func() *engine.Counters {
			return (*engine.Counters)(C.calloc(1, C.sizeof_retry_counters))
		},
	}
}

// The block is the same on both sides; this does not compile if its size is not.
var _ = [1]struct{}{}[unsafe.Sizeof(engine.Counters{})-C.sizeof_retry_counters]

//export retry_abi_version
func retry_abi_version() C.uint32_t { return C.RETRY_ABI_VERSION }

//export retry_version
func retry_version(out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	defer guard(nil, &rc)
	return writeJSON(struct {
		Version string `json:"version"`
		ABI     int    `json:"abi"`
		Go      string `json:"go"`
	}{C.RETRY_VERSION, C.RETRY_ABI_VERSION, runtime.Version()}, out, capacity, length)
}

//export retry_runtime
func retry_runtime(out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	defer guard(nil, &rc)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return writeJSON(struct {
		Goroutines int    `json:"goroutines"`
		HeapBytes  uint64 `json:"heap_bytes"`
		GCCycles   uint32 `json:"gc_cycles"`
	}{runtime.NumGoroutine(), m.HeapAlloc, m.NumGC}, out, capacity, length)
}
