package engine

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// tool is what holds for one tool: its policy, and whether a list names it.
type tool struct {
	*Policy
	listed listing
}

// rememberedTools bounds the tools whose patterns are not matched again; names come
// from outside. Longer names than rememberedName are matched every time.
const (
	rememberedTools = 10_000
	rememberedName  = 256
)

// policies are all policies of one configuration, computed once. Safe for concurrent use.
type policies struct {
	base     *Policy
	byTool   map[string]*Policy
	patterns []patternPolicy // the most specific first
	safe     patterns
	unsafe   patterns

	mu         sync.RWMutex
	remembered map[string]tool // what was found by matching; guarded by mu
}

type patternPolicy struct {
	*Pattern
	policy *Policy
}

// newPolicies merges and clamps. An override is only reported for what it says
// itself, not for what it inherits.
func newPolicies(c *Config) (*policies, []Notice, error) {
	n := noticer{ceiling: c.Ceiling, found: []Notice{}}
	neutral := &Policy{Formula: Formula{Strategy: Exponential, Multiplier: 2}, Safety: SafetyOff}
	base, err := n.build(neutral, "", &c.Base)
	if err != nil {
		return nil, nil, err
	}
	ps := &policies{
		base:       base,
		byTool:     make(map[string]*Policy, len(c.Overrides)),
		remembered: map[string]tool{},
	}
	for i := range c.Overrides {
		o := &c.Overrides[i]
		policy, err := n.build(base, o.Tool, &o.Fields)
		if err != nil {
			return nil, nil, fmt.Errorf("tool_overrides[%q].%w", o.Tool, err)
		}
		ps.byTool[o.Tool] = policy
		if IsPattern(o.Tool) {
			pattern, err := CompilePattern(o.Tool)
			if err != nil {
				return nil, nil, fmt.Errorf("tool_overrides: %w", err)
			}
			ps.patterns = append(ps.patterns, patternPolicy{pattern, policy})
		}
	}
	slices.SortStableFunc(ps.patterns, func(a, b patternPolicy) int { return cmp.Compare(b.literals, a.literals) })
	if ps.safe, err = compilePatterns(c.SafeTools); err != nil {
		return nil, nil, fmt.Errorf("safe_tools: %w", err)
	}
	if ps.unsafe, err = compilePatterns(c.UnsafeTools); err != nil {
		return nil, nil, fmt.Errorf("unsafe_tools: %w", err)
	}
	n.lists(c, ps)
	return ps, n.found, nil
}

// of finds what holds for a tool: in O(1) for the tools that are remembered.
func (ps *policies) of(name string) tool {
	exact := ps.byTool[name]
	if len(ps.safe)+len(ps.unsafe) == 0 && (exact != nil || len(ps.patterns) == 0) {
		if exact == nil {
			exact = ps.base
		}
		return tool{Policy: exact}
	}
	ps.mu.RLock()
	found, ok := ps.remembered[name]
	ps.mu.RUnlock()
	if ok {
		return found
	}
	found = ps.match(name, exact)
	if len(name) <= rememberedName {
		ps.mu.Lock()
		if len(ps.remembered) >= rememberedTools {
			clear(ps.remembered)
		}
		ps.remembered[string([]byte(name))] = found // a copy: the name is the caller's
		ps.mu.Unlock()
	}
	return found
}

func (ps *policies) match(name string, exact *Policy) tool {
	found := tool{Policy: exact}
	for i := 0; i < len(ps.patterns) && found.Policy == nil; i++ {
		if ps.patterns[i].Match(name) {
			found.Policy = ps.patterns[i].policy
		}
	}
	if found.Policy == nil {
		found.Policy = ps.base
	}
	switch {
	case ps.unsafe.match(name):
		found.listed = listedUnsafe
	case ps.safe.match(name):
		found.listed = listedSafe
	}
	return found
}

// all are the policies that can be in force for some tool.
func (ps *policies) all(yield func(*Policy) bool) {
	if !yield(ps.base) {
		return
	}
	for _, p := range ps.byTool {
		if !yield(p) {
			return
		}
	}
}
