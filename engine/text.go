package engine

import "strings"

// The two top-level keys that make a JSON text an error.
const (
	keyIsError = "isError"
	keyStatus  = "status_code"
)

// ReadText reads the facts that a text payload holds if it is a JSON object:
// isError true, and an integer status_code. Keys are matched exactly, only at
// the top level, and the last of several wins. Anything that is not one complete
// JSON object holds no facts. Cost: a text without the keys is searched, not
// parsed; else one pass without allocation for nesting up to 64.
//
// What is read goes beyond RFC 8259, because tools are often Python programs:
// NaN and Infinity as values, numbers of any length, lone surrogates, any nesting.
func ReadText(text string) Facts {
	var f Facts
	if !mayHoldKeys(text) {
		return f
	}
	o, ok := openObject(text)
	for ok && o.next() {
		switch {
		case keyEquals(o.key, keyIsError):
			f.IsError = o.value == "true"
		case keyEquals(o.key, keyStatus):
			f.Status, f.HasStatus = readInteger(o.value)
		}
	}
	if !ok || !o.complete() {
		return Facts{}
	}
	return f
}

// mayHoldKeys tells, without parsing, whether text can be an object with one of
// the keys: it must begin with a brace and hold a key either as it is or with
// some of its characters escaped. Those are ASCII letters and the underscore, so
// an escaped one is \u00 followed by 4, 5, 6 or 7; other escapes do not matter
// (they are frequent in texts that are not English).
func mayHoldKeys(text string) bool {
	start := skipSpace(text, 0)
	if start == len(text) || text[start] != '{' {
		return false
	}
	if contains(text, keyIsError, "Error") || contains(text, keyStatus, "_code") {
		return true
	}
	for {
		i := strings.Index(text, `\u00`)
		if i < 0 {
			return false
		}
		text = text[i+4:]
		if text != "" && text[0] >= '4' && text[0] <= '7' {
			return true
		}
	}
}

// contains searches for a key by that end of it which begins with its rarest
// letter: the search looks for the first byte at many times the speed of the rest.
func contains(text, key, end string) bool {
	return strings.Contains(text, end) && strings.Contains(text, key)
}

// readInteger reads a JSON number that is an integer. One beyond 64 bits is
// [UnlistableStatus]: an integer, but in no list. Fractions, exponents, strings
// and the rest are no integers.
func readInteger(token string) (value int64, ok bool) {
	digits := strings.TrimPrefix(token, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if len(digits) > 18 {
		return UnlistableStatus, true
	}
	for _, c := range []byte(digits) {
		value = value*10 + int64(c-'0')
	}
	if len(digits) != len(token) {
		value = -value
	}
	return value, true
}
