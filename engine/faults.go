//go:build retryfaults

package engine

// Corrupt destroys the engine's state, so that its next use panics in the middle of
// an operation and under its lock. Only in the build that the fault tests use.
func (e *Engine) Corrupt() {
	l := e.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tracker.index.heads = nil
}
