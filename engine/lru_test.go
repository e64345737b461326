package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheLeastRecentlyUsedHasToGo(t *testing.T) {
	l := newLRU[string](2)
	_, dropped := l.put(1, "one")
	assert.Nil(t, dropped)
	l.put(2, "two")
	assert.Equal(t, "one", *l.get(1), "used: now the newest")
	_, dropped = l.put(3, "three")
	assert.Equal(t, "two", *dropped)
	assert.Nil(t, l.get(2))
	seen := map[string]bool{}
	for v := range l.all {
		seen[*v] = true
	}
	assert.Equal(t, map[string]bool{"one": true, "three": true}, seen)
}

func TestAnLRUOfOneKeepsTheLast(t *testing.T) {
	l := newLRU[int](1)
	for i := range 10 {
		l.put(uint64(i), i)
		assert.Equal(t, i, *l.get(uint64(i)))
		assert.Len(t, l.entries, 1)
	}
}
