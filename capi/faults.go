//go:build retryfaults

package main

// #include "retry.h"
import "C"

// Faults on demand, for tests/faults: only in a library built with -tags retryfaults.

//export retry_test_panic
func retry_test_panic(handle C.retry_handle) (rc C.int32_t) {
	defer guard(engines.get(uint64(handle)), &rc)
	panic("on purpose")
}

//export retry_test_nil
func retry_test_nil(handle C.retry_handle) (rc C.int32_t) {
	defer guard(engines.get(uint64(handle)), &rc)
	var nowhere *int
	*nowhere = 1
	return C.RETRY_OK
}

//export retry_test_corrupt
func retry_test_corrupt(handle C.retry_handle) (rc C.int32_t) {
	e := engines.get(uint64(handle))
	defer guard(e, &rc)
	e.Corrupt()
	return C.RETRY_OK
}
