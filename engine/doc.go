// Package engine is the whole retry policy: what counts as a failure, how often
// and how long to wait, how failures are counted, and when state is forgotten.
//
// Nothing in here knows about C, Python, files or the network. The package starts
// no goroutines and no timers and keeps no globals: the clock and the randomness
// come in from outside (see [Environment]), so every rule can be tested to the
// millisecond.
//
// Where is what decided?
//
//	config.go   what a configuration may hold
//	policy.go   base and per-tool overrides merged, clamped to the ceiling
//	verdict.go  whether a result is a failure
//	text.go     the same for JSON inside a text payload (jsonscan.go reads it)
//	backoff.go  how long to wait before the next attempt
//	tracker.go  consecutive failures per (tool, request), expiry, bound
//	ledger.go   what outlives an engine: counts and statistics per plugin name
//	engine.go   the order of these steps for one tool result
//	reason.go   the name of each possible decision
//	stats.go    what was decided how often
package engine
