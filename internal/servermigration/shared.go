package servermigration

import (
	"sync"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Shared is what the provider hands to the resource, the list resource and all
// their calls: the engine, and which migrations this run has seen in the state.
type Shared struct {
	engine *migration.Engine

	mu    sync.Mutex
	known map[string]stateEntry // by server id
}

// stateEntry is a migration that the state has.
type stateEntry struct {
	migration migration.Migration
	onDestroy string
}

// NewShared returns what goes with an engine.
func NewShared(engine *migration.Engine) *Shared {
	return &Shared{engine: engine, known: map[string]stateEntry{}}
}

// note remembers a migration that the state has. A plan to create another one
// for its server then is a replacement, of which Terraform tells a provider
// nothing where it was asked for with -replace, or for a tainted resource.
func (s *Shared) note(m migration.Migration, onDestroy string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[m.ServerID] = stateEntry{m, onDestroy}
}

func (s *Shared) noted(serverID string) (stateEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	noted, ok := s.known[serverID]
	return noted, ok
}

// settlesOnDestroy tells whether on_destroy leaves nothing pending behind.
func settlesOnDestroy(onDestroy string) bool {
	return onDestroy == onDestroyConfirm || onDestroy == onDestroyRevert
}
