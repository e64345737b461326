package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func budgetOf(tokens, cost, throttle, refund int64, scope Scope) *BudgetFields {
	return &BudgetFields{tokens, cost, throttle, refund, scope}
}

func withBudget(t *testing.T, b *BudgetFields) (*Engine, *world, *Store) {
	w := &world{}
	s := w.store()
	return build(t, s, func(c *Config) { c.Base.Budget, c.Base.MaxRetries = b, ptr[int64](10) }), w, s
}

// level is the level of a tool's bucket; -1 if there is none.
func level(e *Engine, tool string) int64 {
	for _, l := range e.Stats().Budget {
		if l.Tool == tool {
			return l.Tokens
		}
	}
	return -1
}

func TestARetryTakesItsCostAndTooFewTokensMeanNone(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(12, 5, 2, 1, ToolScope))
	assert.Equal(t, Retry, decide(t, e, "t", "a", failed).Reason)
	assert.EqualValues(t, 7, level(e, "t"))
	assert.Equal(t, Retry, decide(t, e, "t", "b", Facts{HasStatus: true, Status: 503}).Reason)
	assert.EqualValues(t, 5, level(e, "t"), "throttle_cost after 503")
	assert.Equal(t, Retry, decide(t, e, "t", "c", Facts{HasStatus: true, Status: 429}).Reason)
	assert.EqualValues(t, 3, level(e, "t"), "and after 429")
	d := decide(t, e, "t", "d", failed)
	assert.Equal(t, Decision{Reason: BudgetSpent, Failures: 1}, d)
	assert.EqualValues(t, 3, level(e, "t"), "nothing is charged for a retry that is not made")
	assert.Equal(t, Retry, decide(t, e, "other", "d", failed).Reason, "each tool has its own")
}

func TestSuccessesFeedTheBudget(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(20, 5, 2, 1, ToolScope))
	decide(t, e, "t", "a", failed)
	decide(t, e, "t", "a", Facts{HasStatus: true, Status: 503})
	assert.EqualValues(t, 13, level(e, "t"))
	decide(t, e, "t", "a", Facts{})
	assert.EqualValues(t, 20, level(e, "t"), "a success after retries gives back what they took")
	decide(t, e, "t", "b", failed)
	decide(t, e, "t", "c", Facts{})
	assert.EqualValues(t, 16, level(e, "t"), "one at the first try gives the refund")
	decide(t, e, "t", "d", Facts{IsError: true, HasStatus: true, Status: 404})
	assert.EqualValues(t, 16, level(e, "t"), "an error that is not retried neither feeds nor costs")
	for i := range 50 {
		decide(t, e, "t", fmt.Sprint(i), Facts{})
	}
	assert.EqualValues(t, 20, level(e, "t"), "never above tokens")
}

func TestASuccessAfterRetriesThatCostNothingGivesNothing(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(20, 5, 0, 1, ToolScope))
	decide(t, e, "t", "x", failed)
	decide(t, e, "t", "a", Facts{HasStatus: true, Status: 429})
	decide(t, e, "t", "a", Facts{})
	assert.EqualValues(t, 15, level(e, "t"))
}

func TestOneBudgetForThePlugin(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(10, 5, 2, 1, PluginScope))
	assert.Equal(t, Retry, decide(t, e, "a", "r", failed).Reason)
	assert.Equal(t, Retry, decide(t, e, "b", "r", failed).Reason)
	assert.Equal(t, BudgetSpent, decide(t, e, "c", "r", failed).Reason)
	assert.Equal(t, []BudgetLevel{{"", PluginScope, 0, 10}}, e.Stats().Budget)
}

func TestAToolMayHaveABudgetOfItsOwnOrNone(t *testing.T) {
	e := build(t, (&world{}).store(), func(c *Config) {
		c.Base.Budget = budgetOf(5, 5, 5, 0, PluginScope)
		c.Overrides = []Override{
			{Tool: "own", Fields: Fields{Budget: budgetOf(7, 1, 1, 0, ToolScope)}},
			{Tool: "none", Fields: Fields{Budget: &BudgetFields{Scope: ToolScope}}},
		}
	})
	assert.Equal(t, Retry, decide(t, e, "t", "r", failed).Reason)
	assert.Equal(t, BudgetSpent, decide(t, e, "t", "s", failed).Reason)
	assert.Equal(t, Retry, decide(t, e, "own", "r", failed).Reason)
	assert.Equal(t, Retry, decide(t, e, "none", "r", failed).Reason)
	assert.Equal(t, []BudgetLevel{{"", PluginScope, 0, 5}, {"own", ToolScope, 6, 7}}, e.Stats().Budget)
}

