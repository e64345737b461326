package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// ScheduleRow is what a call that keeps failing waits before one of its retries, in
// milliseconds.
type ScheduleRow struct {
	Retry int     `json:"retry"`
	Min   int64   `json:"min_ms"`
	Mean  float64 `json:"mean_ms"`
	P95   int64   `json:"p95_ms"`
	Max   int64   `json:"max_ms"`
	// Elapsed is the mean of all waits so far, this one included.
	Elapsed float64 `json:"elapsed_ms"`
}

// ScheduleLimit bounds samples times retries.
const ScheduleLimit = 20_000_000

// Schedule draws the delays of so many calls to a tool that fail with one status (or
// without one) until their retries are used up. The same seed gives the same rows.
func (e *Engine) Schedule(tool string, status int64, known bool, samples int, seed uint64) []ScheduleRow {
	f := e.policies.of(tool).formulaFor(status, known)
	random := rand.New(rand.NewPCG(seed, 0))
	samples = max(1, min(samples, ScheduleLimit/max(1, int(f.MaxRetries))))
	previous := make([]time.Duration, samples)
	drawn := make([]int64, samples)
	rows := make([]ScheduleRow, 0, f.MaxRetries)
	elapsed := 0.0
	for n := range int(f.MaxRetries) {
		sum := int64(0)
		for i := range drawn {
			r := random.Uint64()
			if samples > 2 && i < 2 { // the ends, which are too rare to be drawn for sure
				r = uint64(i) * math.MaxUint64
			}
			previous[i] = f.Delay(uint32(n+1), previous[i], r)
			drawn[i] = previous[i].Milliseconds()
			sum += drawn[i]
		}
		slices.Sort(drawn)
		mean := float64(sum) / float64(samples)
		elapsed += mean
		rows = append(rows, ScheduleRow{n + 1, drawn[0], mean, drawn[(samples-1)*95/100], drawn[samples-1], elapsed})
	}
	return rows
}
