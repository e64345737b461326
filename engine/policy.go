package engine

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Policy is what is in force for one tool: the base configuration with the
// tool's override laid over it, clamped to the ceiling. Immutable, so safe for
// concurrent use.
type Policy struct {
	// Formula is in force for every status that has none of its own.
	Formula
	RetryOnStatus    []Status // as written, for the metadata
	NeverRetryCodes  []int64  // likewise
	CheckTextContent bool
	MaxTextBytes     int64
	HonorRetryAfter  bool
	MaxRetryAfter    time.Duration
	ShareCooldown    bool
	Safety           Safety
	Budget           *BudgetFields // nil: none
	MaxElapsed       time.Duration // 0: no deadline
	// Override is the key of tool_overrides that applied, "" for the base.
	Override string

	statuses    statusSet
	byStatus    map[int64]*Formula // entries of status_overrides for one status
	byClass     [6]*Formula        // and those for a class
	neverCodes  map[int64]struct{}
	neverTexts  []*regexp.Regexp
	retryTexts  []*regexp.Regexp
	statusLayer []StatusFields // what byStatus was made from
}

// formulaFor finds the formula for the status that was just seen: an exact entry beats
// that of its class, which beats the plain fields.
func (p *Policy) formulaFor(status int64, known bool) *Formula {
	if !known || len(p.statusLayer) == 0 {
		return &p.Formula
	}
	if f := p.byStatus[status]; f != nil {
		return f
	}
	if f := p.byClass[classOf(status)]; f != nil {
		return f
	}
	return &p.Formula
}

// entry is the formula for an entry of status_overrides.
func (p *Policy) entry(status Status) *Formula {
	if status.Class != 0 {
		return p.byClass[status.Class]
	}
	return p.byStatus[status.Code]
}

// with lays fields over a policy: what is set replaces, the rest stays.
func (p *Policy) with(f *Fields) (*Policy, error) {
	merged := *p
	merged.Formula = p.Formula.with(&f.FormulaFields)
	if f.RetryOnStatus != nil {
		merged.RetryOnStatus = slices.Clone(*f.RetryOnStatus)
		merged.statuses = newStatusSet(*f.RetryOnStatus)
	}
	set(&merged.CheckTextContent, f.CheckTextContent)
	set(&merged.MaxTextBytes, f.MaxTextBytes)
	set(&merged.HonorRetryAfter, f.HonorRetryAfter)
	set(&merged.ShareCooldown, f.ShareCooldown)
	set(&merged.Safety, f.RetrySafety)
	if f.NeverRetryOnErrorCode != nil {
		merged.NeverRetryCodes = slices.Clone(*f.NeverRetryOnErrorCode)
		merged.neverCodes = map[int64]struct{}{}
		for _, code := range *f.NeverRetryOnErrorCode {
			merged.neverCodes[code] = struct{}{}
		}
	}
	setMilliseconds(&merged.MaxRetryAfter, f.MaxRetryAfterMS)
	setMilliseconds(&merged.MaxElapsed, f.MaxElapsedMS)
	if f.Budget != nil {
		merged.Budget = nil
		if f.Budget.Tokens > 0 {
			merged.Budget = f.Budget
		}
	}
	if f.StatusOverrides != nil {
		merged.statusLayer = mergeStatuses(p.statusLayer, *f.StatusOverrides)
	}
	merged.byStatus, merged.byClass = map[int64]*Formula{}, [6]*Formula{}
	for _, entry := range merged.statusLayer {
		formula := merged.Formula.with(&entry.FormulaFields)
		if entry.Status.Class != 0 {
			merged.byClass[entry.Status.Class] = &formula
		} else {
			merged.byStatus[entry.Status.Code] = &formula
		}
	}
	var err error
	if f.NeverRetryOnText != nil {
		if merged.neverTexts, err = compileTexts("never_retry_on_text", *f.NeverRetryOnText); err != nil {
			return nil, err
		}
	}
	if f.RetryOnText != nil {
		if merged.retryTexts, err = compileTexts("retry_on_text", *f.RetryOnText); err != nil {
			return nil, err
		}
	}
	return &merged, nil
}

func (f Formula) with(fields *FormulaFields) Formula {
	set(&f.MaxRetries, fields.MaxRetries)
	setMilliseconds(&f.BackoffBase, fields.BackoffBaseMS)
	setMilliseconds(&f.MaxBackoff, fields.MaxBackoffMS)
	set(&f.Strategy, fields.Strategy)
	set(&f.Multiplier, fields.Multiplier)
	set(&f.Jitter, fields.Jitter)
	return f
}

// mergeStatuses lays entries over others, status by status and field by field.
func mergeStatuses(under, over []StatusFields) []StatusFields {
	merged := slices.Clone(under)
	for _, entry := range over {
		i := slices.IndexFunc(merged, func(other StatusFields) bool { return other.Status.key() == entry.Status.key() })
		if i < 0 {
			merged = append(merged, entry)
			continue
		}
		fields := &merged[i].FormulaFields
		lay(&fields.MaxRetries, entry.MaxRetries)
		lay(&fields.BackoffBaseMS, entry.BackoffBaseMS)
		lay(&fields.MaxBackoffMS, entry.MaxBackoffMS)
		lay(&fields.Strategy, entry.Strategy)
		lay(&fields.Multiplier, entry.Multiplier)
		lay(&fields.Jitter, entry.Jitter)
	}
	return merged
}

func compileTexts(field string, texts []string) ([]*regexp.Regexp, error) {
	compiled := make([]*regexp.Regexp, len(texts))
	for i, text := range texts {
		if text == "" {
			return nil, fmt.Errorf("%s[%d] = \"\": must be a pattern that is not empty", field, i)
		}
		var err error
		if compiled[i], err = regexp.Compile(text); err != nil {
			return nil, fmt.Errorf("%s[%d] = %q: must be an RE2 pattern: %w", field, i, text, err)
		}
	}
	return compiled, nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func lay[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

func setMilliseconds(field *time.Duration, value *int64) {
	if value != nil {
		*field = milliseconds(*value)
	}
}
