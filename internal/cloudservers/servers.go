package cloudservers

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
)

// Status words of the API. The list is not complete, and Rackspace adds to it
// without notice: an unknown word is no error.
const (
	StatusActive       = "ACTIVE"
	StatusShutoff      = "SHUTOFF"
	StatusResize       = "RESIZE"   // Nova's word for a migration under way
	StatusResizing     = "RESIZING" // the documentation's word for it
	StatusMigrating    = "MIGRATING"
	StatusVerifyResize = "VERIFY_RESIZE"
	StatusRevertResize = "REVERT_RESIZE"
	StatusError        = "ERROR"
	StatusDeleted      = "DELETED"
	StatusSoftDeleted  = "SOFT_DELETED"
)

// onMetal is the beginning of the ids of flavors that are physical machines.
const onMetal = "onmetal"

// Server is what GET /servers/{id} tells about a server. Its own fields are what
// migrations need; details are the others.
type Server struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	TaskState string `json:"OS-EXT-STS:task_state"` // empty when nothing is being done to it
	Progress  int    `json:"progress"`              // percent; may stay 0
	HostID    string `json:"hostId"`                // opaque, the account's own name of the hypervisor host
	Flavor    struct {
		ID string `json:"id"`
	} `json:"flavor"`
	AccessIPv4 string                                     `json:"accessIPv4"`
	AccessIPv6 string                                     `json:"accessIPv6"`
	Addresses  Field[map[string]Field[[]servers.Address]] `json:"addresses"` // by network; see Address

	Updated string       `json:"updated"` // RFC 3339; see Idle
	Fault   *ServerFault `json:"fault"`   // only with StatusError

	TenantID identifier `json:"tenant_id"` // the project that the server belongs to

	// LaunchedAt is when the server last began to run on a host: a migration sets
	// it when it comes to await confirmation, and a revert when it ends. Empty where
	// the cloud does not tell.
	LaunchedAt string `json:"OS-SRV-USG:launched_at"`

	details

	// AskedAt is when the request was sent whose answer describes the server, by
	// this machine's clock. The server is described as it was then or later.
	AskedAt time.Time `json:"-"`
	// SeenAt is the API's own clock when it answered, in whole seconds. It is this
	// machine's clock, and Timeless is true, where the API does not tell its time.
	SeenAt   time.Time `json:"-"`
	Timeless bool      `json:"-"`

	asOf      time.Time // AskedAt by the API's clock: a change after it may not show
	arrivedAt time.Time // when sharedServers got it, with the last page of its list
}

// ServerFault says why a server is in StatusError.
type ServerFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details string `json:"details"` // mostly empty: only administrators are told
}

// OnMetal tells whether the server is a physical machine, which Rackspace
// cannot migrate.
func (s *Server) OnMetal() bool {
	return strings.HasPrefix(strings.ToLower(s.Flavor.ID), onMetal)
}

// Tasks of a server.
const (
	// The last two tasks of a migration: the server is on its new host already.
	TaskResizeMigrated = "resize_migrated"
	TaskResizeFinish   = "resize_finish"

	// Tasks of a server that is being deleted. For a moment its status is ACTIVE,
	// whatever it was before.
	TaskDeleting     = "deleting"
	TaskSoftDeleting = "soft-deleting"
)

// needsSettling tells whether a migration is about to await confirmation, or does.
func (s *Server) needsSettling() bool {
	return s.TaskState == TaskResizeMigrated || s.TaskState == TaskResizeFinish ||
		s.TaskState == "" && s.Status == StatusVerifyResize
}

// Idle is how long nothing of the server has changed, by the API's clock; zero
// where the API does not tell.
func (s *Server) Idle() time.Duration {
	updated, err := time.Parse(time.RFC3339, s.Updated)
	if err != nil || s.Timeless {
		return 0
	}
	return s.SeenAt.Sub(updated)
}

// Server reads one server (GET /servers/{id}). A server that does not exist
// is an error that is ErrNotFound.
func (r *Region) Server(ctx context.Context, id string) (*Server, error) {
	return r.server(ctx, id, false)
}

// server reads one server; a poll goes before other reads that wait for the rate
// limit.
func (r *Region) server(ctx context.Context, id string, isPoll bool) (*Server, error) {
	var body struct {
		Server *Server `json:"server"`
	}
	what := call{op: opServer, method: http.MethodGet, url: r.url("servers", id), answer: &body, priority: isPoll}
	answer, err := r.client.read(ctx, what)
	if err != nil {
		return nil, err
	}
	if body.Server == nil || body.Server.ID != id || body.Server.Status == "" {
		return nil, what.unusable(answer, "it has no server "+id)
	}
	body.Server.receive(answer)
	return body.Server, nil
}

// receive notes when the API told of the server. The answer's own time is that of
// its end.
func (s *Server) receive(answer response) {
	now, told := answer.clock()
	s.SeenAt, s.Timeless, s.AskedAt = now, !told, answer.askedAt
	s.asOf = now.Add(-time.Since(answer.askedAt))
	if s.Fault != nil {
		s.Fault.Message, s.Fault.Details = plain(s.Fault.Message), plain(s.Fault.Details)
	}
}

// Networks of every Cloud Server.
const (
	networkPublic  = "public"
	networkPrivate = "private"
)

// Address is where to reach the server: its access address, else its public,
// else its private one (ServiceNet), IPv4 before IPv6. It is empty for a server
// that has none.
func (s *Server) Address() string {
	networks := s.Addresses.Value()
	return cmp.Or(s.AccessIPv4, s.AccessIPv6, first(networks[networkPublic].Value()), first(networks[networkPrivate].Value()))
}

// first is a network's first address, IPv4 before IPv6.
func first(network []servers.Address) string {
	for _, version := range []int{4, 6} {
		for _, candidate := range network {
			if candidate.Version == version && candidate.Address != "" {
				return candidate.Address
			}
		}
	}
	return ""
}

// details are the fields of a server that migrations do not need ("Server details" in
// the Cloud Servers API documentation).
type details struct {
	Created          Field[utcTime]             `json:"created"`
	UserID           Field[identifier]          `json:"user_id"` // who created the server
	Image            Field[struct{ ID string }] `json:"image"`   // empty for a server that boots from a volume
	Metadata         Field[map[string]string]   `json:"metadata"`
	KeyName          Field[string]              `json:"key_name"`
	ConfigDrive      Field[string]              `json:"config_drive"`
	DiskConfig       Field[string]              `json:"OS-DCF:diskConfig"` // AUTO or MANUAL
	AvailabilityZone Field[string]              `json:"OS-EXT-AZ:availability_zone"`
	VMState          Field[string]              `json:"OS-EXT-STS:vm_state"`    // what the server is, below its status: active, stopped, resized, …
	PowerState       Field[*int]                `json:"OS-EXT-STS:power_state"` // the API's number of it
}

// Field is a field of an answer, as the API wrote it. It is parsed only when somebody
// asks for its Value. So it costs a poll nothing, and a mistake in it does not make the
// server unreadable.
type Field[T any] []byte

// UnmarshalJSON keeps what the API wrote.
func (f *Field[T]) UnmarshalJSON(data []byte) error {
	*f = slices.Clone(data)
	return nil
}

// Value parses the field. One that is missing, or that has another form than the API
// documents, is zero.
func (f Field[T]) Value() T {
	var value, none T
	if json.Unmarshal(f, &value) != nil {
		return none
	}
	return value
}

// ReadTime reads a time in the API's words. It is zero where they are no time.
func ReadTime(text string) time.Time {
	return Field[utcTime](`"` + text + `"`).Value().Time
}
