package engine

import (
	"slices"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
)

func TestAReadableStatusDecidesAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Facts
		want Reason
	}{
		{"nothing said", Facts{}, Success},
		{"isError", Facts{IsError: true}, Retry},
		{"nested isError", Facts{NestedIsError: true}, Retry},
		{"listed status", Facts{HasStatus: true, Status: 503}, Retry},
		{"unlisted status without error", Facts{HasStatus: true, Status: 404}, Success},
		{"isError with listed status", Facts{IsError: true, HasStatus: true, Status: 429}, Retry},
		{"isError with unlisted status", Facts{IsError: true, HasStatus: true, Status: 404}, NotRetryableStatus},
		{"nested isError with unlisted status", Facts{NestedIsError: true, HasStatus: true, Status: 200}, NotRetryableStatus},
		{"a status beyond 64 bits", Facts{IsError: true, HasStatus: true, Status: UnlistableStatus}, NotRetryableStatus},
		{"2**32+500 is not 500", Facts{HasStatus: true, Status: 1<<32 + 500}, Success},
	} {
		e := build(t, (&world{}).store(), nil)
		assert.Equal(t, c.want, judge(e.policies.base, c.f), c.name)
	}
}

func TestJudgingOnlyDependsOnWhatWasFound(t *testing.T) {
	property := func(isError, nested, hasStatus bool, status int64, listed []uint16) bool {
		statuses := []int64{}
		for _, s := range listed {
			statuses = append(statuses, int64(s))
		}
		p := (&Policy{}).with(&Fields{RetryOnStatus: &statuses})
		reason := judge(p, Facts{isError, nested, hasStatus, status})
		isListed := hasStatus && slices.Contains(statuses, status)
		switch reason {
		case Retry:
			return isListed || (isError || nested) && !hasStatus
		case NotRetryableStatus:
			return (isError || nested) && hasStatus && !isListed
		default:
			return reason == Success && !isError && !nested && !isListed
		}
	}
	assert.NoError(t, quick.Check(property, &quick.Config{MaxCount: 20_000}))
}

func TestOneTextWithAnErrorIsEnough(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.CheckTextContent = ptr(true) })
	assert.Equal(t, Retry, judgeTexts(e.policies.base, []string{"hello", `{"ok":1}`, `{"status_code":503}`}))
	assert.Equal(t, Success, judgeTexts(e.policies.base, []string{"hello", `{"status_code":404}`}))
	assert.Equal(t, Retry, judgeTexts(e.policies.base, []string{`{"isError":true,"status_code":404}`}),
		"in a text isError decides alone")
}

func TestTextsAreIgnoredUnlessAskedFor(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	assert.Equal(t, Success, judgeTexts(e.policies.base, []string{`{"isError":true}`}))
}

func TestMaxTextBytesBoundsAllTextsOfAResultTogether(t *testing.T) {
	limit := int64(20)
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.CheckTextContent, c.Base.MaxTextBytes = ptr(true), &limit
	})
	bad := `{"isError":true}` // 16 bytes
	assert.Equal(t, Retry, judgeTexts(e.policies.base, []string{"1234", bad}))
	assert.Equal(t, Success, judgeTexts(e.policies.base, []string{"12345", bad}))
	assert.Equal(t, Retry, judgeTexts(e.policies.base, []string{"too long to be looked at", bad}))
}

func TestATextAboveMaxTextBytesIsNotInspected(t *testing.T) {
	text := `{"isError":true}`
	for limit, want := range map[int64]Reason{int64(len(text)): Retry, int64(len(text)) - 1: Success} {
		e := build(t, (&world{}).store(), func(c *Config) {
			c.Base.CheckTextContent, c.Base.MaxTextBytes = ptr(true), &limit
		})
		assert.Equal(t, want, judgeTexts(e.policies.base, []string{text}), limit)
	}
}
