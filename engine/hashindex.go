package engine

// key is the identity of a call: a hash of the tool's name and one of the request
// id, taken apart so that ("a:b", "c") and ("a", "b:c") differ. Both hashes are
// keyed with a random seed per process. Two calls of one tool share a count if
// their 64-bit hashes collide: with a million tracked requests the chance of one
// such pair anywhere is below 1 in 10 million, and the harm is one retry less.
// In exchange a count takes the same 48 bytes whatever the length of the names.
type key struct {
	tool, request uint64
}

func (k key) hash() uint64 { return k.tool*0x9e3779b97f4a7c15 ^ k.request }

// hashIndex finds slots by key: linear hashing (Litwin, 1980) with chains. It
// grows by one bucket for each new entry beyond the number of buckets, so there
// is no call that pays for rehashing everything.
type hashIndex struct {
	heads   [][]slotID // in chunks, for the same reason as slots
	buckets uint64
	mask    uint64 // 2^n - 1, the smallest that covers all buckets
}

const (
	headsChunk   = 1024
	firstBuckets = 64
)

func newHashIndex() hashIndex {
	return hashIndex{heads: [][]slotID{make([]slotID, headsChunk)}, buckets: firstBuckets, mask: firstBuckets - 1}
}

func (h *hashIndex) head(bucket uint64) *slotID {
	return &h.heads[bucket/headsChunk][bucket%headsChunk]
}

func (h *hashIndex) bucketOf(k key) uint64 {
	bucket := k.hash() & h.mask
	if bucket >= h.buckets { // not split off yet: still in the bucket below
		bucket &= h.mask >> 1
	}
	return bucket
}

func (h *hashIndex) find(s *slots, k key) slotID {
	for id := *h.head(h.bucketOf(k)); id != 0; {
		entry := s.at(id)
		if entry.key == k {
			return id
		}
		id = entry.nextInHash
	}
	return 0
}

// insert adds a slot whose key is not in the index; entries is their number with it.
func (h *hashIndex) insert(s *slots, id slotID, entries int) {
	if uint64(entries) > h.buckets {
		h.split(s)
	}
	entry := s.at(id)
	head := h.head(h.bucketOf(entry.key))
	entry.nextInHash, *head = *head, id
}

func (h *hashIndex) remove(s *slots, id slotID) {
	link := h.head(h.bucketOf(s.at(id).key))
	for *link != id {
		link = &s.at(*link).nextInHash
	}
	*link = s.at(id).nextInHash
}

// split adds one bucket and moves to it what belongs there from the bucket that
// held its keys so far.
func (h *hashIndex) split(s *slots) {
	if h.buckets > h.mask {
		h.mask = h.mask<<1 | 1
	}
	if h.buckets == uint64(len(h.heads)*headsChunk) {
		h.heads = append(h.heads, make([]slotID, headsChunk))
	}
	from := h.head(h.buckets & (h.mask >> 1))
	h.buckets++
	id := *from
	*from = 0
	for id != 0 {
		entry := s.at(id)
		next := entry.nextInHash
		head := h.head(h.bucketOf(entry.key))
		entry.nextInHash, *head = *head, id
		id = next
	}
}
