package engine

import (
	"slices"
	"time"
)

// Policy is what is in force for one tool: the base configuration with the
// tool's override laid over it, clamped to the ceiling. Immutable, so safe for
// concurrent use.
type Policy struct {
	MaxRetries       int64
	BackoffBase      time.Duration
	MaxBackoff       time.Duration
	RetryOnStatus    []int64 // as written, for the metadata
	Jitter           bool
	CheckTextContent bool
	MaxTextBytes     int64
	// Override is the key of tool_overrides that applied, "" for the base.
	Override string

	statuses []int64 // the same, sorted
}

func (p *Policy) retriesStatus(status int64) bool {
	_, found := slices.BinarySearch(p.statuses, status)
	return found
}

// policies are all policies of one configuration, computed once.
type policies struct {
	base   *Policy
	byTool map[string]*Policy
}

// forTool finds the policy of a tool in O(1).
func (ps *policies) forTool(tool string) *Policy {
	if p, ok := ps.byTool[tool]; ok {
		return p
	}
	return ps.base
}

// NoticeKind says what a [Notice] is about; the words are part of the C ABI.
type NoticeKind string

const (
	// Clamped: max_retries was above the ceiling and is now the ceiling.
	Clamped NoticeKind = "clamped"
	// BaseAboveMax: backoff_base_ms is above max_backoff_ms, so every delay is
	// max_backoff_ms.
	BaseAboveMax NoticeKind = "base_above_max"
)

// Notice reports something in a configuration that is obeyed differently from
// how it reads.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// Tool is the key of tool_overrides, "" for the base.
	Tool string `json:"tool"`
	// Value is what was written, Limit what bounds it.
	Value int64 `json:"value"`
	Limit int64 `json:"limit"`
}

// newPolicies merges and clamps. An override is only reported for what it says
// itself, not for what it inherits.
func newPolicies(c *Config) (*policies, []Notice) {
	notices := []Notice{}
	build := func(under *Policy, key string, f *Fields) *Policy {
		p := under.with(f)
		p.Override = key
		if c.Ceiling != nil && p.MaxRetries > *c.Ceiling {
			notices = append(notices, Notice{Clamped, key, p.MaxRetries, *c.Ceiling})
			p.MaxRetries = *c.Ceiling
		}
		if p.BackoffBase > p.MaxBackoff && (f.BackoffBaseMS != nil || f.MaxBackoffMS != nil) {
			notices = append(notices,
				Notice{BaseAboveMax, key, p.BackoffBase.Milliseconds(), p.MaxBackoff.Milliseconds()})
		}
		return p
	}
	ps := &policies{
		base:   build(&Policy{}, "", &c.Base),
		byTool: make(map[string]*Policy, len(c.Overrides)),
	}
	for i := range c.Overrides {
		o := &c.Overrides[i]
		ps.byTool[o.Tool] = build(ps.base, o.Tool, &o.Fields)
	}
	return ps, notices
}

// with lays fields over a policy: what is set replaces, the rest stays.
func (p *Policy) with(f *Fields) *Policy {
	merged := *p
	if f.MaxRetries != nil {
		merged.MaxRetries = *f.MaxRetries
	}
	if f.BackoffBaseMS != nil {
		merged.BackoffBase = time.Duration(*f.BackoffBaseMS) * time.Millisecond
	}
	if f.MaxBackoffMS != nil {
		merged.MaxBackoff = time.Duration(*f.MaxBackoffMS) * time.Millisecond
	}
	if f.RetryOnStatus != nil {
		merged.RetryOnStatus = slices.Clone(*f.RetryOnStatus)
		merged.statuses = slices.Compact(slices.Sorted(slices.Values(*f.RetryOnStatus)))
	}
	if f.Jitter != nil {
		merged.Jitter = *f.Jitter
	}
	if f.CheckTextContent != nil {
		merged.CheckTextContent = *f.CheckTextContent
	}
	if f.MaxTextBytes != nil {
		merged.MaxTextBytes = *f.MaxTextBytes
	}
	return &merged
}

// PolicyView is a policy as callers see it: metadata, the operator's tools.
type PolicyView struct {
	MaxRetries       int64   `json:"max_retries"`
	BackoffBaseMS    int64   `json:"backoff_base_ms"`
	MaxBackoffMS     int64   `json:"max_backoff_ms"`
	RetryOnStatus    []int64 `json:"retry_on_status"`
	Jitter           bool    `json:"jitter"`
	CheckTextContent bool    `json:"check_text_content"`
	MaxTextBytes     int64   `json:"max_text_bytes"`
	Override         string  `json:"override"`
}

// view shows the policy, with max_retries bounded by ceiling unless that is negative.
func (p *Policy) view(ceiling int64) PolicyView {
	v := PolicyView{
		MaxRetries:       p.MaxRetries,
		BackoffBaseMS:    p.BackoffBase.Milliseconds(),
		MaxBackoffMS:     p.MaxBackoff.Milliseconds(),
		RetryOnStatus:    append([]int64{}, p.RetryOnStatus...),
		Jitter:           p.Jitter,
		CheckTextContent: p.CheckTextContent,
		MaxTextBytes:     p.MaxTextBytes,
		Override:         p.Override,
	}
	if ceiling >= 0 {
		v.MaxRetries = min(v.MaxRetries, ceiling)
	}
	return v
}
