// Package migration is the engine that moves a Cloud Server to another
// hypervisor host and follows the move to its end. It keeps to one rule: a
// server is never migrated twice for one request, and a migration that the API
// accepted is never called finished before it is proven.
//
// The engine knows nothing of Terraform. What it cannot do it reports as an
// *Error, whose Kind says what happened and what is now true of the server.
package migration

import (
	"cmp"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// Status is how far a migration has come.
type Status string

// The statuses of a migration. The last three are settled: the cloud has
// nothing left to do, and nothing left to undo.
const (
	StatusMigrating Status = "migrating"
	StatusAwaiting  Status = "awaiting_confirmation"
	StatusConfirmed Status = "confirmed"
	StatusReverted  Status = "reverted"
	StatusFailed    Status = "failed"
)

// Settled tells whether nothing can happen to the migration any more.
func (s Status) Settled() bool {
	return s == StatusConfirmed || s == StatusReverted || s == StatusFailed
}

// ConfirmationWindow is how long Rackspace's public cloud keeps the original server
// before it confirms a migration by itself ("Migrate specified server" in the Cloud
// Servers API documentation).
const ConfirmationWindow = 24 * time.Hour

// Migration is the record of one move of one server. Times are UTC, by the
// API's clock, in whole seconds.
type Migration struct {
	Region            string
	ServerID          string
	ServerName        string
	RequestID         string // of the migrate request; empty when the API named none
	Status            Status
	ServerStatus      string        // the API's own word
	SourceHostID      string        // empty when unknown
	DestinationHostID string        // empty until the server was seen elsewhere
	FlavorID          string        // of the server while it is migrated; empty when unknown
	LaunchedAt        string        // when it came to await confirmation, in the API's words; empty when unknown
	ConfirmWindow     time.Duration // after which the cloud confirms by itself; 0: it never does so, or nobody knows
	RequestedAt       time.Time
	AwaitingSince     time.Time // when the server came to await confirmation; zero until that was seen
	SettledAt         time.Time // zero until settled
	SettledBy         string    // the user who settled it; empty when it was the cloud, or unknown
	Adopted           bool      // an earlier run asked for it, and Migrate took it over
	Announced         bool      // a plan of this run has told that it would be taken over
	Automatic         bool      // the action log says that the cloud confirmed it by itself
	SeenAt            time.Time // the API's clock when the server was last seen; zero if this run has not seen it

	VerificationResult *verification.Result // what its server's test came to; nil without one
}

// ConfirmBy is the time after which the cloud confirms the migration by itself, and
// not before: the window begins when the server comes to await confirmation. Until that
// was seen, it is counted from the request, which is early. It is zero once the migration
// is settled, and without a ConfirmWindow.
func (m *Migration) ConfirmBy() time.Time {
	switch {
	case m.Status.Settled(), m.ConfirmWindow == 0:
		return time.Time{}
	case !m.AwaitingSince.IsZero():
		return m.AwaitingSince.Add(m.ConfirmWindow)
	}
	return m.RequestedAt.Add(m.ConfirmWindow)
}

// Name is the server's name, or its id as long as the name is not known.
func (m *Migration) Name() string {
	return cmp.Or(m.ServerName, m.ServerID)
}

// see takes over what a look at the server shows.
func (m *Migration) see(s *cloudservers.Server) {
	m.ServerStatus, m.SeenAt = s.Status, s.SeenAt
	if s.Name != "" {
		m.ServerName = s.Name
	}
}
