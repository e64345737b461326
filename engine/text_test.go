package engine

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	gojson "github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
)

func TestReadTextFindsExactTopLevelKeys(t *testing.T) {
	status := func(n int64) Facts { return Facts{HasStatus: true, Status: n} }
	isError := Facts{IsError: true}
	for text, want := range map[string]Facts{
		`{"isError":true}`:                            isError,
		`{"status_code":503}`:                         status(503),
		"\t\r\n {\"status_code\" : 503 , \"a\":1 }\n": status(503),
		`{"isError":true,"status_code":404}`:          {IsError: true, HasStatus: true, Status: 404},
		`{"isError":false}`:                           {},
		`{"isError":1}`:                               {},
		`{"isError":"true"}`:                          {},
		`{"isError":null}`:                            {},

		// keys: case, duplicates, escapes, nesting
		`{"iserror":true,"STATUS_CODE":503}`:                {},
		`{"isError":true,"isError":false}`:                  {},
		`{"isError":false,"isError":true}`:                  isError,
		`{"status_code":503,"status_code":"x"}`:             {},
		`{"status_code":200,"status_code":503}`:             status(503),
		`{"\u0069sError":true}`:                             isError,
		`{"status\u005Fcode":500}`:                          status(500),
		`{"\u0073\u0074\u0061\u0074\u0075\u0073_code":500}`: status(500),
		`{"isErro\u0172":true}`:                             {},
		`{"isError\u0000":true}`:                            {},
		`{"error":{"isError":true}}`:                        {},
		`[{"isError":true}]`:                                {},
		`{"a":"{\"isError\":true}"}`:                        {},
		`{"a":[{"b":[]},{}],"isError":true}`:                isError,

		// statuses that are none
		`{"status_code":503.0}`:                                    {},
		`{"status_code":5e2}`:                                      {},
		`{"status_code":"503"}`:                                    {},
		`{"status_code":true}`:                                     {},
		`{"status_code":[503]}`:                                    {},
		`{"status_code":-0}`:                                       status(0),
		`{"status_code":-503}`:                                     status(-503),
		`{"status_code":4294967796}`:                               status(1<<32 + 500),
		`{"status_code":18446744073709552116}`:                     status(UnlistableStatus),
		`{"status_code":` + strings.Repeat("5", 5000) + `}`:        status(UnlistableStatus),
		`{"a":` + strings.Repeat("9", 400) + `,"status_code":500}`: status(500),

		// beyond RFC 8259
		`{"a":NaN,"isError":true}`:       isError,
		`{"a":-Infinity,"isError":true}`: isError,
		`{"a":Infinity,"isError":true}`:  isError,
		`{"a":1e999,"isError":true}`:     isError,
		`{"a":"\ud800","isError":true}`:  isError,
		`{"a":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `,"isError":true}`:         isError,
		`{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"isError":true}`: isError,
		strings.Repeat(`{"a":`, 100_000) + `{"isError":true}` + strings.Repeat(`}`, 100_000):       {},

		// not one JSON object
		``: {}, `{`: {}, `"isError"`: {}, `null`: {}, `isError`: {},
		`{"isError":true`:         {},
		`{"isError":true,}`:       {},
		`{"isError":true} x`:      {},
		`{"isError":true}{}`:      {},
		`{"isError":true "a":1}`:  {},
		`{,"isError":true}`:       {},
		`{"isError" true}`:        {},
		`{isError:true}`:          {},
		`{"isError":True}`:        {},
		`{"isError":true,"a":01}`: {}, `{"isError":true,"a":1.}`: {}, `{"isError":true,"a":-}`: {},
		`{"isError":true,"a":.5}`: {}, `{"isError":true,"a":1e}`: {}, `{"isError":true,"a":+1}`: {},
		`{"isError":true,"a":"` + "\n" + `"}`: {},
		`{"isError":true,"a":"\x"}`:           {},
		`{"isError":true,"a":"\u12"}`:         {},
		`{"isError":true,"a":"\`:              {},
		`{"isError":true,"a":[1,]}`:           {}, `{"isError":true,"a":[}`: {}, `{"isError":true,"a":[1}}`: {},
		`{"isError":true,"a":{"b"}}`: {}, `{"isError":true,"a":nul}`: {}, `{"isError":true,"a":-Inf}`: {},
		"\ufeff" + `{"isError":true}`: {},
	} {
		shown := text
		if len(shown) > 60 {
			shown = shown[:60] + "..."
		}
		assert.Equal(t, want, ReadText(text), shown)
	}
}

func TestATextThatCannotHoldTheKeysIsNotParsed(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":1}`: false, `plain isError`: false, `[{"isError":true}]`: false, ``: false, `  `: false,
		`{"isError":1}`: true, ` {"x":"status_code"}`: true, `{"\u0069sError":true}`: true,
		`{"caf\u00e9":"na\u00efve"}`: false, `{"\u00`: false, `{"\u00\u006`: true,
	} {
		assert.Equal(t, want, mayHoldKeys(text), text)
	}
}

func TestReadingATextDoesNotAllocate(t *testing.T) {
	text := `{"a":[[[{"b":"` + strings.Repeat("x", 1000) + `"}]]],"status_code":503}`
	assert.Zero(t, testing.AllocsPerRun(100, func() { ReadText(text) }))
}

// The engine reads texts with a scanner of its own because go-json, which does
// the configuration, refuses texts that the original reads. If this test fails,
// a newer go-json reads them and the scanner's reason is worth another look.
func TestGoJSONRefusesWhatTheContractRequires(t *testing.T) {
	for _, text := range []string{
		`{"a":NaN,"isError":true}`,
		`{"a":-Infinity,"isError":true}`,
		`{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"isError":true}`,
	} {
		var members map[string]gojson.RawMessage
		assert.Error(t, gojson.Unmarshal([]byte(text), &members), text[:12])
		assert.True(t, ReadText(text).IsError)
	}
}

// readTextReference does the same as ReadText with encoding/json, as plainly as
// possible; ok is false for texts that encoding/json refuses.
func readTextReference(text string) (f Facts, ok bool) {
	var members map[string]json.RawMessage
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") || json.Unmarshal([]byte(text), &members) != nil {
		return Facts{}, false
	}
	f.IsError = string(members[keyIsError]) == "true"
	var number json.Number
	decoder := json.NewDecoder(bytes.NewReader(members[keyStatus]))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		number, _ = value.(json.Number)
	}
	if s := number.String(); s != "" && !strings.ContainsAny(s, ".eE") {
		f.HasStatus, f.Status = true, UnlistableStatus
		if n, err := number.Int64(); err == nil && len(strings.TrimPrefix(s, "-")) <= 18 {
			f.Status = n
		}
	}
	return f, true
}

