package main

// #include "retry.h"
import "C"

import (
	"unsafe"

	"cpex-retry-with-backoff/engine"
)

func countersOf(e *engine.Engine) *C.retry_counters {
	return (*C.retry_counters)(unsafe.Pointer(e.Counters()))
}

// fewTexts is how many texts of one result need no memory of their own.
const fewTexts = 8

//export retry_decide
func retry_decide(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	requestID C.retry_bytes, requestIDLength C.size_t, facts C.uint32_t, status C.int64_t,
	texts C.retry_texts, textCount C.size_t, decision *C.retry_decision) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if decision == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	*decision = C.retry_decision{reason: C.RETRY_REASON_FAULT}
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	var room [fewTexts]string
	name, ok1 := view(tool, toolLength)
	request, ok2 := view(requestID, requestIDLength)
	found, ok3 := factsOf(facts, status)
	payloads, ok4 := views(texts, textCount, room[:])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return C.RETRY_BAD_ARGUMENT
	}
	d, err := e.Decide(engine.Call{Tool: name, RequestID: request, Facts: found, Texts: payloads})
	if err != nil {
		return C.RETRY_FAULT
	}
	*decision = C.retry_decision{
		delay_ms: C.int64_t(d.Delay.Milliseconds()),
		failures: C.uint32_t(d.Failures),
		reason:   C.uint32_t(d.Reason),
	}
	return C.RETRY_OK
}
