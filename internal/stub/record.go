package stub

import (
	"net/http"
	"slices"
	"time"
)

// Request is a request as the stub saw it.
type Request struct {
	Time      time.Time // by the stub's clock
	Call      Call
	Region    string
	ServerID  string
	User      string // the id of the token's user, or of the one who logged in; empty without a valid token
	Method    string
	Path      string
	RawQuery  string
	Header    http.Header
	Body      []byte
	Status    int    // of the answer; 0 while there is none, and when the connection ended without one
	RequestID string // empty outside of the Cloud Servers API
	Fault     string // the name of the fault that it got; empty without one, or when the fault has no name
}

// Requests returns all requests so far, in order of arrival.
func (s *Stub) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count returns how many requests of a kind there were so far.
func (s *Stub) Count(call Call) int {
	count := 0
	for _, request := range s.Requests() {
		if request.Call == call {
			count++
		}
	}
	return count
}

// Refused returns how many connections for requests of a kind were refused. Such
// requests are not among Requests.
func (s *Stub) Refused(call Call) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[call]
}

// entry is one request in the record, until it is answered.
type entry struct {
	stub      *Stub
	index     int
	requestID string
	api       api
}

// answered records the status of the answer, and logs the request. It is called before
// any part of the answer is sent.
func (e *entry) answered(status int) {
	e.stub.mu.Lock()
	e.stub.requests[e.index].Status = status
	request := e.stub.requests[e.index]
	e.stub.mu.Unlock()
	e.stub.log(request)
}

// ended logs a request that was not answered. A request whose connection is refused
// has no entry, and is not logged.
func (e *entry) ended() {
	if e == nil {
		return
	}
	e.stub.mu.Lock()
	request := e.stub.requests[e.index]
	e.stub.mu.Unlock()
	if request.Status == 0 {
		e.stub.log(request)
	}
}

func (s *Stub) log(request Request) {
	if s.config.Log != nil {
		s.config.Log(request)
	}
}
