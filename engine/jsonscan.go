package engine

// A scanner over JSON text that hands out the members of the outermost object
// and only checks the rest. It never recurses and never allocates for nesting up
// to 64 levels, so hostile input costs time in proportion to its length and
// nothing else. decode-into-a-struct libraries are no replacement here: they
// refuse NaN, huge numbers or deep nesting, or match keys in any case.

// object walks the members of a JSON object. Use: openObject, then next until
// it returns false, then complete to see whether the whole text was valid.
type object struct {
	text  string
	pos   int    // next unread byte
	key   string // raw, between the quotes, escapes not resolved
	value string // raw
	state objectState
}

type objectState uint8

const (
	objectStart objectState = iota
	objectMember
	objectDone
	objectBroken
)

func openObject(text string) (o object, ok bool) {
	start := skipSpace(text, 0)
	if start == len(text) || text[start] != '{' {
		return object{}, false
	}
	return object{text: text, pos: start + 1}, true
}

// next moves to the following member; false at the end of the object or at the
// first error.
func (o *object) next() bool {
	pos := skipSpace(o.text, o.pos)
	if pos == len(o.text) {
		return o.stop(pos, objectBroken)
	}
	switch c := o.text[pos]; {
	case c == '}':
		return o.stop(pos+1, objectDone)
	case o.state == objectMember && c == ',':
		pos = skipSpace(o.text, pos+1)
	case o.state != objectStart:
		return o.stop(pos, objectBroken)
	}
	keyEnd, ok := skipKey(o.text, pos)
	if !ok {
		return o.stop(pos, objectBroken)
	}
	o.key = rawKey(o.text[pos:keyEnd])
	valueStart := skipSpace(o.text, keyEnd)
	valueEnd, ok := skipValue(o.text, valueStart)
	if !ok {
		return o.stop(keyEnd, objectBroken)
	}
	o.value = o.text[valueStart:valueEnd]
	o.pos, o.state = valueEnd, objectMember
	return true
}

func (o *object) stop(pos int, state objectState) bool {
	o.pos, o.state = pos, state
	return false
}

// complete tells whether the object was closed and nothing follows it.
func (o *object) complete() bool {
	return o.state == objectDone && skipSpace(o.text, o.pos) == len(o.text)
}

// nesting remembers for each open bracket whether it is an object: a stack of
// bits, of which the top word is at hand. 64 levels need no memory.
type nesting struct {
	depth int
	top   uint64 // the lowest bit is the innermost bracket
	below []uint64
}

func (n *nesting) push(isObject bool) {
	if n.depth > 0 && n.depth%64 == 0 {
		n.below = append(n.below, n.top)
	}
	n.depth++
	n.top <<= 1
	if isObject {
		n.top |= 1
	}
}

func (n *nesting) pop() {
	n.depth--
	n.top >>= 1
	if last := len(n.below) - 1; n.depth%64 == 0 && last >= 0 {
		n.top, n.below = n.below[last], n.below[:last]
	}
}

func (n *nesting) inObject() bool { return n.top&1 == 1 }

// skipValue returns the position after the value that starts at pos.
func skipValue(text string, pos int) (end int, ok bool) {
	var open nesting
	for {
		// A value must start here.
		pos = skipSpace(text, pos)
		if pos == len(text) {
			return pos, false
		}
		switch c := text[pos]; c {
		case '{', '[':
			open.push(c == '{')
			pos = skipSpace(text, pos+1)
			if pos < len(text) && text[pos] == c+2 { // the closing bracket: an empty one
				pos++
				open.pop()
				break
			}
			if c == '{' {
				if pos, ok = skipKey(text, pos); !ok {
					return pos, false
				}
			}
			continue
		default:
			if pos, ok = skipScalar(text, pos); !ok {
				return pos, false
			}
		}
		// A value has ended here: close what ends with it, then on to the next.
		for {
			if open.depth == 0 {
				return pos, true
			}
			pos = skipSpace(text, pos)
			if pos == len(text) {
				return pos, false
			}
			c, inObject := text[pos], open.inObject()
			if c == ',' {
				pos++
				if inObject {
					if pos, ok = skipKey(text, skipSpace(text, pos)); !ok {
						return pos, false
					}
				}
				break
			}
			if inObject && c != '}' || !inObject && c != ']' {
				return pos, false
			}
			pos++
			open.pop()
		}
	}
}
