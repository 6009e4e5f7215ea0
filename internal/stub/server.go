package stub

import (
	"crypto/sha256"
	"encoding/hex"
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
	// OutcomeNoValidHost falls back to ACTIVE or SHUTOFF on the original host,
	// with no fault: only the action log says Error.
	OutcomeNoValidHost
	// OutcomeFails ends in ERROR, on the original host, with a fault.
	OutcomeFails
)

// Server is a server of the stub: how it is added, and how it is now.
type Server struct {
	ID         string // random when empty
	Name       string
	Region     string // the first region when empty
	Status     string // ACTIVE when empty
	VMState    string // what goes with the status when empty
	TaskState  string
	FlavorID   string // general1-1 when empty
	HostID     string // one of the region's hosts when empty
	AccessIPv4 string
	AccessIPv6 string
	Metadata   map[string]string

	Locked           bool
	ResizeNotAllowed bool
	Outcome          Outcome
	StatusWords      map[string]string // other words for statuses, to answer with
	NoProgress       bool              // answers have no progress
	NoHostID         bool              // answers have an empty hostId

	Health func(Visit) Health // of its ports while it runs; nil is healthy
}

// server is a server with its past and its future.
type server struct {
	Server
	created, updated time.Time
	imageID          string
	home             string // the host that it was added on
	visits           visits
	source           string // the host before the pending migration
	stopped          bool   // the server was stopped when it began
	confirming       bool   // a confirm was accepted
	flavorBefore     string
	progress         *int
	fault            object
	deleted          bool
	log              []Action // newest first
	future           []step   // in order of time
	migrations       int      // that clients asked for
}

// hosts is how many hypervisor hosts a region has.
const hosts = 4

func hostID(region string, n int) string {
	sum := sha256.Sum224(fmt.Appendf(nil, "%s host %d", region, n%hosts))
	return hex.EncodeToString(sum[:])
}

// nextHost is where a migration goes: never where the server is.
func nextHost(region, current string) string {
	for n := range hosts {
		if hostID(region, n) == current {
			return hostID(region, n+1)
		}
	}
	return hostID(region, 0)
}

// AddServer adds a server and returns its id.
func (s *Stub) AddServer(seed Server) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seed.ID == "" {
		seed.ID = newID()
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
		seed.HostID = hostID(seed.Region, len(s.order))
	}
	seed.Metadata, seed.StatusWords = maps.Clone(seed.Metadata), maps.Clone(seed.StatusWords)
	if s.servers[seed.ID] == nil {
		s.order = append(s.order, seed.ID)
	}
	// It is nobody's newest server: what was done to it lies days back.
	added := &server{Server: seed, created: s.now().Add(-30 * 24 * time.Hour), updated: s.now().Add(-2 * 24 * time.Hour), imageID: newID(), home: seed.HostID}
	s.servers[seed.ID] = added
	if seed.Status == statusVerifyResize {
		s.awaitConfirmation(added)
	}
	return seed.ID
}

// Server returns a server as it is now; false when there is none.
func (s *Stub) Server(id string) (Server, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id, "")
	if server == nil {
		return Server{}, false
	}
	snapshot := server.Server
	snapshot.Metadata, snapshot.StatusWords = maps.Clone(snapshot.Metadata), maps.Clone(snapshot.StatusWords)
	return snapshot, true
}

// SetServer changes a server. A change of its status ends whatever was being
// done to it, and brings the states that go with the status unless they are
// changed too.
func (s *Stub) SetServer(id string, change func(*Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id, "")
	if server == nil {
		return
	}
	before := server.Server
	change(&server.Server)
	if server.Status != before.Status {
		server.future, server.confirming, server.progress = nil, false, nil
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
}

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

// find returns an existing server as it is now, in a region or, when that is
// empty, in any.
func (s *Stub) find(id, region string) *server {
	server := s.servers[id]
	if server == nil || region != "" && server.Region != region {
		return nil
	}
	server.advance(s.now())
	if server.deleted {
		return nil
	}
	return server
}

// document is the server as the API shows it.
func (v *server) document(c *call) object {
	status := v.Status
	if word := v.StatusWords[status]; word != "" {
		status = word
	}
	url := c.base + "/" + c.region + "/v2/" + c.tenant + "/servers/" + v.ID
	document := object{
		"id": v.ID, "name": v.Name, "status": status, "tenant_id": c.tenant,
		"created": v.created.Format(time.RFC3339), "updated": v.updated.Format(time.RFC3339),
		"hostId": v.HostID, "accessIPv4": v.AccessIPv4, "accessIPv6": v.AccessIPv6,
		"flavor": object{"id": v.FlavorID}, "image": object{"id": v.imageID},
		"addresses":           v.addresses(),
		"metadata":            maps.Clone(v.Metadata),
		"links":               []object{{"rel": "self", "href": url}},
		"OS-EXT-STS:vm_state": v.VMState, "OS-EXT-STS:task_state": nil, "OS-EXT-STS:power_state": 1,
	}
	if v.Metadata == nil {
		document["metadata"] = object{}
	}
	if v.TaskState != "" {
		document["OS-EXT-STS:task_state"] = v.TaskState
	}
	if v.VMState == vmStopped {
		document["OS-EXT-STS:power_state"] = 4
	}
	if v.progress != nil && !v.NoProgress {
		document["progress"] = *v.progress
	}
	if v.NoHostID {
		document["hostId"] = ""
	}
	if v.fault != nil && v.Status == statusError {
		document["fault"] = v.fault
	}
	return document
}

func (v *server) addresses() object {
	public := []object{}
	if v.AccessIPv4 != "" {
		public = append(public, object{"addr": v.AccessIPv4, "version": 4})
	}
	if v.AccessIPv6 != "" {
		public = append(public, object{"addr": v.AccessIPv6, "version": 6})
	}
	if len(public) == 0 {
		return object{}
	}
	return object{"public": public}
}
