package engine

import (
	"slices"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		assert.Equal(t, c.want, judge(e.policies.base, &c.f), c.name)
	}
}

func TestJudgingOnlyDependsOnWhatWasFound(t *testing.T) {
	property := func(isError, nested, hasStatus bool, status int64, listed []uint16) bool {
		codes := []int64{}
		for _, s := range listed {
			codes = append(codes, int64(s))
		}
		p, err := (&Policy{}).with(&Fields{RetryOnStatus: statuses(codes...)})
		require.NoError(t, err)
		reason := judge(p, &Facts{IsError: isError, NestedIsError: nested, HasStatus: hasStatus, Status: status})
		isListed := hasStatus && slices.Contains(codes, status)
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

// reasonOf judges a result without structured content that shows no error itself.
func reasonOf(e *Engine, texts ...string) Reason {
	v := judgeCall(e.policies.base, &Call{Texts: texts}, nil)
	return v.reason
}

func TestOneTextWithAnErrorIsEnough(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.CheckTextContent = ptr(true) })
	assert.Equal(t, Retry, reasonOf(e, "hello", `{"ok":1}`, `{"status_code":503}`))
	assert.Equal(t, Success, reasonOf(e, "hello", `{"status_code":404}`))
	assert.Equal(t, Retry, reasonOf(e, `{"isError":true,"status_code":404}`),
		"in a text isError decides alone")
}

func TestTextsAreIgnoredUnlessAskedFor(t *testing.T) {
	e := build(t, (&world{}).store(), nil)
	assert.Equal(t, Success, reasonOf(e, `{"isError":true}`))
}

func TestMaxTextBytesBoundsAllTextsOfAResultTogether(t *testing.T) {
	limit := int64(20)
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.CheckTextContent, c.Base.MaxTextBytes = ptr(true), &limit
	})
	bad := `{"isError":true}` // 16 bytes
	assert.Equal(t, Retry, reasonOf(e, "1234", bad))
	assert.Equal(t, Success, reasonOf(e, "12345", bad))
	assert.Equal(t, Retry, reasonOf(e, "too long to be looked at", bad))
}

func TestATextAboveMaxTextBytesIsNotInspected(t *testing.T) {
	text := `{"isError":true}`
	for limit, want := range map[int64]Reason{int64(len(text)): Retry, int64(len(text)) - 1: Success} {
		e := build(t, (&world{}).store(), func(c *Config) {
			c.Base.CheckTextContent, c.Base.MaxTextBytes = ptr(true), &limit
		})
		assert.Equal(t, want, reasonOf(e, text), limit)
	}
}
