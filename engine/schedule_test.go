package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAScheduleWithoutJitterIsTheFormula(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.StatusOverrides = &[]StatusFields{{Status{Code: 429}, FormulaFields{MaxRetries: ptr[int64](1), BackoffBaseMS: ptr[int64](1000)}}}
	})
	assert.Equal(t, []ScheduleRow{{1, 200, 200, 200, 200, 200}, {2, 400, 400, 400, 400, 600}}, e.Schedule("t", 0, false, 100, 1))
	assert.Equal(t, []ScheduleRow{{1, 1000, 1000, 1000, 1000, 1000}}, e.Schedule("t", 429, true, 100, 1))
}

func TestAScheduleWithJitterIsDrawn(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.Jitter = ptr(FullJitter) })
	rows := e.Schedule("t", 0, false, 20_000, 1)
	assert.EqualValues(t, 1, rows[0].Min)
	assert.EqualValues(t, 200, rows[0].Max)
	assert.EqualValues(t, 400, rows[1].Max, "the ends are there for sure")
	assert.InDelta(t, 100.5, rows[0].Mean, 2)
	assert.InDelta(t, 190, float64(rows[0].P95), 3)
	assert.InDelta(t, 301, rows[1].Elapsed, 4)
	assert.Equal(t, rows, e.Schedule("t", 0, false, 20_000, 1), "the same seed")
	assert.NotEqual(t, rows, e.Schedule("t", 0, false, 20_000, 2))
}

func TestAScheduleOfNoRetriesIsEmptyAndSamplesAreBounded(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) { c.Base.MaxRetries = ptr[int64](0) })
	assert.Empty(t, e.Schedule("t", 0, false, 10, 1))
	e = build(t, (&world{}).store(), nil)
	assert.Len(t, e.Schedule("t", 0, false, 0, 1), 2)
}
