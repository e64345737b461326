package engine

// slotID names a slot; 0 is none.
type slotID uint32

// slot is one tracked request: 48 bytes without pointers, so the garbage
// collector never looks inside.
type slot struct {
	key        key
	touched    int64  // nanoseconds of the environment's clock
	failures   uint32 // consecutive, saturating
	older      slotID // neighbours in the order of touching
	newer      slotID // (of a free slot: the next free one)
	nextInHash slotID
	delayMS    uint32 // the formula's last delay
	charged    uint32 // tokens that the call's retries took
}

// chunkSlots keeps a chunk small enough (48 KiB) that clearing a fresh one does
// not show in a call's time.
const chunkSlots = 1024

// slots is a growing set of slots. It grows by whole chunks and never copies one,
// so no call pays for the size of what is already there.
type slots struct {
	chunks [][]slot
	used   slotID // slots handed out at least once
	free   slotID // list of returned ones
}

func (s *slots) at(id slotID) *slot {
	i := id - 1
	return &s.chunks[i/chunkSlots][i%chunkSlots]
}

func (s *slots) take() slotID {
	if id := s.free; id != 0 {
		s.free = s.at(id).newer
		return id
	}
	if int(s.used) == len(s.chunks)*chunkSlots {
		s.chunks = append(s.chunks, make([]slot, chunkSlots))
	}
	s.used++
	return s.used
}

func (s *slots) giveBack(id slotID) {
	*s.at(id) = slot{newer: s.free}
	s.free = id
}
