package stub

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Outcome is what a server's migrations end in.
type Outcome int

// The outcomes of a migration.
const (
	// OutcomeMoves is a migration that succeeds.
	OutcomeMoves Outcome = iota
	// OutcomeNoValidHost ends in ACTIVE or SHUTOFF on the original host, with no
	// fault: only the action log says Error.
	OutcomeNoValidHost
	// OutcomeFails ends in ERROR, on the original host, with a fault.
	OutcomeFails
	// OutcomeFinishFails ends in ERROR on the new host, with a fault: the disks
	// were moved, and the server could not be started there.
	OutcomeFinishFails
	// OutcomeInterrupted ends in ACTIVE or SHUTOFF on the original host, because the
	// compute service was restarted during the copy. The action log does not show
	// that.
	OutcomeInterrupted
	// OutcomeNoValidHostAtOnce is a migration that is refused with 400, because no
	// host can take the server. Its entry in the action log says Error. Releases of
	// Nova before 21 do that.
	OutcomeNoValidHostAtOnce
	// OutcomeSameHost is a migration that succeeds without a change of the hostId, as
	// it can in a VMware cluster.
	OutcomeSameHost
	// OutcomeNeverEnds stays in RESIZE, on the original host.
	OutcomeNeverEnds
)

// ConfirmOutcome is what the confirmations of a server's migrations end in, the
// automatic one included.
type ConfirmOutcome int

// The outcomes of a confirmation.
const (
	// ConfirmSucceeds is a confirmation after which the server is ACTIVE or SHUTOFF.
	ConfirmSucceeds ConfirmOutcome = iota
	// ConfirmFails ends in ERROR on the new host, with a fault, because the cleanup of
	// the original host failed. The entry of the confirmation in the action log says
	// Error.
	ConfirmFails
	// ConfirmNeverEnds is a confirmation that is accepted, and after which the server
	// stays in VERIFY_RESIZE. Every later confirm or revert is answered with 400.
	// Releases of Nova before 22 do that while the original host is down.
	ConfirmNeverEnds
)

// Server is a server of the stub: how it is added, and how it is now.
type Server struct {
	ID         string // random when empty
	Name       string
	TenantID   string // the tenant of the stub's users when empty
	Region     string // the first region when empty
	Status     string // ACTIVE when empty
	VMState    string // what goes with the status when empty
	TaskState  string
	FlavorID   string // general1-1 when empty
	HostID     string // one of the region's hosts when empty
	AccessIPv4 string
	AccessIPv6 string
	Metadata   map[string]string
	Addresses  map[string][]string // by network; when nil, the access addresses are those of the network public

	Locked           bool
	ResizeNotAllowed bool
	Outcome          Outcome
	ConfirmOutcome   ConfirmOutcome
	// SourceDown is set while the compute service is down on the host that a
	// migrate would leave, or that a migration has left. A migrate and a confirm
	// are refused with 409, the automatic confirmation waits, and a revert is
	// accepted and never ends.
	SourceDown bool
	// PoweredOff says that the server is shut down from inside while it awaits
	// confirmation. The confirmation then ends in SHUTOFF. It can be set before the
	// migration, and its confirm or revert clears it.
	PoweredOff  bool
	StatusWords map[string]string // what answers say in place of a status, by status
	NoProgress  bool              // answers have no progress
	NoHostID    bool              // answers have an empty hostId
	Timing      Timing            // of its migrations; that of the stub when it is zero

	Health func(Visit) Health // how its ports behave while it runs; nil: Healthy
}

// cloneMaps replaces the maps of a server by copies.
func (v *Server) cloneMaps() {
	v.Metadata, v.Addresses, v.StatusWords = maps.Clone(v.Metadata), maps.Clone(v.Addresses), maps.Clone(v.StatusWords)
}

// server is a Server with its history, and with the steps that are still to come.
type server struct {
	Server
	created, updated     time.Time
	launched, terminated time.Time
	imageID              string
	firstHost            string // the host that it was added on
	visits               visits
	source               string // the host before the pending migration
	stopped              bool   // the server was stopped when the migration began
	confirming           bool   // a confirm was accepted
	flavorBefore         string
	percent              int // of the migration
	fault                object
	deleted              bool
	log                  []Action  // newest first
	steps                []step    // still to come, in order of time
	versions             []version // for reads that lag, in order of time
	migrations           int       // that clients asked for
}

// hosts is how many hypervisor hosts a region has.
const hosts = 4

