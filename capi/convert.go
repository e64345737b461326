package main

// #include "retry.h"
import "C"

import (
	"math"
	"unsafe"

	"github.com/goccy/go-json"

	"cpex-retry-with-backoff/engine"
)

// view makes a Go string of the caller's bytes without copying. It must not be
// kept beyond the call. ok is false for a pointer and length that make no string.
func view(bytes C.retry_bytes, length C.size_t) (s string, ok bool) {
	if length == 0 {
		return "", true
	}
	if bytes == nil || length > math.MaxInt {
		return "", false
	}
	return unsafe.String((*byte)(unsafe.Pointer(bytes)), int(length)), true
}

// views makes Go strings of the caller's texts, in room if they fit.
func views(texts C.retry_texts, count C.size_t, room []string) (all []string, ok bool) {
	if count == 0 {
		return nil, true
	}
	if texts == nil || count > math.MaxInt32 {
		return nil, false
	}
	all = room[:0]
	for _, text := range unsafe.Slice((*C.retry_text)(texts), int(count)) {
		s, ok := view(text.bytes, text.length)
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, true
}

// factsOf refuses bits that mean nothing.
func factsOf(bits C.uint32_t, status C.int64_t) (f engine.Facts, ok bool) {
	f = engine.Facts{
		IsError:       bits&C.RETRY_FACT_IS_ERROR != 0,
		NestedIsError: bits&C.RETRY_FACT_NESTED_IS_ERROR != 0,
		HasStatus:     bits&C.RETRY_FACT_HAS_STATUS != 0,
		Status:        int64(status),
	}
	return f, bits < 2*C.RETRY_FACT_HAS_STATUS
}

// write gives a text to the caller, as far as it fits.
func write(text []byte, out *C.char, capacity C.size_t, length *C.size_t) C.int32_t {
	if length == nil || out == nil && capacity > 0 || capacity > math.MaxInt {
		return C.RETRY_BAD_ARGUMENT
	}
	*length = C.size_t(len(text))
	if out != nil {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(out)), int(capacity)), text)
	}
	if len(text) > int(capacity) {
		return C.RETRY_TOO_SMALL
	}
	return C.RETRY_OK
}

func writeJSON(value any, out *C.char, capacity C.size_t, length *C.size_t) C.int32_t {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // our own structs of numbers and strings: cannot happen
	}
	return write(text, out, capacity, length)
}