func FuzzReadText(f *testing.F) {
	for _, seed := range []string{
		`{"isError":true}`, `{"status_code":503}`, `{"\u0069sError":true,"a":[1,{"b":"\n"}]}`,
		`{"a":NaN,"isError":true}`, `{"isError":true}x`, `{"status_code":-12e3,"isError":[}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := ReadText(text)
		if want, ok := readTextReference(text); ok {
			assert.Equal(t, want, got, "encoding/json reads it")
			return
		}
		// Only what we read on purpose beyond encoding/json may hold facts.
		if got != (Facts{}) {
			lenient := strings.NewReplacer("-Infinity", "0", "Infinity", "0", "NaN", "0").Replace(text)
			want, ok := readTextReference(lenient)
			deep := strings.Count(text, "[")+strings.Count(text, "{") > 10_000
			assert.True(t, deep || ok && want == got, "only ours reads it")
		}
	})
}

func FuzzKeyEquals(f *testing.F) {
	f.Add(`isError`, keyIsError)
	f.Add(`\u0069s\u0045rror`, keyIsError)
	f.Fuzz(func(t *testing.T, raw, _ string) {
		var resolved string
		if json.Unmarshal([]byte(`"`+raw+`"`), &resolved) != nil {
			return
		}
		for _, name := range []string{keyIsError, keyStatus} {
			assert.Equal(t, resolved == name, keyEquals(raw, name), raw)
		}
	})
}
