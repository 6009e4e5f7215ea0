package servermigration

import (
	"sync"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Shared is what the provider hands to the resource, the list resource and all
// their calls: the engine, and which pending migrations this run has seen in
// the state.
type Shared struct {
	engine *migration.Engine

	mu      sync.Mutex
	pending map[string]statePending // by server id
}

// statePending is a migration that the state has and that is not settled.
type statePending struct {
	migration migration.Migration
	onDestroy string
}

// NewShared returns what goes with an engine.
func NewShared(engine *migration.Engine) *Shared {
	return &Shared{engine: engine, pending: map[string]statePending{}}
}

// note remembers a migration that the state has. A plan to create another one
// for its server then is a replacement, of which Terraform tells a provider
// nothing where it was asked for with -replace, or for a tainted resource.
func (s *Shared) note(m migration.Migration, onDestroy string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Status.Settled() {
		delete(s.pending, m.ServerID)
		return
	}
	s.pending[m.ServerID] = statePending{m, onDestroy}
}

func (s *Shared) noted(serverID string) (statePending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	noted, ok := s.pending[serverID]
	return noted, ok
}

// settlesOnDestroy tells whether on_destroy leaves nothing pending behind.
func settlesOnDestroy(onDestroy string) bool {
	return onDestroy == onDestroyConfirm || onDestroy == onDestroyRevert
}
