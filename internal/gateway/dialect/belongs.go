package dialect

import (
	"slices"

	"bailiwick/internal/gateway/wire"
)

// Belongs refuses, by name, a member that means nothing in an object of its kind
// but would be read into the same place as those of other kinds. Members gives
// the names of each kind beside "type"; of a kind that is not there nothing is
// said, since it is refused itself. Null says nothing.
func Belongs(where string, raw []byte, kind string, members map[string][]string) *Refusal {
	names, known := members[kind]
	o, err := wire.Parse(raw)
	if !known || err != nil {
		return nil
	}
	for _, m := range o.Members {
		if m.Name != "type" && !slices.Contains(names, m.Name) && !wire.Null(raw[m.Start:m.End]) {
			return Unknown(where + "." + m.Name)
		}
	}
	return nil
}
