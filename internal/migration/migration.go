// Package migration is the engine that moves a Cloud Server to another
// hypervisor host and follows the move to its end. It never migrates a server twice
// for one request. It never says that a migration has ended before that is proven.
//
// The engine knows nothing of Terraform. It reports a failure as an *Error, whose
// Kind says what happened and what is now true of the server.
package migration

import (
	"cmp"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// Status is how far a migration has come.
type Status string

// The statuses of a migration. One with one of the last three is called settled: it
// has ended, and can be neither confirmed nor reverted any more.
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

// ConfirmationWindow is after which time Rackspace's public cloud confirms a migration
// by itself. See "Migrate specified server" in the Cloud Servers API documentation.
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
	Automatic         bool      // the action log says that the cloud confirmed it by itself
	SeenAt            time.Time // the API's clock when the server was last seen; zero if this run has not seen it

	VerificationResult *verification.Result // of the test of its server; nil without a test
}

// ConfirmBy is the time before which the cloud does not confirm the migration by
// itself. ConfirmWindow begins when the server comes to await confirmation. Until that
// was seen, it is counted from the request, which gives too early a time. ConfirmBy is
// zero once the migration is settled, and without a ConfirmWindow.
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
