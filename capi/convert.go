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

// hintsOf makes Go hints of the caller's, in room if they fit.
func hintsOf(hints C.retry_hints, count C.size_t, room []engine.Hint) (all []engine.Hint, ok bool) {
	if count == 0 {
		return nil, true
	}
	if hints == nil || count > math.MaxInt32 {
		return nil, false
	}
	all = room[:0]
	for _, hint := range unsafe.Slice((*C.retry_hint)(hints), int(count)) {
		text, ok := view(hint.text, hint.length)
		if !ok || hint.name > C.RETRY_HINT_AFTER_MS {
			return nil, false
		}
		all = append(all, engine.Hint{
			Name: engine.HintName(hint.name), IsText: hint.is_text != 0, Number: float64(hint.number), Text: text,
		})
	}
	return all, true
}

// The bits of enum retry_fact that mean something.
const (
	annotationShift = 8
	annotationMask  = C.RETRY_FACT_DESTRUCTIVE<<1 - C.RETRY_FACT_READ_ONLY
	knownFacts      = C.RETRY_FACT_TOLD_NOT_TO<<1 - 1 | annotationMask
)

// factsOf refuses bits that mean nothing.
func factsOf(call C.retry_call_ptr) (f engine.Facts, ok bool) {
	bits := call.facts
	f = flagsOf(bits)
	f.Status, f.ErrorCode = int64(call.status), int64(call.error_code)
	return f, bits&^knownFacts == 0
}

func flagsOf(bits C.uint32_t) engine.Facts {
	return engine.Facts{
		IsError:       bits&C.RETRY_FACT_IS_ERROR != 0,
		NestedIsError: bits&C.RETRY_FACT_NESTED_IS_ERROR != 0,
		HasStatus:     bits&C.RETRY_FACT_HAS_STATUS != 0,
		HasStructured: bits&C.RETRY_FACT_STRUCTURED != 0,
		HasErrorCode:  bits&C.RETRY_FACT_HAS_ERROR_CODE != 0,
		ToldNotTo:     bits&C.RETRY_FACT_TOLD_NOT_TO != 0,
		Annotations:   engine.Annotations(bits & annotationMask >> annotationShift),
	}
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
