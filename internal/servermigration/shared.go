package servermigration

import (
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// Shared is what the provider hands to the resources, the list resource and all
// their calls: the engine, and which migrations this run knows of in the state.
type Shared struct {
	engine *migration.Engine

	mu    sync.Mutex
	known map[string]stateEntry          // by server id
	done  map[string]migration.Migration // what this run created, by request id
}

// stateEntry is a migration that the state has.
type stateEntry struct {
	migration migration.Migration
	onDestroy string
}

// NewShared returns what goes with an engine.
func NewShared(engine *migration.Engine) *Shared {
	return &Shared{engine: engine, known: map[string]stateEntry{}, done: map[string]migration.Migration{}}
}

// sharedOf reads what the provider hands over; nil while only the schema is
// asked for.
func sharedOf(data any, diags *diag.Diagnostics) *Shared {
	if data == nil {
		return nil
	}
	shared, ok := data.(*Shared)
	if !ok {
		diags.AddError("Provider defect", fmt.Sprintf("It was configured with a %T. Please report this.", data))
	}
	return shared
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

// remember keeps a migration that this run created, for its confirmation.
func (s *Shared) remember(m migration.Migration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[m.RequestID] = m
}

func (s *Shared) remembered(requestID string) (migration.Migration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.done[requestID]
	return m, ok && requestID != ""
}

// settlesOnDestroy tells whether on_destroy leaves nothing pending behind.
func settlesOnDestroy(onDestroy string) bool {
	return onDestroy == onDestroyConfirm || onDestroy == onDestroyRevert
}
