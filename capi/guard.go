package main

// #include "retry.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"sync"

	"cpex-retry-with-backoff/engine"
)

// guard is deferred by every export. An unrecovered panic would abort the whole
// gateway; instead the call answers RETRY_FAULT and the engine is out of order,
// because nobody knows how far the panicked call had come.
func guard(e *engine.Engine, rc *C.int32_t) {
	p := recover()
	if p == nil {
		return
	}
	*rc = C.RETRY_FAULT
	faults.record(p)
	if e != nil {
		e.Break()
	}
}

// faultLog keeps the last fault in words, for the caller's log.
type faultLog struct {
	mu   sync.Mutex
	text string
}

func (l *faultLog) record(panicked any) {
	text := fmt.Sprintf("panic: %v, at %s", panicked, panicSite())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
}

func (l *faultLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// panicSite names the innermost functions of ours below the panic.
func panicSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs[:])])
	var site []string
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") && len(site) < 3 {
			file := frame.File[strings.LastIndexByte(frame.File, '/')+1:]
			site = append(site, fmt.Sprintf("%s (%s:%d)", frame.Function, file, frame.Line))
		}
		if !more {
			return strings.Join(site, " < ")
		}
	}
}
