package engine

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatternsMatchWholeNames(t *testing.T) {
	for _, c := range []struct {
		pattern, yes, no string // names, separated by spaces
	}{
		{"search", "search", "Search searchx xsearch"},
		{"search-*", "search- search-web search-a/b", "search Search-web"},
		{"*", "x a/b é", ""},
		{"*-read", "a-read -read", "a-reader read"},
		{"a*b*c", "abc aXbYc abbc abcc", "acb ab abcd"},
		{"?", "a é 日", "ab"},
		{"a?c", "abc aéc", "ac abbc"},
		{"[ab]x", "ax bx", "cx x"},
		{"[a-cx]1", "a1 b1 c1 x1", "d1 A1"},
		{"[!a-c]1", "d1 é1", "a1 1"},
		{"[]a]", "] a", "[ b"},
		{"[!]]", "a [", "]"},
		{"[a-]", "a -", "b"},
		{"[日-本]", "日", "x"},
		{"**", "a ab", ""},
	} {
		p, err := CompilePattern(c.pattern)
		require.NoError(t, err, c.pattern)
		for _, name := range strings.Fields(c.yes) {
			assert.Truef(t, p.Match(name), "%s matches %s", c.pattern, name)
		}
		for _, name := range strings.Fields(c.no) {
			assert.Falsef(t, p.Match(name), "%s does not match %s", c.pattern, name)
		}
	}
	for pattern, want := range map[string]bool{"*": true, "": true, "**": true, "?": false, "a": false} {
		p, err := CompilePattern(pattern)
		require.NoError(t, err)
		assert.Equal(t, want, p.Match(""), pattern)
	}
}

func TestBytesThatAreNoUTF8StayDifferent(t *testing.T) {
	p, err := CompilePattern("a\xff*")
	require.NoError(t, err)
	assert.True(t, p.Match("a\xffb"))
	assert.False(t, p.Match("a\xfeb"))
	assert.False(t, p.Match("a\ufffdb"))
}

func TestAMalformedPatternIsRefusedInWords(t *testing.T) {
	for pattern, want := range map[string]string{
		"a[": "is not closed", "a[b": "is not closed", "[!": "is not closed", "[]": "is not closed",
		"[z-a]": "the range z-a is backwards",
	} {
		_, err := CompilePattern(pattern)
		assert.ErrorContains(t, err, want, pattern)
	}
}

func TestPatternsThatCallForBacktrackingTakeNoTime(t *testing.T) {
	p, err := CompilePattern(strings.Repeat("a*", 100) + "b")
	require.NoError(t, err)
	assert.False(t, p.Match(strings.Repeat("a", 100_000)))
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{"a*b", "[a-c]?", "[!x]*", "**?"} {
		f.Add(pattern, "abc")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p, err := CompilePattern(pattern)
		if err != nil {
			return
		}
		got := p.Match(name)
		// path.Match agrees where both know the language: no "/", no backslash, no
		// classes (there the two differ in what they refuse).
		if !strings.ContainsAny(pattern+name, `/\[`) {
			want, err := path.Match(pattern, name)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
	})
}
