package engine

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// HintName says in which unit a hint is, by the name it was found under.
type HintName uint8

const (
	// RetryAfter: seconds or an HTTP-date (retry_after, retryAfter, Retry-After).
	RetryAfter HintName = iota
	// RetryAfterSeconds: seconds (retry_after_seconds).
	RetryAfterSeconds
	// RetryAfterMS: milliseconds (retry_after_ms, retryAfterMs).
	RetryAfterMS
)

// hintNames are the keys that hold a hint.
var hintNames = [...]struct {
	key  string
	name HintName
}{
	{"retry_after", RetryAfter}, {"retryAfter", RetryAfter}, {"Retry-After", RetryAfter},
	{"retry_after_seconds", RetryAfterSeconds},
	{"retry_after_ms", RetryAfterMS}, {"retryAfterMs", RetryAfterMS},
}

// Hint is what a server says about when to come back.
type Hint struct {
	Name   HintName
	IsText bool
	Number float64 // unless IsText
	Text   string
}

// endless stands for every hint that is longer than max_retry_after_ms can be.
const endless = time.Duration(DelayLimitMS+1) * time.Millisecond

// delay is how long the hint says to wait, rounded up to milliseconds; 0 if it says
// nothing: zero, negative, past, NaN or unreadable.
func (h *Hint) delay(wallNow func() time.Time) time.Duration {
	number := h.Number
	if h.IsText {
		text := strings.Trim(h.Text, " \t")
		if !isDecimal(text) {
			if h.Name == RetryAfter {
				return untilDate(text, wallNow)
			}
			return 0
		}
		number, _ = strconv.ParseFloat(text, 64) // out of range: infinite, which is right
	}
	if h.Name != RetryAfterMS {
		number *= 1000
	}
	switch {
	case !(number > 0):
		return 0
	case number > DelayLimitMS:
		return endless
	}
	// 1.1 s are 1100 ms, although 1.1*1000 is a little more than 1100.
	if whole := math.Round(number); whole >= 1 && math.Abs(number-whole) < 1e-6 {
		return milliseconds(int64(whole))
	}
	return milliseconds(int64(math.Ceil(number)))
}

// isDecimal accepts digits with an optional fraction.
func isDecimal(text string) bool {
	whole, fraction, has := strings.Cut(text, ".")
	return isDigits(whole) && (!has || isDigits(fraction))
}

func isDigits(text string) bool {
	return text != "" && skipDigits(text, 0) == len(text)
}

// The three forms of an HTTP-date: RFC 9110, section 5.6.7.
var dateForms = [...]string{
	"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", "Mon Jan _2 15:04:05 2006",
}

func untilDate(text string, wallNow func() time.Time) time.Duration {
	if len(text) > 40 || wallNow == nil {
		return 0
	}
	for _, form := range dateForms {
		date, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		now := wallNow()
		if form == dateForms[1] {
			date = fullYear(date, now)
		}
		wait := date.Sub(now)
		switch {
		case wait <= 0:
			return 0
		case wait > endless:
			return endless
		}
		return (wait + time.Millisecond - 1).Truncate(time.Millisecond)
	}
	return 0
}

// fullYear reads a year of two digits as RFC 9110 demands: never more than fifty
// years ahead.
func fullYear(date, now time.Time) time.Time {
	century := now.Year() / 100 * 100
	date = date.AddDate(century+date.Year()%100-date.Year(), 0, 0)
	if date.After(now.AddDate(50, 0, 0)) {
		date = date.AddDate(-100, 0, 0)
	}
	return date
}

// advice is what a failure says about retrying it.
type advice struct {
	hint      time.Duration // the longest; 0: none
	toldNotTo bool
}

func (a *advice) add(h *Hint, wallNow func() time.Time) { a.hint = max(a.hint, h.delay(wallNow)) }

// readAdvice looks for hints in a JSON text: at the top level and under "headers",
// where names are read in any case and of a list its first value.
func (a *advice) readAdvice(text string, wallNow func() time.Time) {
	if !strings.Contains(text, "etry") && !strings.Contains(text, "headers") && !strings.Contains(text, `\u00`) {
		return // none of the names can be in it
	}
	found, ok := advice{hint: a.hint, toldNotTo: a.toldNotTo}, false
	o, ok := openObject(text)
	for ok && o.next() {
		if keyEquals(o.key, "headers") {
			headers, isObject := openObject(o.value)
			for isObject && headers.next() {
				found.readMember(headers.key, firstOf(headers.value), true, wallNow)
			}
			continue
		}
		found.readMember(o.key, o.value, false, wallNow)
	}
	if ok && o.complete() {
		*a = found
	}
}

func (a *advice) readMember(key, value string, anyCase bool, wallNow func() time.Time) {
	if keyIs(key, "retryable", anyCase) || keyIs(key, "retry", anyCase) {
		a.toldNotTo = a.toldNotTo || value == "false"
		return
	}
	for _, known := range hintNames {
		if keyIs(key, known.key, anyCase) {
			if h, ok := hintOf(known.name, value); ok {
				a.add(&h, wallNow)
			}
			return
		}
	}
}

func keyIs(raw, name string, anyCase bool) bool {
	return anyCase && strings.EqualFold(raw, name) || keyEquals(raw, name)
}

// firstOf is the first value of a JSON list, or the value if it is none.
func firstOf(value string) string {
	if !strings.HasPrefix(value, "[") {
		return value
	}
	start := skipSpace(value, 1)
	end, ok := skipValue(value, start)
	if !ok {
		return ""
	}
	return value[start:end]
}

// hintOf reads a JSON value: a number or a string without escapes (dates and numbers
// need none).
func hintOf(name HintName, value string) (h Hint, ok bool) {
	h.Name = name
	switch {
	case value == "":
		return h, false
	case value[0] == '"':
		h.IsText, h.Text = true, value[1:len(value)-1]
		return h, true
	case value == "Infinity":
		h.Number = math.Inf(1)
		return h, true
	}
	if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return h, false
	}
	h.Number, _ = strconv.ParseFloat(value, 64)
	return h, true
}
