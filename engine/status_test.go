package engine

import (
	"testing"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStatusesAreReadAndWrittenAsTheyWere(t *testing.T) {
	var list []Status
	require.NoError(t, json.Unmarshal([]byte(`[429,"5xx","4XX",0]`), &list))
	assert.Equal(t, []int64{429, 0, 0, 0}, []int64{list[0].Code, list[1].Code, list[2].Code, list[3].Code})
	assert.Equal(t, []int64{0, 5, 4, 0}, []int64{list[0].Class, list[1].Class, list[2].Class, list[3].Class})
	text, err := json.Marshal(list)
	require.NoError(t, err)
	assert.Equal(t, `[429,"5xx","4XX",0]`, string(text))
	for _, bad := range []string{`"6xx"`, `"0xx"`, `"5x"`, `"5xxx"`, `-1`, `2147483648`, `1.5`, `"429"`, `true`, `{}`} {
		assert.Error(t, json.Unmarshal([]byte("["+bad+"]"), &list), bad)
	}
}

func TestAClassHoldsItsHundred(t *testing.T) {
	set := newStatusSet([]Status{{Code: 429}, {Class: 5}})
	for status, want := range map[int64]bool{
		429: true, 499: false, 500: true, 599: true, 600: false, 0: false, UnlistableStatus: false, 5: false,
	} {
		assert.Equal(t, want, set.has(status), status)
	}
	assert.True(t, set.hasAny(Status{Class: 4}), "429 is in 4xx")
	assert.True(t, set.hasAny(Status{Code: 503}))
	assert.False(t, set.hasAny(Status{Class: 3}))
}
