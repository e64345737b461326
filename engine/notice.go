package engine

// NoticeKind says what a [Notice] is about; the words are part of the C ABI.
type NoticeKind string

const (
	// Clamped: max_retries was above the ceiling and is now the ceiling.
	Clamped NoticeKind = "clamped"
	// BaseAboveMax: backoff_base_ms is above max_backoff_ms, so every delay is
	// max_backoff_ms.
	BaseAboveMax NoticeKind = "base_above_max"
	// StatusNotRetried: a key of status_overrides is not in retry_on_status.
	StatusNotRetried NoticeKind = "status_not_retried"
	// StrategyUnused: strategy or multiplier is set beside decorrelated jitter.
	StrategyUnused NoticeKind = "strategy_unused"
	// MultiplierUnused: multiplier is set beside a strategy that has none.
	MultiplierUnused NoticeKind = "multiplier_unused"
	// ListUnused: safe_tools or unsafe_tools is set, and retry_safety is off everywhere.
	ListUnused NoticeKind = "list_unused"
)

// Notice reports something in a configuration that is obeyed differently from
// how it reads.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// Tool is the key of tool_overrides, "" for the base.
	Tool string `json:"tool"`
	// Status is the key of status_overrides, "" for the plain fields.
	Status string `json:"status"`
	// Value is what was written, Limit what bounds it, where they are numbers.
	Value int64 `json:"value"`
	Limit int64 `json:"limit"`
}

// noticer builds policies and notes what is odd about them.
type noticer struct {
	ceiling *int64
	found   []Notice
}

func (n *noticer) build(under *Policy, key string, f *Fields) (*Policy, error) {
	p, err := under.with(f)
	if err != nil {
		return nil, err
	}
	p.Override = key
	n.formula(&p.Formula, &f.FormulaFields, Notice{Tool: key})
	said := map[[2]int64]*FormulaFields{}
	if f.StatusOverrides != nil {
		for i := range *f.StatusOverrides {
			entry := &(*f.StatusOverrides)[i]
			said[entry.Status.key()] = &entry.FormulaFields
			if !p.statuses.hasAny(entry.Status) {
				n.note(StatusNotRetried, Notice{Tool: key, Status: entry.Status.String()})
			}
		}
	}
	for _, entry := range p.statusLayer {
		fields := said[entry.Status.key()]
		if fields == nil {
			fields = &FormulaFields{}
		}
		n.formula(p.entry(entry.Status), fields, Notice{Tool: key, Status: entry.Status.String()})
	}
	return p, nil
}

// formula clamps, and notes what the fields themselves say.
func (n *noticer) formula(f *Formula, fields *FormulaFields, where Notice) {
	if n.ceiling != nil && f.MaxRetries > *n.ceiling {
		if where.Status == "" || fields.MaxRetries != nil {
			where.Value, where.Limit = f.MaxRetries, *n.ceiling
			n.note(Clamped, where)
		}
		f.MaxRetries = *n.ceiling
	}
	if f.BackoffBase > f.MaxBackoff && (fields.BackoffBaseMS != nil || fields.MaxBackoffMS != nil) {
		where.Value, where.Limit = f.BackoffBase.Milliseconds(), f.MaxBackoff.Milliseconds()
		n.note(BaseAboveMax, where)
	}
	where.Value, where.Limit = 0, 0
	if f.Jitter == Decorrelated && (fields.Strategy != nil || fields.Multiplier != nil) {
		n.note(StrategyUnused, where)
	} else if f.Strategy != Exponential && fields.Multiplier != nil {
		n.note(MultiplierUnused, where)
	}
}

func (n *noticer) lists(c *Config, ps *policies) {
	if len(c.SafeTools)+len(c.UnsafeTools) == 0 {
		return
	}
	for p := range ps.all {
		if p.Safety != SafetyOff {
			return
		}
	}
	n.note(ListUnused, Notice{})
}

func (n *noticer) note(kind NoticeKind, where Notice) {
	where.Kind = kind
	n.found = append(n.found, where)
}
