package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/goccy/go-json"
)

// Status is what an operator may write where statuses stand: one status (503) or a
// class of them ("5xx", in any case).
type Status struct {
	Code  int64
	Class int64 // 1 to 5; 0: Code is meant
	// written is how the class was written, for the metadata.
	written string
}

// UnmarshalJSON reads a number or the text of a class.
func (s *Status) UnmarshalJSON(text []byte) error {
	*s = Status{}
	if len(text) == 5 && text[0] == '"' && text[1] >= '1' && text[1] <= '5' &&
		text[2]|0x20 == 'x' && text[3]|0x20 == 'x' && text[4] == '"' {
		s.Class, s.written = int64(text[1]-'0'), string(text[1:4])
		return nil
	}
	code, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || code < 0 || code > StatusLimit {
		return fmt.Errorf("%.40s is no status: must be from 0 to %d or a class from 1xx to 5xx", text, StatusLimit)
	}
	s.Code = code
	return nil
}

// MarshalJSON writes it as it was written.
func (s Status) MarshalJSON() ([]byte, error) {
	if s.Class != 0 {
		return json.Marshal(s.String())
	}
	return strconv.AppendInt(nil, s.Code, 10), nil
}

// String is the key it has in a configuration: "503" or "5xx".
func (s Status) String() string {
	switch {
	case s.written != "":
		return s.written
	case s.Class != 0:
		return strconv.FormatInt(s.Class, 10) + "xx"
	}
	return strconv.FormatInt(s.Code, 10)
}

// key is equal for entries that mean the same statuses.
func (s Status) key() [2]int64 { return [2]int64{s.Code, s.Class} }

// classOf is 5 for 503; 0 for what is in no class.
func classOf(status int64) int64 {
	if status >= 100 && status <= 599 {
		return status / 100
	}
	return 0
}

// statusSet is a list of statuses that is asked often.
type statusSet struct {
	codes   []int64 // sorted
	classes [6]bool
}

func newStatusSet(list []Status) (s statusSet) {
	for _, status := range list {
		if status.Class != 0 {
			s.classes[status.Class] = true
		} else {
			s.codes = append(s.codes, status.Code)
		}
	}
	slices.Sort(s.codes)
	s.codes = slices.Compact(s.codes)
	return s
}

func (s *statusSet) has(status int64) bool {
	if class := classOf(status); class != 0 && s.classes[class] {
		return true
	}
	_, found := slices.BinarySearch(s.codes, status)
	return found
}

// hasAny tells whether the set holds a status that the entry means.
func (s *statusSet) hasAny(entry Status) bool {
	if entry.Class == 0 {
		return s.has(entry.Code)
	}
	return s.classes[entry.Class] ||
		slices.ContainsFunc(s.codes, func(code int64) bool { return classOf(code) == entry.Class })
}
