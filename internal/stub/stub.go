// Package stub is a cloud in memory, as one http.Handler. It has the APIs of Rackspace,
// Identity v2.0 and Cloud Servers v2. For the same servers it also has those of OpenStack,
// Keystone v3 and Nova v2.1. It behaves as a running Nova was seen to behave: transitional
// states, stale reads, failures without a fault, the automatic confirmation. It records
// every request, and answers with faults on demand. The package shares no code with the
// client that it tests.
//
// Identity v2.0 is at /v2.0/, and its catalog has the Cloud Servers API of a region at
// /REGION/v2/TENANT/. Identity v3 is at /v3, and its catalog has the same API at
// /REGION/v2.1/TENANT/. A token that one of them issues is valid for both.
//
// A test under virtual time reaches a stub in process, through Transport. Other tests reach
// it over HTTP with httptest.NewServer, or over HTTP/2 with ServeHTTP2.
//
// The methods Migrate, Resize, Confirm, Revert, DeleteBy, Relocate and SetServer change a
// server as other users and operators do. To make that happen at a time, call them from
// time.AfterFunc. To make it happen at a request, call them from the Do of a Fault.
package stub

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Config says how the stub is set up. The zero value is a cloud with default
// users, regions and observed timing.
type Config struct {
	Users            []User        // default: DefaultUser
	TenantID         string        // default: 123456; Identity v3 calls it the project's id
	ProjectName      string        // default: DefaultProject; Identity v2.0 names the tenant by its id
	Regions          []string      // default: DefaultRegions
	DefaultRegion    string        // of every user; default: the first region
	NoDefaultRegion  bool          // users have no default region
	TokenLifetime    time.Duration // default: 24 hours
	Timing           Timing        // default: ObservedTiming
	AutoConfirmAfter time.Duration // default: 24 hours; negative: never
	PageSize         int           // default: 1000 servers
	ReadsPerMinute   int           // default: no limit
	WritesPerMinute  int           // default: no limit
	RateLimitStatus  int           // default: 413; newer front ends answer with 429
	ReportsProgress  bool          // progress goes up in steps of 20 %, as under XenServer; otherwise it stays 0, as under libvirt
	SoftDelete       bool          // a deleted server is kept as SOFT_DELETED
	BaseURL          string        // links and the catalog begin with it; default: the host of the request, over http or https as the request came
	Log              func(Request) // is called for each request, before its answer is sent or when its connection ends without one
}

// User is somebody who can get a token.
type User struct {
	ID, Name, APIKey, Password string
	Credential                 ApplicationCredential
	Observer                   bool // may read, but not act
	Admin                      bool // may read and act on servers of other tenants too; lists have those only with all_tenants=1
}

// ApplicationCredential is what a program logs in with, in place of a user's password.
// It is for the project of the stub. A user whose credential has no ID has none.
type ApplicationCredential struct {
	ID, Name, Secret string
}

// DefaultUser is the user of a stub that is set up without any. The secrets are valid
// at a stub only.
var DefaultUser = User{
	ID: "user-1", Name: "demo", APIKey: "stub-api-key", Password: "stub-password",
	Credential: ApplicationCredential{ID: "5f3a1c047d2e4b6a9c112a8e0f6d4bac", Name: "demo-credential", Secret: "stub-credential-secret"},
}

// DefaultProject is the name of the project of a stub that is set up without one.
const DefaultProject = "demo-project"

// The only domain of Identity v3. All users and the project belong to it.
const (
	DomainID   = "default"
	DomainName = "Default"
)

// DefaultRegions are the regions of a stub that is set up without any.
var DefaultRegions = []string{"ORD", "DFW", "LON"}

// Stub is the endpoint. It is safe for concurrent use.
type Stub struct {
	config Config

	mu       sync.Mutex
	offset   time.Duration // by which the stub's clock is ahead of the real one
	servers  map[string]*server
	order    []string // ids, oldest server first
	tokens   map[string]token
	faults   []*Fault
	requests []Request
	refused  map[Call]int // connections, by the kind of call that they were for
	reads    []time.Time  // when the requests came that count for the rate limit, oldest first
	writes   []time.Time
}

// New returns a stub without servers.
func New(config Config) *Stub {
	if len(config.Users) == 0 {
		config.Users = []User{DefaultUser}
	}
	if config.TenantID == "" {
		config.TenantID = "123456"
	}
	if config.ProjectName == "" {
		config.ProjectName = DefaultProject
	}
	if len(config.Regions) == 0 {
		config.Regions = DefaultRegions
	}
	if config.DefaultRegion == "" {
		config.DefaultRegion = config.Regions[0]
	}
	if config.TokenLifetime == 0 {
		config.TokenLifetime = 24 * time.Hour
	}
	if config.Timing == (Timing{}) {
		config.Timing = ObservedTiming()
	}
	if config.AutoConfirmAfter == 0 {
		config.AutoConfirmAfter = 24 * time.Hour
	}
	if config.PageSize == 0 {
		config.PageSize = 1000
	}
	if config.RateLimitStatus == 0 {
		config.RateLimitStatus = http.StatusRequestEntityTooLarge
	}
	return &Stub{config: config, servers: map[string]*server{}, tokens: map[string]token{}, refused: map[Call]int{}}
}

// Now is the time by the stub's clock.
func (s *Stub) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Stub) now() time.Time { return time.Now().Add(s.offset).UTC() }

// Advance moves the stub's clock forward.
func (s *Stub) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// ServeHTTP answers one request: it records the request, and answers it as the
// cloud does, or as a fault says.
func (s *Stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "request body too large", http.StatusBadRequest)
		return
	}
	call := s.parse(r, body)
	entry, fault := s.receive(call)
	defer entry.ended()
	switch {
	case fault == nil:
		s.handle(call).send(w, entry)
	case fault.Refuse:
		refuseConnection(w)
	default:
		call.lag = fault.Lag
		fault.answer(w, r, func() *answer { return s.handle(call) }, entry)
	}
}

// receive finds the fault that a request gets, and records the request.
// A request whose connection is refused is not recorded: it never arrives.
func (s *Stub) receive(call *call) (*entry, *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.match(call)
	if fault != nil && fault.Refuse {
		s.refused[call.kind]++
		return nil, fault
	}
	if held, ok := s.valid(call.token); ok {
		call.user = held.user
	}
	call.index = len(s.requests)
	s.requests = append(s.requests, Request{
		Time: s.now(), Call: call.kind, Region: call.region, ServerID: call.server, User: call.user.ID, RequestID: call.requestID,
		Method: call.method, Path: call.path, RawQuery: call.rawQuery, Header: call.header, Body: call.body,
	})
	if fault != nil {
		s.requests[call.index].Fault = fault.Name
	}
	return &entry{stub: s, index: call.index, requestID: call.requestID, api: call.api}, fault
}

// handle lets a request take effect, and returns the cloud's answer to it.
func (s *Stub) handle(call *call) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.route(call)
	call.nameMicroversion(answer)
	s.requests[call.index].User = call.user.ID // a login tells who it is only now
	return answer
}

func newRequestID() string { return "req-" + newID() }

// newID returns a random UUID of version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
