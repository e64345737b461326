package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is an environment whose clock stands until it is told to move and whose
// randomness is a fixed number.
type world struct {
	now    time.Duration
	random uint64
}

func (w *world) environment() Environment {
	return Environment{
		Now:    func() time.Duration { return w.now },
		Random: func() uint64 { return w.random },
	}
}

func (w *world) store() *Store { return NewStore(w.environment()) }

func statuses(codes ...int64) *[]Status {
	list := []Status{}
	for _, code := range codes {
		list = append(list, Status{Code: code})
	}
	return &list
}

// with sets the formula of an override.
func retries(n int64) FormulaFields { return FormulaFields{MaxRetries: &n} }

func ptr[T any](v T) *T { return &v }

// defaults is the default configuration without jitter.
func defaults() *Config {
	return &Config{
		Name: "retry", StateTTLMS: 300_000, MaxTrackedRequests: 100_000,
		Base: Fields{
			FormulaFields: FormulaFields{
				MaxRetries: ptr[int64](2), BackoffBaseMS: ptr[int64](200), MaxBackoffMS: ptr[int64](5000),
				Jitter: ptr(NoJitter),
			},
			RetryOnStatus:    statuses(429, 500, 502, 503, 504),
			CheckTextContent: ptr(false), MaxTextBytes: ptr[int64](1 << 20),
		},
	}
}

func build(t testing.TB, s *Store, change func(*Config)) *Engine {
	t.Helper()
	c := defaults()
	if change != nil {
		change(c)
	}
	e, err := New(s, c)
	require.NoError(t, err)
	return e
}

var failed = Facts{IsError: true}

func decide(t testing.TB, e *Engine, tool, request string, f Facts, texts ...string) Decision {
	t.Helper()
	d, err := e.Decide(&Call{Tool: tool, RequestID: request, Facts: f, Texts: texts})
	require.NoError(t, err)
	return d
}