func TestLevelsSurviveTheRebuildAndAreCappedByNewNumbers(t *testing.T) {
	e, _, s := withBudget(t, budgetOf(100, 5, 2, 1, ToolScope))
	for i := range 8 {
		decide(t, e, "t", fmt.Sprint(i), failed)
	}
	assert.EqualValues(t, 60, level(e, "t"))
	e.Close()
	for i, step := range []struct{ tokens, want int64 }{{200, 55}, {20, 15}, {100, 10}} {
		e = build(t, s, func(c *Config) { c.Base.Budget = budgetOf(step.tokens, 5, 2, 1, ToolScope) })
		decide(t, e, "t", fmt.Sprint("x", i), failed)
		assert.Equal(t, step.want, level(e, "t"), "kept and capped, then charged")
		e.Close()
	}
}

func TestASuccessNeedNotBeDecidedWhileEveryBudgetIsFull(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(10, 5, 2, 1, ToolScope))
	assert.Zero(t, e.Counters().Busy)
	decide(t, e, "t", "r", failed)
	assert.EqualValues(t, 2, e.Counters().Busy, "one request, one budget")
	decide(t, e, "t", "r", Facts{IsError: true, HasStatus: true, Status: 404})
	assert.EqualValues(t, 1, e.Counters().Busy)
	for i := range 5 {
		decide(t, e, "t", fmt.Sprint(i), Facts{})
	}
	assert.Zero(t, e.Counters().Busy)
}

func TestNoMoreThanTenThousandToolsHaveABucket(t *testing.T) {
	e, _, _ := withBudget(t, budgetOf(10, 5, 2, 1, ToolScope))
	for i := range budgetLimit + 10 {
		decide(t, e, fmt.Sprint("tool-", i), "r", failed)
		decide(t, e, fmt.Sprint("tool-", i), "r", Facts{IsError: true, HasStatus: true, Status: 404})
	}
	assert.Len(t, e.ledger.budgets.tools.entries, budgetLimit)
	assert.Equal(t, budgetLimit, e.ledger.budgets.low)
	assert.Len(t, e.Stats().Budget, budgetsShown)
}

func TestRetriesNeverExceedTokensAndRefundsOverTheCost(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		b := budgetOf(1+random.Int64N(50), 0, 0, 0, ToolScope)
		b.RetryCost = 1 + random.Int64N(b.Tokens)
		b.ThrottleCost, b.SuccessRefund = b.RetryCost, random.Int64N(b.Tokens+1)
		e, w, _ := withBudget(t, b)
		var retries, refunds int64
		before := b.Tokens
		for range 2000 {
			w.now += time.Millisecond
			facts := Facts{IsError: random.IntN(3) > 0}
			d := decide(t, e, "t", fmt.Sprint(random.IntN(20)), facts)
			after := max(level(e, "t"), 0)
			if level(e, "t") < 0 {
				after = b.Tokens
			}
			if d.Delay > 0 {
				retries++
			} else if after > before {
				refunds += after - before
			}
			before = after
			require.LessOrEqual(t, retries*b.RetryCost, b.Tokens+refunds, "seed %d", seed)
			require.True(t, after >= 0 && after <= b.Tokens)
		}
	}
}

func TestInATotalOutageRetriesStopWhateverTheRate(t *testing.T) {
	e, w, _ := withBudget(t, budgetOf(100, 5, 2, 1, ToolScope))
	retries := 0
	for i := range 100_000 {
		w.now += time.Millisecond
		if decide(t, e, "t", fmt.Sprint(i), failed).Delay > 0 {
			retries++
		}
	}
	assert.Equal(t, 20, retries, "100 tokens / 5")
	// Five successes at the first try pay for one retry more.
	for i := range 5 {
		assert.Equal(t, BudgetSpent, decide(t, e, "t", fmt.Sprint("early", i), failed).Reason)
		decide(t, e, "t", fmt.Sprint("fine", i), Facts{})
	}
	assert.Equal(t, Retry, decide(t, e, "t", "later", failed).Reason)
}
