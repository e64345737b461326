package engine

// Facts is what a caller read from a tool's result. It says what was found, not
// what it means.
type Facts struct {
	// IsError: the result's isError is true.
	IsError bool
	// NestedIsError: structuredContent.isError is true.
	NestedIsError bool
	// HasStatus: structuredContent.status_code is an integer.
	HasStatus bool
	// Status is that integer; one beyond 64 bits is passed as [UnlistableStatus].
	Status int64
}

// UnlistableStatus stands for a status that no retry_on_status can hold.
const UnlistableStatus = -1

// judge tells whether a result is a failure that the policy retries, and if not,
// why not. A readable status decides alone: it is in retry_on_status or it is
// not, whatever isError says. Without one, either isError decides.
//
//	isError  nested  status  listed  -> reason
//	any      any     yes     yes     -> Retry
//	false    false   yes     no      -> Success
//	one of them      yes     no      -> NotRetryableStatus
//	false    false   no      -       -> Success
//	one of them      no      -       -> Retry
func judge(p *Policy, f Facts) Reason {
	failed := f.IsError || f.NestedIsError
	switch {
	case f.HasStatus && p.retriesStatus(f.Status):
		return Retry
	case !failed:
		return Success
	case f.HasStatus:
		return NotRetryableStatus
	default:
		return Retry
	}
}

// judgeTexts is asked only when the result itself shows no error and has no
// structured content: one JSON text that tells of a failure is enough. At most
// MaxTextBytes are inspected in all; a text that does not fit into what is left of
// them is passed over.
func judgeTexts(p *Policy, texts []string) Reason {
	if !p.CheckTextContent {
		return Success
	}
	left := p.MaxTextBytes
	for _, text := range texts {
		if int64(len(text)) > left {
			continue
		}
		left -= int64(len(text))
		found := ReadText(text)
		if found.IsError || found.HasStatus && p.retriesStatus(found.Status) {
			return Retry
		}
	}
	return Success
}
