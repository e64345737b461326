package main

// #include "retry.h"
import "C"

import (
	"unsafe"

	"cpex-retry-with-backoff/engine"
)

//export retry_schedule
func retry_schedule(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t, status C.int64_t,
	samples C.uint32_t, seed C.uint64_t, out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	name, ok := view(tool, toolLength)
	if !ok {
		return C.RETRY_BAD_ARGUMENT
	}
	rows := e.Schedule(name, int64(status), status >= 0, int(samples), uint64(seed))
	return writeJSON(rows, out, capacity, length)
}

// The block is the same on both sides; this does not compile if its size is not.
var _ = [1]struct{}{}[unsafe.Sizeof(engine.Progress{})-C.sizeof_retry_progress]

//export retry_simulate
func retry_simulate(config C.retry_bytes, configLength C.size_t, load C.retry_bytes, loadLength C.size_t,
	progress *C.retry_progress, out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	defer guard(nil, &rc)
	configText, ok1 := view(config, configLength)
	loadText, ok2 := view(load, loadLength)
	if !ok1 || !ok2 || progress == nil || write(nil, out, capacity, length) != C.RETRY_OK {
		return C.RETRY_BAD_ARGUMENT
	}
	c, err := engine.ParseConfig([]byte(configText))
	var l *engine.Load
	var result *engine.Simulated
	if err == nil {
		l, err = engine.ParseLoad([]byte(loadText))
	}
	if err == nil {
		result, err = engine.Simulate(c, l, (*engine.Progress)(unsafe.Pointer(progress)))
	}
	if err != nil {
		write([]byte(err.Error()), out, capacity, length)
		return C.RETRY_BAD_CONFIG
	}
	return writeJSON(result, out, capacity, length)
}
