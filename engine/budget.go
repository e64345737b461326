package engine

import (
	"cmp"
	"slices"
	"strings"
)

// bucket is a retry budget: a token bucket that retries empty and successes fill.
// It starts full; a retry needs and takes its cost, a success at the first try gives
// SuccessRefund, and one after retries gives back what all of these took.
//
// So retries <= (tokens + refunds given) / cost: an outage in which nothing succeeds
// adds at most tokens/cost calls for each tool and process, whatever the rate of
// requests, and after it ceil(cost/refund) successes pay for one retry. With 100
// tokens, a cost of 5 and a refund of 1: 20 retries, and five successes for one more.
//
// After "gRFC A6: gRPC Retry Design" (retry throttling) and the AWS SDKs' standard
// retry mode (retry quota).
type bucket struct {
	tool  string // "" for the plugin's
	level int64
	size  int64 // the budget's tokens when it was last used
}

// budgetLimit bounds the tools whose buckets are kept: a tool that was dropped starts
// full again.
const budgetLimit = 10_000

// budgetsShown bounds the buckets in the statistics.
const budgetsShown = 100

// budgets are the buckets under one plugin name. Not safe for concurrent use: the
// ledger locks.
type budgets struct {
	tools  *lru[bucket]
	plugin *bucket
	low    int // buckets that are not full
}

// find returns the bucket of a tool, with the size that is configured now: a level is
// kept when the numbers change, but never above the size. nil: it is full, and nothing
// of it is kept.
func (b *budgets) find(f *BudgetFields, key uint64) *bucket {
	found := b.plugin
	if f.Scope == ToolScope {
		if b.tools == nil {
			return nil
		}
		found = b.tools.get(key)
	}
	if found != nil && found.size != f.Tokens {
		b.low -= found.isLow()
		found.size, found.level = f.Tokens, min(found.level, f.Tokens)
		b.low += found.isLow()
	}
	return found
}

// of is find, and makes a bucket where there is none.
func (b *budgets) of(f *BudgetFields, name string, key uint64) *bucket {
	found := b.find(f, key)
	switch {
	case found != nil:
	case f.Scope == PluginScope:
		b.plugin = &bucket{level: f.Tokens, size: f.Tokens}
		found = b.plugin
	default:
		if b.tools == nil {
			b.tools = newLRU[bucket](budgetLimit)
		}
		var dropped *bucket
		name = strings.Clone(name[:min(len(name), rememberedName)])
		found, dropped = b.tools.put(key, bucket{tool: name, level: f.Tokens, size: f.Tokens})
		if dropped != nil {
			b.low -= dropped.isLow()
		}
	}
	return found
}

// change adds tokens to a bucket or takes some.
func (b *budgets) change(k *bucket, by int64) {
	b.low -= k.isLow()
	k.level = min(k.level+by, k.size)
	b.low += k.isLow()
}

func (k *bucket) isLow() int {
	if k.level < k.size {
		return 1
	}
	return 0
}

// cost is what a retry after such a failure takes.
func (f *BudgetFields) cost(v *verdict) int64 {
	if v.hasStatus && (v.status == 429 || v.status == 503) {
		return f.ThrottleCost
	}
	return f.RetryCost
}

// BudgetLevel is one bucket in the statistics.
type BudgetLevel struct {
	// Tool is "" for the bucket of the whole plugin.
	Tool   string `json:"tool"`
	Scope  Scope  `json:"scope"`
	Tokens int64  `json:"tokens"`
	Of     int64  `json:"of"`
}

// levels shows the lowest buckets first.
func (b *budgets) levels() []BudgetLevel {
	levels := []BudgetLevel{}
	if b.plugin != nil {
		levels = append(levels, BudgetLevel{"", PluginScope, b.plugin.level, b.plugin.size})
	}
	if b.tools != nil {
		for k := range b.tools.all {
			levels = append(levels, BudgetLevel{k.tool, ToolScope, k.level, k.size})
		}
	}
	slices.SortFunc(levels, func(x, y BudgetLevel) int {
		return cmp.Or(cmp.Compare(x.Tokens, y.Tokens), cmp.Compare(x.Tool, y.Tool))
	})
	return levels[:min(len(levels), budgetsShown)]
}
