package main

// #include "retry.h"
import "C"

import "cpex-retry-with-backoff/engine"

//export retry_judge
func retry_judge(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t, facts C.uint32_t,
	status C.int64_t, retryable *C.int32_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	name, ok := view(tool, toolLength)
	found := flagsOf(facts)
	found.Status = int64(status)
	if !ok || facts&^knownFacts != 0 || retryable == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	*retryable = 0
	if e.Judge(name, found) {
		*retryable = 1
	}
	return C.RETRY_OK
}

//export retry_backoff_ms
func retry_backoff_ms(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	attempt C.uint32_t, delayMS *C.int64_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	name, ok := view(tool, toolLength)
	if !ok || delayMS == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	*delayMS = C.int64_t(e.BackoffOf(name, uint32(attempt)).Milliseconds())
	return C.RETRY_OK
}

//export retry_failures
func retry_failures(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	requestID C.retry_bytes, requestIDLength C.size_t, failures *C.uint32_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	return count(e, tool, toolLength, requestID, requestIDLength, failures, (*engine.Engine).Failures)
}

//export retry_record_failure
func retry_record_failure(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	requestID C.retry_bytes, requestIDLength C.size_t, failures *C.uint32_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	return count(e, tool, toolLength, requestID, requestIDLength, failures, (*engine.Engine).RecordFailure)
}

//export retry_forget
func retry_forget(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	requestID C.retry_bytes, requestIDLength C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	return step(e, tool, toolLength, requestID, requestIDLength, (*engine.Engine).Forget)
}

// step runs one step on a request that has no count to answer.
func step(e *engine.Engine, tool C.retry_bytes, toolLength C.size_t, requestID C.retry_bytes,
	requestIDLength C.size_t, do func(e *engine.Engine, tool, request string) error) C.int32_t {
	var none C.uint32_t
	return count(e, tool, toolLength, requestID, requestIDLength, &none,
		func(e *engine.Engine, tool, request string) (uint32, error) { return 0, do(e, tool, request) })
}

// count runs one step that works on the count of a request.
func count(e *engine.Engine, tool C.retry_bytes, toolLength C.size_t, requestID C.retry_bytes,
	requestIDLength C.size_t, failures *C.uint32_t,
	step func(e *engine.Engine, tool, request string) (uint32, error)) C.int32_t {
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	name, ok1 := view(tool, toolLength)
	request, ok2 := view(requestID, requestIDLength)
	if !ok1 || !ok2 || failures == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	n, err := step(e, name, request)
	if err != nil {
		return C.RETRY_FAULT
	}
	*failures = C.uint32_t(n)
	return C.RETRY_OK
}
