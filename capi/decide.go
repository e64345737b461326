package main

// #include "retry.h"
import "C"

import (
	"sync"
	"unsafe"

	"cpex-retry-with-backoff/engine"
)

func countersOf(e *engine.Engine) *C.retry_counters {
	return (*C.retry_counters)(unsafe.Pointer(e.Counters()))
}

// room is memory for the texts and hints of one call, lent from call to call: on the
// stack it would have to be cleared for every one, and regexp would not let it stay there.
type room struct {
	texts [8]string
	hints [8]engine.Hint
}

var rooms = sync.Pool{New: func() any { return new(room) }}

//export retry_decide
func retry_decide(handle C.retry_handle, call C.retry_call_ptr, decision *C.retry_decision) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	if decision == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	*decision = C.retry_decision{reason: C.RETRY_REASON_FAULT}
	if e == nil {
		return C.RETRY_BAD_HANDLE
	}
	if call == nil {
		return C.RETRY_BAD_ARGUMENT
	}
	var c engine.Call
	var ok1, ok2, ok3 bool
	c.Tool, ok1 = view(call.tool, call.tool_length)
	c.RequestID, ok2 = view(call.request_id, call.request_id_length)
	c.Facts, ok3 = factsOf(call)
	if !ok1 || !ok2 || !ok3 {
		return C.RETRY_BAD_ARGUMENT
	}
	var d engine.Decision
	var err error
	if call.text_count|call.hint_count == 0 {
		d, err = e.Decide(&c)
	} else if d, ok1, err = decideWithMore(e, &c, call); !ok1 {
		return C.RETRY_BAD_ARGUMENT
	}
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

// decideWithMore is for calls with texts or hints.
func decideWithMore(e *engine.Engine, c *engine.Call, call C.retry_call_ptr) (d engine.Decision, ok bool, err error) {
	r := rooms.Get().(*room)
	if c.Texts, ok = views(call.texts, call.text_count, r.texts[:]); !ok {
		return d, false, nil
	}
	if c.Hints, ok = hintsOf(call.hints, call.hint_count, r.hints[:]); !ok {
		return d, false, nil
	}
	d, err = e.Decide(c)
	// The strings were the caller's: forget them.
	clear(r.texts[:min(len(c.Texts), len(r.texts))])
	clear(r.hints[:min(len(c.Hints), len(r.hints))])
	rooms.Put(r)
	return d, true, err
}

//export retry_begin
func retry_begin(handle C.retry_handle, tool C.retry_bytes, toolLength C.size_t,
	requestID C.retry_bytes, requestIDLength C.size_t) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	return step(e, tool, toolLength, requestID, requestIDLength, (*engine.Engine).Begin)
}
