package engine

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pattern matches whole names, case-sensitively and by code point: * any run (also
// an empty one, also "/"), ? one, [ab] and [a-z] one of these, [!a] one that is none
// of these. Immutable.
type Pattern struct {
	text     string
	parts    []part
	literals int
}

type part struct {
	kind    partKind
	literal rune
	negated bool
	ranges  [][2]rune
}

type partKind uint8

const (
	literalPart partKind = iota
	anyRun
	anyOne
	class
)

// IsPattern tells whether a text holds a character that is special in patterns.
func IsPattern(text string) bool { return strings.ContainsAny(text, "*?[") }

// CompilePattern reads a pattern. A text without special characters matches itself.
func CompilePattern(text string) (*Pattern, error) {
	p := &Pattern{text: text}
	for rest := text; rest != ""; {
		c, size := decodeRune(rest)
		rest = rest[size:]
		next := part{kind: literalPart, literal: c}
		switch c {
		case '*':
			next.kind = anyRun
			if n := len(p.parts); n > 0 && p.parts[n-1].kind == anyRun {
				continue
			}
		case '?':
			next.kind = anyOne
		case '[':
			var err error
			if next, rest, err = readClass(rest); err != nil {
				return nil, fmt.Errorf("the pattern %q is malformed: %w: must be a name, or a "+
					"pattern of *, ?, [ab], [a-z] and [!a]", text, err)
			}
		default:
			p.literals++
		}
		p.parts = append(p.parts, next)
	}
	return p, nil
}

// decodeRune is utf8.DecodeRuneInString, but bytes that are no UTF-8 stay different from
// each other and from every code point.
func decodeRune(s string) (c rune, size int) {
	c, size = utf8.DecodeRuneInString(s)
	if c == utf8.RuneError && size == 1 {
		c = utf8.MaxRune + 1 + rune(s[0])
	}
	return c, size
}

// readClass reads what follows a "[". A "]" that comes first is a member.
func readClass(rest string) (c part, after string, err error) {
	c.kind = class
	if c.negated = strings.HasPrefix(rest, "!"); c.negated {
		rest = rest[1:]
	}
	for first := true; ; first = false {
		low, size := decodeRune(rest)
		if size == 0 {
			return c, rest, errors.New("a [ is not closed by a ]")
		}
		rest = rest[size:]
		if low == ']' && !first {
			return c, rest, nil
		}
		high := low
		if strings.HasPrefix(rest, "-") && len(rest) > 1 && rest[1] != ']' {
			high, size = decodeRune(rest[1:])
			rest = rest[1+size:]
		}
		if high < low {
			return c, rest, fmt.Errorf("the range %c-%c is backwards", low, high)
		}
		c.ranges = append(c.ranges, [2]rune{low, high})
	}
}

func (p *part) matches(c rune) bool {
	switch p.kind {
	case literalPart:
		return c == p.literal
	case anyOne:
		return true
	}
	for _, r := range p.ranges {
		if c >= r[0] && c <= r[1] {
			return !p.negated
		}
	}
	return p.negated
}

// Match tells whether the pattern matches the whole name. When a part does not fit,
// the last * takes one character more; earlier ones need never be reconsidered, so
// the time is at most the product of both lengths.
func (p *Pattern) Match(name string) bool {
	at, part := 0, 0
	star, starAt := -1, 0
	for at < len(name) {
		c, size := decodeRune(name[at:])
		switch {
		case part < len(p.parts) && p.parts[part].kind == anyRun:
			star, starAt = part, at
			part++
		case part < len(p.parts) && p.parts[part].matches(c):
			part++
			at += size
		case star >= 0:
			_, size = decodeRune(name[starAt:])
			starAt += size
			part, at = star+1, starAt
		default:
			return false
		}
	}
	for part < len(p.parts) && p.parts[part].kind == anyRun {
		part++
	}
	return part == len(p.parts)
}

// patterns is a list of them.
type patterns []*Pattern

func compilePatterns(texts []string) (patterns, error) {
	var ps patterns
	for _, text := range texts {
		p, err := CompilePattern(text)
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// match tells whether one of them matches; a text equal to the name does too,
// whatever characters it holds.
func (ps patterns) match(name string) bool {
	for _, p := range ps {
		if p.text == name || p.Match(name) {
			return true
		}
	}
	return false
}
