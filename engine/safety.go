package engine

// Safety is how careful to be with tools that may have side effects.
type Safety string

// The modes, by their names in a configuration.
const (
	// SafetyOff: every tool may be retried.
	SafetyOff Safety = "off"
	// Annotated: tools that declare a side effect are restricted.
	Annotated Safety = "annotated"
	// Strict: tools that do not declare to be harmless are restricted.
	Strict Safety = "strict"
)

// Annotations is what a tool declares about itself, as MCP's annotations with a
// boolean; what is not declared is not there, MCP's defaults are not filled in.
type Annotations uint8

// The declarations, to be or-ed together.
const (
	ReadOnly Annotations = 1 << iota
	NotReadOnly
	Idempotent
	NotIdempotent
	Destructive
)

func (a Annotations) has(all Annotations) bool { return a&all == all }

// listing says which of the operator's lists names a tool.
type listing uint8

const (
	notListed listing = iota
	listedSafe
	listedUnsafe
)

// restricted tells whether a tool may be retried only after failures that cannot
// have had an effect.
//
//	                                 annotated    strict
//	in unsafe_tools                  restricted   restricted   (beats all else)
//	in safe_tools                    free         free
//	readOnlyHint or idempotentHint   free         free
//	destructiveHint                  restricted   restricted
//	neither read-only nor idempotent restricted   restricted   (both declared false)
//	anything else                    free         restricted
func (t *tool) restricted(a Annotations) bool {
	switch {
	case t.Safety == SafetyOff:
		return false
	case t.listed == listedUnsafe:
		return true
	case t.listed == listedSafe, a.has(ReadOnly), a.has(Idempotent):
		return false
	case t.Safety == Strict:
		return true
	}
	return a.has(Destructive) || a.has(NotReadOnly|NotIdempotent)
}

// hadNoEffect tells whether a failure cannot have had an effect: the request was
// turned away (429), or put off until later (503 with a hint).
func (v *verdict) hadNoEffect() bool {
	return v.hasStatus && (v.status == 429 || v.status == 503 && v.hint > 0)
}
