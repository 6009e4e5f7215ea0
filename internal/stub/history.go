package stub

import (
	"maps"
	"time"
)

// version is a copy of a server as it was from a time on, until the next version.
type version struct {
	from  time.Time
	state *server
}

// remember keeps a version of a server, for reads that lag.
func (v *server) remember(from time.Time) {
	state := *v
	state.versions, state.steps = nil, nil
	state.Metadata, state.StatusWords = maps.Clone(v.Metadata), maps.Clone(v.StatusWords)
	v.versions = append(v.versions, version{from, &state})
}

// asOf is a server as it was at a time; nil when it did not exist yet.
func (v *server) asOf(at time.Time) *server {
	for i := len(v.versions) - 1; i >= 0; i-- {
		if !v.versions[i].from.After(at) {
			return v.versions[i].state
		}
	}
	return nil
}
