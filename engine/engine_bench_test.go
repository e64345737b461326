package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func benchEngine(b *testing.B, change func(*Config)) *Engine {
	start := time.Now()
	s := NewStore(Environment{Now: func() time.Duration { return time.Since(start) }, Random: rand.Uint64})
	return build(b, s, func(c *Config) {
		c.Base.Jitter = ptr(FullJitter)
		c.MaxTrackedRequests = TrackedLimit
		if change != nil {
			change(c)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	for _, tracked := range []int{0, 1_000, 100_000, 1_000_000} {
		e := benchEngine(b, nil)
		for i := range tracked {
			_, _ = e.RecordFailure("other", fmt.Sprint(i))
		}
		for name, facts := range map[string]Facts{"success": {}, "failure": failed} {
			call := Call{Tool: "weather-forecast", RequestID: "0123456789abcdef0123456789abcdef", Facts: facts}
			b.Run(fmt.Sprintf("%s/tracked=%d", name, tracked), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = e.Decide(&call)
				}
			})
		}
	}
}

func BenchmarkDecideWithOverrides(b *testing.B) {
	for _, n := range []int{0, 1_000, 10_000} {
		e := benchEngine(b, func(c *Config) {
			for i := range n {
				c.Overrides = append(c.Overrides, Override{Tool: fmt.Sprint("tool-", i), Fields: Fields{FormulaFields: retries(1)}})
			}
		})
		b.Run(fmt.Sprintf("overrides=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			call := Call{Tool: "tool-7", RequestID: "0123456789abcdef0123456789abcdef", Facts: failed}
			for b.Loop() {
				_, _ = e.Decide(&call)
			}
		})
	}
}

func BenchmarkReadText(b *testing.B) {
	filler := strings.Repeat(`{"name":"value","n":[1,2,3.5,true,null]},`, 2500)
	for name, text := range map[string]string{
		"80B":              `{"message":"all is well","items":[1,2,3],"status":"ok","more":"of the same sort"}`,
		"100KB_without":    `{"items":[` + filler + `0]}`,
		"100KB_with_atend": `{"items":[` + filler + `0],"isError":false,"status_code":200}`,
		"1KB_prose":        strings.Repeat("The quick brown fox. ", 48),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				ReadText(text)
			}
		})
	}
}
