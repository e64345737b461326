package engine

// PolicyView is a policy as callers see it: metadata, the operator's tools.
type PolicyView struct {
	FormulaView
	RetryOnStatus         []Status      `json:"retry_on_status"`
	StatusOverrides       []StatusView  `json:"status_overrides"`
	CheckTextContent      bool          `json:"check_text_content"`
	MaxTextBytes          int64         `json:"max_text_bytes"`
	HonorRetryAfter       bool          `json:"honor_retry_after"`
	MaxRetryAfterMS       int64         `json:"max_retry_after_ms"`
	ShareCooldown         bool          `json:"share_cooldown"`
	NeverRetryOnErrorCode []int64       `json:"never_retry_on_error_code"`
	NeverRetryOnText      []string      `json:"never_retry_on_text"`
	RetryOnText           []string      `json:"retry_on_text"`
	RetrySafety           Safety        `json:"retry_safety"`
	Listed                string        `json:"listed"` // "safe", "unsafe" or ""
	Budget                *BudgetFields `json:"budget"`
	MaxElapsedMS          int64         `json:"max_elapsed_ms"`
	Override              string        `json:"override"`
	Reads                 Reads         `json:"reads"`
	// Plain: max_retries, backoff_base_ms, max_backoff_ms, retry_on_status and jitter
	// as true or false say all that an operator asked for.
	Plain bool `json:"plain"`
}

// FormulaView is a formula as callers see it.
type FormulaView struct {
	MaxRetries    int64    `json:"max_retries"`
	BackoffBaseMS int64    `json:"backoff_base_ms"`
	MaxBackoffMS  int64    `json:"max_backoff_ms"`
	Strategy      Strategy `json:"strategy"`
	Multiplier    float64  `json:"multiplier"`
	Jitter        Jitter   `json:"jitter"`
}

// StatusView is the formula in force for one status or one class.
type StatusView struct {
	Status Status `json:"status"`
	FormulaView
}

// Reads says what a policy needs to know of a result, so that callers need not look
// for anything else.
type Reads struct {
	// Texts: JSON texts are judged. Search: texts are searched for patterns.
	Texts, Search bool
	// Hints: hints, and false at "retryable". Code: the error code.
	Hints, Code bool
	// Annotations: what the tool declares. Begin: when the call began.
	Annotations, Begin bool
}

// view shows the policy, with max_retries bounded by ceiling unless that is negative.
func (t *tool) view(ceiling int64) PolicyView {
	p := t.Policy
	v := PolicyView{
		FormulaView:           p.Formula.view(ceiling),
		RetryOnStatus:         append([]Status{}, p.RetryOnStatus...),
		StatusOverrides:       []StatusView{},
		CheckTextContent:      p.CheckTextContent,
		MaxTextBytes:          p.MaxTextBytes,
		HonorRetryAfter:       p.HonorRetryAfter,
		MaxRetryAfterMS:       p.MaxRetryAfter.Milliseconds(),
		ShareCooldown:         p.ShareCooldown,
		NeverRetryOnErrorCode: append([]int64{}, p.NeverRetryCodes...),
		NeverRetryOnText:      []string{},
		RetryOnText:           []string{},
		RetrySafety:           p.Safety,
		Listed:                [...]string{"", "safe", "unsafe"}[t.listed],
		Budget:                p.Budget,
		MaxElapsedMS:          p.MaxElapsed.Milliseconds(),
		Override:              p.Override,
		Reads: Reads{
			Texts:       p.CheckTextContent,
			Search:      len(p.neverTexts)+len(p.retryTexts) > 0,
			Hints:       p.HonorRetryAfter,
			Code:        len(p.neverCodes) > 0,
			Annotations: p.Safety != SafetyOff && t.listed == notListed,
			Begin:       p.MaxElapsed > 0,
		},
		Plain: p.plain(),
	}
	for _, entry := range p.statusLayer {
		v.StatusOverrides = append(v.StatusOverrides, StatusView{entry.Status, p.entry(entry.Status).view(ceiling)})
	}
	for _, pattern := range p.neverTexts {
		v.NeverRetryOnText = append(v.NeverRetryOnText, pattern.String())
	}
	for _, pattern := range p.retryTexts {
		v.RetryOnText = append(v.RetryOnText, pattern.String())
	}
	return v
}

func (f *Formula) view(ceiling int64) FormulaView {
	v := FormulaView{
		f.MaxRetries, f.BackoffBase.Milliseconds(), f.MaxBackoff.Milliseconds(), f.Strategy, f.Multiplier, f.Jitter,
	}
	if ceiling >= 0 {
		v.MaxRetries = min(v.MaxRetries, ceiling)
	}
	return v
}

// plain does not ask about what is on by default (hints and error codes): a host that
// retries by itself never had these.
func (p *Policy) plain() bool {
	return !p.CheckTextContent && p.Strategy == Exponential && p.Multiplier == 2 &&
		(p.Jitter == FullJitter || p.Jitter == NoJitter) && p.statuses.classes == [6]bool{} &&
		len(p.statusLayer)+len(p.neverTexts)+len(p.retryTexts) == 0 &&
		p.Safety == SafetyOff && p.Budget == nil && p.MaxElapsed == 0
}
