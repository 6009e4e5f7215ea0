package cloudservers

import (
	"context"
	"net/http"
	"strings"
	"time"
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

// onMetal begins the ids of the flavors that are physical machines.
const onMetal = "onmetal"

// Server is what GET /servers/{id} tells about a server, as far as migrations
// need it.
type Server struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	VMState   string `json:"OS-EXT-STS:vm_state"`
	TaskState string `json:"OS-EXT-STS:task_state"` // empty when nothing is being done to it
	Progress  int    `json:"progress"`              // percent; may stay 0
	HostID    string `json:"hostId"`                // opaque, the account's own name of the hypervisor host
	Flavor    struct {
		ID string `json:"id"`
	} `json:"flavor"`
	AccessIPv4 string    `json:"accessIPv4"`
	AccessIPv6 string    `json:"accessIPv6"`
	Addresses  addresses `json:"addresses"` // see Address

	Updated string       `json:"updated"` // RFC 3339; see Idle
	Fault   *ServerFault `json:"fault"`   // only with StatusError

	// SeenAt is the API's own clock when it answered, in whole seconds; this
	// machine's where the API does not tell.
	SeenAt   time.Time `json:"-"`
	Timeless bool      `json:"-"` // the API did not tell
	AsOf     time.Time `json:"-"` // when the API was asked, by the same clock: what changed since may not show

	// WatchedUntil is when a Watch had seen the server before, by this machine's
	// clock; zero if it had not.
	WatchedUntil time.Time `json:"-"`
}

// ServerFault says why a server is in StatusError.
type ServerFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// OnMetal tells whether the server is a physical machine, which Rackspace
// cannot migrate.
func (s *Server) OnMetal() bool {
	return strings.HasPrefix(strings.ToLower(s.Flavor.ID), onMetal)
}

// The last tasks of a migration: the server is on its new host already.
const (
	TaskResizeMigrated = "resize_migrated"
	TaskResizeFinish   = "resize_finish"
)

// Arrived tells whether a migration is about to await confirmation, or does.
func (s *Server) Arrived() bool {
	switch s.TaskState {
	case TaskResizeMigrated, TaskResizeFinish:
		return true
	}
	return s.Status == StatusVerifyResize && s.TaskState == ""
}

// OnItsWay tells whether a migration is under way or being reverted: while the
// server does not change, there is nothing to decide.
func (s *Server) OnItsWay() bool {
	switch s.Status {
	case StatusResize, StatusResizing, StatusMigrating, StatusRevertResize:
		return true
	}
	return false
}

// TaskDeleting is the task of a server that is being deleted. For a moment its
// status is ACTIVE, whatever it was before.
const TaskDeleting = "deleting"

// Settled tells whether the server is in one of the two states that a
// migration starts from and ends in.
func (s *Server) Settled() bool {
	return (s.Status == StatusActive || s.Status == StatusShutoff) && s.TaskState != TaskDeleting
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

func (r *Region) server(ctx context.Context, id string, urgent bool) (*Server, error) {
	var answer struct {
		Server *Server `json:"server"`
	}
	what := call{op: opServer, method: http.MethodGet, url: r.compute.ServiceURL("servers", id), answer: &answer, urgent: urgent}
	asked := time.Now()
	header, err := r.client.do(ctx, what)
	if err != nil {
		return nil, err
	}
	if answer.Server == nil || answer.Server.ID != id || answer.Server.Status == "" {
		return nil, missing(what, header, "server "+id)
	}
	answer.Server.receive(header, asked)
	r.seen.keep(asked, answer.Server)
	return answer.Server, nil
}

// receive notes when the API told of the server, which it was asked for at a time
// by this machine's clock. The answer's own time is that of its end.
func (s *Server) receive(header http.Header, asked time.Time) {
	_, err := http.ParseTime(header.Get("Date"))
	s.SeenAt, s.Timeless = clock(header), err != nil
	s.AsOf = s.SeenAt.Add(-time.Since(asked))
	if s.Fault != nil {
		s.Fault.Message = plain(s.Fault.Message)
	}
}

// clock reads the API's clock off an answer, or this machine's where the
// answer does not say.
func clock(header http.Header) time.Time {
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return now.UTC().Truncate(time.Second)
}