// hostID names a host of a region as one tenant sees it: another tenant sees
// another id of the same host.
func (s *Stub) hostID(region, tenant string, n int) string {
	name := fmt.Sprintf("%s host %d", region, n%hosts)
	if tenant != s.config.TenantID {
		name += " of " + tenant
	}
	sum := sha256.Sum224([]byte(name))
	return hex.EncodeToString(sum[:])
}

// nextHost is the host that a server moves to. It is not the host that the server is
// on. While the server awaits confirmation, it is not the original host either.
func (s *Stub) nextHost(v *server) string {
	first := 0
	for n := range hosts {
		if s.hostID(v.Region, v.TenantID, n) == v.HostID {
			first = n + 1
		}
	}
	next := s.hostID(v.Region, v.TenantID, first)
	if v.VMState == vmResized && next == v.source {
		next = s.hostID(v.Region, v.TenantID, first+1)
	}
	return next
}

// AddServer adds a server and returns its id.
func (s *Stub) AddServer(seed Server) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seed.ID == "" {
		seed.ID = newID()
	}
	if seed.TenantID == "" {
		seed.TenantID = s.config.TenantID
	}
	if seed.Region == "" {
		seed.Region = s.config.Regions[0]
	}
	if seed.Status == "" {
		seed.Status = statusActive
	}
	if seed.VMState == "" && seed.TaskState == "" {
		seed.TaskState = stateOf(seed.Status).task
	}
	if seed.VMState == "" {
		seed.VMState = stateOf(seed.Status).vm
	}
	if seed.FlavorID == "" {
		seed.FlavorID = "general1-1"
	}
	if seed.HostID == "" {
		seed.HostID = s.hostID(seed.Region, seed.TenantID, len(s.order))
	}
	seed.cloneMaps()
	// The server was created a month ago, and last changed two days ago.
	added := &server{
		Server: seed, created: s.now().Add(-30 * 24 * time.Hour), updated: s.now().Add(-2 * 24 * time.Hour),
		imageID: newID(), firstHost: seed.HostID, percent: s.percent(progressSteps),
	}
	added.launched = added.created
	since := added.created
	if replaced := s.servers[seed.ID]; replaced != nil {
		added.versions, since = replaced.versions, s.now()
	} else {
		s.order = append(s.order, seed.ID)
	}
	s.servers[seed.ID] = added
	if seed.Status == statusVerifyResize {
		s.awaitConfirmation(added)
	}
	added.remember(since)
	return seed.ID
}

// Server returns a server as it is now; false when there is none.
func (s *Stub) Server(id string) (Server, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id)
	if server == nil {
		return Server{}, false
	}
	snapshot := server.Server
	snapshot.cloneMaps()
	return snapshot, true
}

// SetServer changes a server. A change of its status ends whatever was being
// done to it. It also sets the VMState and the TaskState that go with the status,
// unless change sets them itself.
func (s *Stub) SetServer(id string, change func(*Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id)
	if server == nil {
		return
	}
	before := server.Server
	change(&server.Server)
	if server.Status != before.Status {
		server.steps, server.confirming, server.percent = nil, false, s.percent(progressSteps)
		if before.VMState == vmActive || before.VMState == vmStopped {
			server.stopped = before.VMState == vmStopped
		}
		if server.TaskState == before.TaskState {
			server.TaskState = stateOf(server.Status).task
		}
		if server.VMState == before.VMState {
			server.VMState = stateOf(server.Status).vm
		}
		if server.Status == statusVerifyResize {
			s.awaitConfirmation(server)
		}
	}
	server.updated = s.now()
	server.remember(s.now())
}

// Relocate moves a server to another host, as an operator does by a live migration. Its
// hostId changes, and the action log has no entry of that.
func (s *Stub) Relocate(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id)
	if server == nil {
		return errNoServer(id)
	}
	server.HostID, server.updated = s.nextHost(server), s.now()
	server.remember(s.now())
	return nil
}

func errNoServer(id string) error { return errors.New("there is no server " + id) }

// Migrations returns how many migrations of a server clients asked for that
// took effect.
func (s *Stub) Migrations(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if server := s.servers[id]; server != nil {
		return server.migrations
	}
	return 0
}

// find returns a server as it is now; nil when there is none.
func (s *Stub) find(id string) *server {
	server := s.servers[id]
	if server == nil {
		return nil
	}
	server.advance(s.now())
	if server.deleted {
		return nil
	}
	return server
}
