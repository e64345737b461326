package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// withOverrides gives each key another max_retries, in turn from 10 on.
func withOverrides(t *testing.T, keys ...string) *Engine {
	return build(t, (&world{}).store(), func(c *Config) {
		for i, key := range keys {
			c.Overrides = append(c.Overrides, Override{Tool: key, Fields: Fields{FormulaFields: retries(int64(10 + i))}})
		}
	})
}

func TestTheMostSpecificPatternWinsAlone(t *testing.T) {
	e := withOverrides(t, "*", "search-*", "search-web", "search-[vw]eb", "*-web", "s*", "[literally]", "[x]")
	for tool, want := range map[string]int64{
		"anything": 10, "search-x": 11, "search-web": 12, "search-veb": 13, "my-web": 14, "sx": 15,
		"[literally]": 16, "l": 10, "x": 10, // a class holds no literals: a tie, and "*" came first
		"Search-x": 10,
	} {
		assert.Equal(t, want, e.PolicyOf(tool, -1).MaxRetries, tool)
	}
}

func TestOfEquallySpecificPatternsTheFirstInTheFileWins(t *testing.T) {
	assert.EqualValues(t, 10, withOverrides(t, "a*", "*b").PolicyOf("ab", -1).MaxRetries)
	assert.EqualValues(t, 10, withOverrides(t, "*b", "a*").PolicyOf("ab", -1).MaxRetries)
}

func TestAPatternIsLaidOverTheBaseAndNotOverOtherPatterns(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Overrides = []Override{
			{Tool: "*", Fields: Fields{FormulaFields: retries(7)}},
			{Tool: "pay-*", Fields: Fields{FormulaFields: FormulaFields{BackoffBaseMS: ptr[int64](9)}}},
		}
	})
	v := e.PolicyOf("pay-now", -1)
	assert.EqualValues(t, 2, v.MaxRetries)
	assert.EqualValues(t, 9, v.BackoffBaseMS)
	assert.Equal(t, "pay-*", v.Override)
}

func TestThousandsOfNamesAreRememberedAndNoMore(t *testing.T) {
	e := withOverrides(t, "a*")
	for i := range 3 * rememberedTools {
		assert.EqualValues(t, 10, e.PolicyOf(fmt.Sprint("a", i), -1).MaxRetries)
	}
	assert.LessOrEqual(t, len(e.policies.remembered), rememberedTools)
	before := len(e.policies.remembered)
	assert.EqualValues(t, 10, e.PolicyOf("a"+strings.Repeat("x", rememberedName), -1).MaxRetries)
	assert.Len(t, e.policies.remembered, before, "a long name is matched every time")
}

func TestMatchingARememberedNameAllocatesNothing(t *testing.T) {
	e := withOverrides(t, "a*")
	e.policies.of("abc")
	assert.Zero(t, testing.AllocsPerRun(100, func() { e.policies.of("abc") }))
}

func TestMalformedPatternsAreRefusedWhereverTheyStand(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`tool_overrides: the pattern "a[" is malformed`: func(c *Config) { c.Overrides = []Override{{Tool: "a["}} },
		`safe_tools: the pattern "[" is malformed`:      func(c *Config) { c.SafeTools = []string{"["} },
		`unsafe_tools: the pattern "[b-a]" is`:          func(c *Config) { c.UnsafeTools = []string{"[b-a]"} },
		`never_retry_on_text[1] = "(": must be an RE2`:  func(c *Config) { c.Base.NeverRetryOnText = &[]string{"a", "("} },
		`retry_on_text[0] = "": must be`:                func(c *Config) { c.Base.RetryOnText = &[]string{""} },
		`tool_overrides["t"].retry_on_text[0] = "a**"`: func(c *Config) {
			c.Overrides = []Override{{Tool: "t", Fields: Fields{RetryOnText: &[]string{"a**"}}}}
		},
	} {
		c := defaults()
		change(c)
		_, err := New((&world{}).store(), c)
		assert.ErrorContains(t, err, want)
	}
}
