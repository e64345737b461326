package engine

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

func TestHintsInNumbers(t *testing.T) {
	for _, c := range []struct {
		name   HintName
		number float64
		want   time.Duration
	}{
		{RetryAfter, 2, 2 * time.Second},
		{RetryAfterSeconds, 0.5, 500 * ms},
		{RetryAfterSeconds, 1.1, 1100 * ms},
		{RetryAfterSeconds, 0.0001, 1 * ms}, // fractions round up
		{RetryAfterMS, 0.2, 1 * ms},
		{RetryAfterMS, 1.5, 2 * ms},
		{RetryAfterMS, 1500, 1500 * ms},
		{RetryAfter, 0, 0},
		{RetryAfter, -3, 0},
		{RetryAfter, math.NaN(), 0},
		{RetryAfter, math.Inf(-1), 0},
		{RetryAfter, math.Inf(1), endless},
		{RetryAfter, 1e300, endless},
		{RetryAfterMS, 1e12, endless},
	} {
		h := Hint{Name: c.name, Number: c.number}
		assert.Equal(t, c.want, h.delay(atNoon), "%v", c)
	}
}

func TestHintsInTexts(t *testing.T) {
	for _, c := range []struct {
		name HintName
		text string
		want time.Duration
	}{
		{RetryAfter, "2", 2 * time.Second},
		{RetryAfter, " 2.5 ", 2500 * ms},
		{RetryAfterMS, "250", 250 * ms},
		{RetryAfterSeconds, "007", 7 * time.Second},
		{RetryAfter, strings.Repeat("9", 5000), endless},
		{RetryAfter, "-2", 0}, {RetryAfter, "2s", 0}, {RetryAfter, "1e3", 0}, {RetryAfter, "", 0},
		{RetryAfter, ".5", 0}, {RetryAfter, "5.", 0}, {RetryAfter, "inf", 0}, {RetryAfter, "NaN", 0},
		{RetryAfter, "soon", 0}, {RetryAfter, "٣", 0},
		{RetryAfter, "Tue, 24 Nov 2026 12:00:30 GMT", 30 * time.Second},
		{RetryAfter, "Tuesday, 24-Nov-26 12:01:00 GMT", time.Minute},
		{RetryAfter, "Tue Nov 24 12:00:01 2026", time.Second},
		{RetryAfter, "Tue, 24 Nov 2026 11:59:59 GMT", 0},
		{RetryAfter, "Sunday, 06-Nov-94 08:49:37 GMT", 0}, // 1994, not 2094
		{RetryAfter, "Thu, 24 Nov 2200 12:00:00 GMT", endless},
		{RetryAfter, "Tue, 24 Nov 2026 12:00:30 CET", 0},
		{RetryAfterSeconds, "Tue, 24 Nov 2026 12:00:30 GMT", 0}, // only in seconds
		{RetryAfterMS, "Tue, 24 Nov 2026 12:00:30 GMT", 0},
	} {
		h := Hint{Name: c.name, IsText: true, Text: c.text}
		assert.Equal(t, c.want, h.delay(atNoon), "%v %.60q", c.name, c.text)
	}
}

func TestATwoDigitYearIsNeverMoreThanFiftyYearsAhead(t *testing.T) {
	for year, want := range map[int]int{26: 2026, 76: 2076, 77: 1977, 94: 1994, 0: 2000} {
		assert.Equal(t, want, fullYear(time.Date(1900+year, 1, 2, 0, 0, 0, 0, time.UTC), noon).Year(), year)
	}
}

func TestAdviceInJSONTexts(t *testing.T) {
	for text, want := range map[string]advice{
		`{"retry_after": 2}`:                               {hint: 2 * time.Second},
		`{"retryAfter": "3"}`:                              {hint: 3 * time.Second},
		`{"Retry-After": 1, "retry_after_ms": 2500}`:       {hint: 2500 * ms}, // the longest
		`{"headers": {"RETRY-AFTER": "4"}}`:                {hint: 4 * time.Second},
		`{"headers": {"retry-after": ["5", "9"]}}`:         {hint: 5 * time.Second},
		`{"headers": {"retry-after": []}}`:                 {},
		`{"headers": ["retry-after"]}`:                     {},
		`{"\u0072etry_after": 2}`:                          {hint: 2 * time.Second},
		`{"RETRY_AFTER": 2}`:                               {}, // any case in headers only
		`{"inner": {"retry_after": 2}}`:                    {},
		`{"retry_after": true}`:                            {},
		`{"retry_after": null}`:                            {},
		`{"retry_after": [2]}`:                             {},
		`{"retry_after": Infinity}`:                        {hint: endless},
		`{"retry_after": NaN}`:                             {},
		`{"retry_after": -Infinity}`:                       {},
		`{"retryable": false}`:                             {toldNotTo: true},
		`{"retry": false, "retry_after": 1}`:               {toldNotTo: true, hint: time.Second},
		`{"retryable": true}`:                              {},
		`{"retryable": "false"}`:                           {},
		`{"headers": {"Retryable": false}}`:                {toldNotTo: true},
		`{"retry_after": 2`:                                {}, // not JSON
		`{"retry_after": 2} and more`:                      {},
		`retry_after: 2`:                                   {},
		`{"retry_after": "Tue, 24 Nov 2026 12:00:30 GMT"}`: {hint: 30 * time.Second},
	} {
		var a advice
		a.readAdvice(text, atNoon)
		assert.Equal(t, want, a, text)
	}
}

func FuzzHint(f *testing.F) {
	f.Add(uint8(0), 1.5, "2", true)
	f.Fuzz(func(t *testing.T, name uint8, number float64, text string, isText bool) {
		h := Hint{HintName(name % 3), isText, number, text}
		d := h.delay(atNoon)
		assert.True(t, d >= 0 && d <= endless && d%ms == 0, "%v", d)
		var a advice
		a.readAdvice(text, atNoon)
		assert.True(t, a.hint >= 0 && a.hint <= endless)
	})
}
