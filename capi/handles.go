package main

import (
	"sync"
	"sync/atomic"

	"cpex-retry-with-backoff/engine"
)

// handles gives out numbers for engines. A number is not given out twice, and looking
// one up takes no lock. Safe for concurrent use.
type handles struct {
	mu    sync.Mutex
	slots atomic.Pointer[[]*slot]
	free  []uint64 // indexes of empty slots
	made  uint64
}

type slot struct{ entry atomic.Pointer[entry] }

type entry struct {
	handle uint64
	engine *engine.Engine
}

// A handle is the index of its slot in the low bits, and above them how many
// handles were made before it (beyond 134 million that number starts again).
const (
	indexBits = 20
	indexMask = 1<<indexBits - 1
	madeMask  = 1<<27 - 1
)

func (h *handles) add(e *engine.Engine) (handle uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slots := h.all()
	var index uint64
	if n := len(h.free); n > 0 {
		index = h.free[n-1]
		h.free = h.free[:n-1]
	} else {
		index = uint64(len(slots))
		if index > indexMask {
			return 0, false
		}
		slots = append(slots, &slot{})
		h.slots.Store(&slots)
	}
	h.made = h.made&madeMask + 1 // from 1, so that no handle is 0
	handle = h.made<<indexBits | index
	slots[index].entry.Store(&entry{handle, e})
	return handle, true
}

func (h *handles) all() []*slot {
	if p := h.slots.Load(); p != nil {
		return *p
	}
	return nil
}

// get returns nil for a handle that is not in use.
func (h *handles) get(handle uint64) *engine.Engine {
	slots := h.all()
	index := handle & indexMask
	if index >= uint64(len(slots)) {
		return nil
	}
	if e := slots[index].entry.Load(); e != nil && e.handle == handle {
		return e.engine
	}
	return nil
}

// remove takes a handle out of use; of several callers one gets the engine.
func (h *handles) remove(handle uint64) *engine.Engine {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.get(handle)
	if e != nil {
		index := handle & indexMask
		h.all()[index].entry.Store(nil)
		h.free = append(h.free, index)
	}
	return e
}
