package main

// #include "retry.h"
import "C"

import (
	"cpex-retry-with-backoff/engine"
)

//export retry_engine_new
func retry_engine_new(config C.retry_bytes, configLength C.size_t, handle *C.retry_handle,
	out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	defer guard(nil, &rc)
	blob, ok := view(config, configLength)
	if !ok || handle == nil || write(nil, out, capacity, length) != C.RETRY_OK {
		return C.RETRY_BAD_ARGUMENT
	}
	*handle = 0
	refuse := func(why string) C.int32_t {
		write([]byte(why), out, capacity, length)
		return C.RETRY_BAD_CONFIG
	}
	parsed, err := engine.ParseConfig([]byte(blob))
	if err != nil {
		return refuse(err.Error())
	}
	e, err := engine.New(store, parsed)
	if err != nil {
		return refuse(err.Error())
	}
	h, ok := engines.add(e)
	if !ok {
		e.Close()
		return refuse("too many engines are alive in this process; free some")
	}
	*handle = C.retry_handle(h)
	writeJSON(e.Notices(), out, capacity, length)
	return C.RETRY_OK
}

//export retry_engine_free
func retry_engine_free(handle C.retry_handle) (rc C.int32_t) {
	e := engines.remove(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	e.Close()
	return C.RETRY_OK
}

//export retry_notices
func retry_notices(handle C.retry_handle, out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	return writeJSON(e.Notices(), out, capacity, length)
}

//export retry_counters_of
func retry_counters_of(handle C.retry_handle, counters **C.retry_counters) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	if counters == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	*counters = countersOf(e)
	return C.RETRY_OK
}

//export retry_policy
func retry_policy(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t, ceiling C.int64_t,
	out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	name, ok := view(tool, toolLength)
	if !ok {
		return C.RETRY_BAD_ARGUMENT
	}
	if tool == nil {
		return writeJSON(e.BasePolicy(int64(ceiling)), out, capacity, length)
	}
	return writeJSON(e.PolicyOf(name, int64(ceiling)), out, capacity, length)
}

//export retry_stats
func retry_stats(handle C.retry_handle, out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	return writeJSON(e.Stats(), out, capacity, length)
}

//export retry_last_fault
func retry_last_fault(out *C.char, capacity C.size_t, length *C.size_t) (rc C.int32_t) {
	defer guard(nil, &rc)
	return write([]byte(faults.last()), out, capacity, length)
}
