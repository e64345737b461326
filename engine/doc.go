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
//	config.go     what a configuration may hold; fields.go and status.go: options and statuses
//	policy.go     base and override merged; policies.go and pattern.go: which override is a tool's
//	notice.go     what is odd about a configuration, and the ceiling
//	verdict.go    whether a result is a failure that may be retried
//	text.go       the same for JSON inside a text payload (jsonscan.go reads it)
//	hint.go       when the server says to come back; cooldown.go: for the tool's other calls
//	rules.go      the order of the rules, from a failure to a decision
//	backoff.go    how long to wait before the next attempt
//	safety.go     which tools may be retried after what
//	budget.go     how many retries a tool may add
//	tracker.go    consecutive failures per (tool, request), expiry, bound
//	ledger.go     what outlives an engine: all of this per plugin name
//	engine.go     one tool result through all of it
//	reason.go     the name of each possible decision; stats.go: how often it was made
//	view.go       policies as callers see them
//	schedule.go   how long calls wait, and simulate.go: what an outage does, for operators
package engine
