package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkInvariants walks everything once: the queue in both directions, the index
// and the free list must describe the same set of entries.
func checkInvariants(t *testing.T, tr *tracker) {
	t.Helper()
	forward := map[slotID]bool{}
	last := time.Duration(-1 << 62)
	for id, older := tr.oldest, slotID(0); id != 0; id = tr.slots.at(id).newer {
		entry := tr.slots.at(id)
		require.False(t, forward[id], "the queue has a loop")
		require.Equal(t, older, entry.older)
		require.GreaterOrEqual(t, time.Duration(entry.touched), last, "the queue is in order of touch")
		require.Equal(t, id, tr.index.find(&tr.slots, entry.key), "every entry is found by its key")
		require.Positive(t, entry.failures)
		forward[id], older, last = true, id, time.Duration(entry.touched)
		if entry.newer == 0 {
			require.Equal(t, id, tr.newest)
		}
	}
	require.Len(t, forward, tr.entries)
	indexed := 0
	for bucket := range tr.index.buckets {
		for id := *tr.index.head(bucket); id != 0; id = tr.slots.at(id).nextInHash {
			require.Equal(t, bucket, tr.index.bucketOf(tr.slots.at(id).key))
			indexed++
		}
	}
	require.Equal(t, tr.entries, indexed)
	free := 0
	for id := tr.slots.free; id != 0; id = tr.slots.at(id).newer {
		require.False(t, forward[id], "a slot is both free and used")
		free++
	}
	require.Equal(t, int(tr.slots.used), tr.entries+free)
}

// model is the same rules on a plain map: slow and obvious.
type model struct {
	count   map[key]uint32
	touched map[key]time.Duration
	ttl     time.Duration
}

func (m *model) failures(k key, now time.Duration) uint32 {
	if now-m.touched[k] > m.ttl {
		return 0
	}
	return m.count[k]
}

func TestTrackerAgreesWithAPlainMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		ttl := time.Duration(1+random.IntN(200)) * ms
		tr := newTracker(ttl, 1<<30)
		m := model{map[key]uint32{}, map[key]time.Duration{}, ttl}
		now := time.Duration(0)
		for step := range 3000 {
			now += time.Duration(random.IntN(3)) * ms
			k := tr.keyOf("tool", fmt.Sprint(random.IntN(1+int(seed)*100)))
			switch random.IntN(5) {
			case 0:
				tr.forget(k, now)
				delete(m.count, k)
			case 1:
				tr.expire(now)
			case 2:
				require.Equal(t, m.failures(k, now), tr.failures(k, now), "seed %d step %d", seed, step)
			default:
				m.count[k] = m.failures(k, now) + 1
				m.touched[k] = now
				require.Equal(t, m.count[k], tr.fail(k, now).failures, "seed %d step %d", seed, step)
			}
			if step%500 == 0 {
				checkInvariants(t, &tr)
			}
		}
		checkInvariants(t, &tr)
	}
}

func TestKeysAreTakenApart(t *testing.T) {
	tr := newTracker(time.Minute, 100)
	tr.fail(tr.keyOf("a:b", "c"), 0)
	assert.Zero(t, tr.failures(tr.keyOf("a", "b:c"), 0))
	assert.EqualValues(t, 1, tr.failures(tr.keyOf("a:b", "c"), 0))
}

func TestNamesAreNotKept(t *testing.T) {
	tr := newTracker(time.Minute, 100)
	name := []byte("request-1")
	tr.fail(tr.keyOf("tool", unsafe.String(&name[0], len(name))), 0)
	copy(name, "xxxxxxxxx") // the caller's memory is used for something else
	assert.EqualValues(t, 1, tr.failures(tr.keyOf("tool", "request-1"), 0))
}

func TestAStaleCountStartsAgain(t *testing.T) {
	tr := newTracker(300*time.Second, 100)
	k := tr.keyOf("t", "r")
	tr.fail(k, 0)
	assert.EqualValues(t, 2, tr.fail(k, 300*time.Second).failures, "exactly the time to live is not stale yet")
	assert.EqualValues(t, 1, tr.fail(k, 600*time.Second+1).failures)
	assert.EqualValues(t, 1, tr.expired)
}

func TestExpiryRemovesAFewPerCall(t *testing.T) {
	tr := newTracker(time.Second, 1<<20)
	for i := range 10 {
		tr.fail(tr.keyOf("t", fmt.Sprint(i)), 0)
	}
	tr.expire(2 * time.Second)
	assert.Equal(t, 10-expiryStep, tr.entries)
	for range 10 {
		tr.expire(2 * time.Second)
	}
	assert.Zero(t, tr.entries)
	assert.EqualValues(t, 10, tr.expired)
}

func TestTheOldestGoesFirstWhenTheBoundIsReached(t *testing.T) {
	tr := newTracker(time.Hour, 3)
	for i := range 5 {
		tr.fail(tr.keyOf("t", fmt.Sprint(i)), time.Duration(i))
		if i == 2 {
			tr.fail(tr.keyOf("t", "0"), 2) // touched again: not the oldest any more
		}
	}
	var kept []uint32
	for i := range 5 {
		kept = append(kept, tr.failures(tr.keyOf("t", fmt.Sprint(i)), 5))
	}
	assert.Equal(t, []uint32{2, 0, 0, 1, 1}, kept)
	assert.EqualValues(t, 2, tr.evicted)
	tr.setBound(1)
	assert.Equal(t, 1, tr.entries)
	checkInvariants(t, &tr)
}

func TestMemoryGoesBackWhenAStormIsOver(t *testing.T) {
	tr := newTracker(time.Hour, 1<<20)
	for i := range 50_000 {
		tr.fail(tr.keyOf("t", fmt.Sprint(i)), 0)
	}
	require.Greater(t, len(tr.slots.chunks), 40)
	for i := range 50_000 {
		tr.forget(tr.keyOf("t", fmt.Sprint(i)), 0)
	}
	assert.Empty(t, tr.slots.chunks)
	assert.EqualValues(t, 1, tr.fail(tr.keyOf("t", "again"), 0).failures)
	checkInvariants(t, &tr)
}

func TestASlotIsFortyEightBytesWithoutPointers(t *testing.T) {
	assert.EqualValues(t, 48, unsafe.Sizeof(slot{}))
}

func FuzzKeys(f *testing.F) {
	f.Add("a:b", "c", "a", "b:c")
	f.Add("", "", "\x00", "")
	f.Fuzz(func(t *testing.T, tool1, request1, tool2, request2 string) {
		tr := newTracker(time.Minute, 10)
		same := tool1 == tool2 && request1 == request2
		assert.Equal(t, same, tr.keyOf(tool1, request1) == tr.keyOf(strings.Clone(tool2), request2))
	})
}
