package engine

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// The tokens of JSON: spaces, strings, numbers, names. Each skip function takes
// the position of the token's first byte and returns the position after it.

func skipSpace(text string, pos int) int {
	for pos < len(text) && text[pos] <= ' ' && isSpace(text[pos]) {
		pos++
	}
	return pos
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skipKey skips a string, spaces and the colon after it.
func skipKey(text string, pos int) (end int, ok bool) {
	if pos == len(text) || text[pos] != '"' {
		return pos, false
	}
	if pos, ok = skipString(text, pos); !ok {
		return pos, false
	}
	pos = skipSpace(text, pos)
	if pos == len(text) || text[pos] != ':' {
		return pos, false
	}
	return pos + 1, true
}

// rawKey cuts the string out of what skipKey skipped.
func rawKey(skipped string) string {
	return skipped[1:strings.LastIndexByte(skipped, '"')]
}

func skipScalar(text string, pos int) (end int, ok bool) {
	switch text[pos] {
	case '"':
		return skipString(text, pos)
	case 't':
		return skipWord(text, pos, "true")
	case 'f':
		return skipWord(text, pos, "false")
	case 'n':
		return skipWord(text, pos, "null")
	case 'N':
		return skipWord(text, pos, "NaN")
	case 'I':
		return skipWord(text, pos, "Infinity")
	case '-':
		if strings.HasPrefix(text[pos+1:], "I") {
			return skipWord(text, pos, "-Infinity")
		}
	}
	return skipNumber(text, pos)
}

func skipWord(text string, pos int, word string) (end int, ok bool) {
	return pos + len(word), strings.HasPrefix(text[pos:], word)
}

func skipNumber(text string, pos int) (end int, ok bool) {
	if pos < len(text) && text[pos] == '-' {
		pos++
	}
	start := pos
	pos = skipDigits(text, pos)
	if pos == start || text[start] == '0' && pos > start+1 {
		return pos, false
	}
	if pos < len(text) && text[pos] == '.' {
		start = pos + 1
		if pos = skipDigits(text, start); pos == start {
			return pos, false
		}
	}
	if pos < len(text) && (text[pos] == 'e' || text[pos] == 'E') {
		pos++
		if pos < len(text) && (text[pos] == '+' || text[pos] == '-') {
			pos++
		}
		start = pos
		if pos = skipDigits(text, start); pos == start {
			return pos, false
		}
	}
	return pos, true
}

func skipDigits(text string, pos int) int {
	for pos < len(text) && text[pos] >= '0' && text[pos] <= '9' {
		pos++
	}
	return pos
}

// skipString skips a string: from one special byte to the next.
func skipString(text string, pos int) (end int, ok bool) {
	pos++
	for {
		if pos = nextSpecial(text, pos); pos >= len(text) {
			return pos, false
		}
		switch text[pos] {
		case '"':
			return pos + 1, true
		case '\\':
			if pos, ok = skipEscape(text, pos); !ok {
				return pos, false
			}
		default: // control characters must be escaped
			return pos, false
		}
	}
}

// nextSpecial finds the next quote, backslash or control character, eight bytes at a
// time, with byte-parallel tests for zero and for less-than (Mycroft 1987). The tests
// may err only above a byte that is special itself, so the lowest find is right.
func nextSpecial(text string, pos int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	bytes := unsafe.Slice(unsafe.StringData(text), len(text))
	for ; pos+8 <= len(bytes); pos += 8 {
		word := binary.LittleEndian.Uint64(bytes[pos:])
		quote, backslash := word^(ones*'"'), word^(ones*'\\')
		special := (quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word
		if special &= highs; special != 0 {
			return pos + bits.TrailingZeros64(special)/8
		}
	}
	for pos < len(bytes) && bytes[pos] >= ' ' && bytes[pos] != '"' && bytes[pos] != '\\' {
		pos++
	}
	return pos
}

func skipEscape(text string, pos int) (end int, ok bool) {
	if pos+1 == len(text) {
		return pos, false
	}
	switch text[pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return pos + 2, true
	case 'u':
		_, ok = readHex4(text, pos+2)
		return pos + 6, ok
	}
	return pos, false
}

func readHex4(text string, pos int) (unit uint32, ok bool) {
	if pos+4 > len(text) {
		return 0, false
	}
	for _, c := range []byte(text[pos : pos+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | uint32(c)
	}
	return unit, true
}

// keyEquals compares a raw key, whose escapes are valid but not resolved, with a
// name of ASCII letters and underscores (so only \uXXXX escapes can match).
func keyEquals(raw, name string) bool {
	if len(raw) == len(name) {
		return raw == name
	}
	for i := 0; i < len(name); i++ {
		if raw == "" {
			return false
		}
		if strings.HasPrefix(raw, `\u`) {
			unit, ok := readHex4(raw, 2)
			if !ok || unit != uint32(name[i]) {
				return false
			}
			raw = raw[6:]
			continue
		}
		if raw[0] != name[i] {
			return false
		}
		raw = raw[1:]
	}
	return raw == ""
}
