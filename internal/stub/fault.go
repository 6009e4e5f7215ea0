package stub

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Fault changes how requests are answered. It applies to requests that match Call and
// ServerID, and ends after Count of them or at the time Until.
type Fault struct {
	Name     string    // what the record of a request says in Request.Fault
	Call     Call      // empty: any
	ServerID string    // empty: any
	Skip     int       // how many matching requests come before the first that gets the fault
	Count    int       // how many requests get the fault; 0: no limit
	Until    time.Time // when the fault ends, by the stub's clock; zero: never

	Delay  time.Duration // before the request is processed or, with Effect, before it is answered
	Effect bool          // the request takes effect before anything else happens to it

	Do           func()        // is called before the request is processed or, with Effect, after it took effect
	RevokeTokens bool          // all tokens become invalid: before the request is processed or, with Effect, after it took effect
	Lag          time.Duration // a read is answered as the servers and their action logs were that long ago

	Status      int           // answer with this status, and the fault that goes with it; 0: the cloud's answer
	Header      http.Header   // further headers of the answer; one without values removes the answer's own
	Body        string        // replaces the body of the answer, unless it is empty
	ContentType string        // replaces the content type; empty: application/json with Body, else the answer's own
	RetryAfter  time.Duration // for the header Retry-After: 413 and 429 always have it, others when it is not 0

	// Refuse refuses the connection. The request does not arrive: Refused counts it,
	// and Requests does not have it. Through Transport that is a dial error with
	// ECONNREFUSED. Over a network the connection exists already, so it is closed as
	// by Reset.
	Refuse bool
	// Reset closes the connection instead of answering. Over HTTP/2 it resets the
	// stream with PROTOCOL_ERROR; see ServeHTTP2.
	Reset    bool
	Hang     bool // never answer
	Truncate bool // answer as the cloud does, but close the connection in the middle
}

// HTML is a fault that answers like a proxy in front of the API, which knows no
// request ids.
func HTML(status int) Fault {
	text := http.StatusText(status)
	return Fault{
		Status: status, ContentType: "text/html",
		Header: http.Header{headerComputeRequestID: nil, headerOpenStackRequestID: nil},
		Body:   "<html><head><title>" + strconv.Itoa(status) + " " + text + "</title></head><body><h1>" + text + "</h1></body></html>",
	}
}

// Inject adds a fault. Where several match a request, the request gets the one that was
// added first.
func (s *Stub) Inject(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault)
}

// ClearFaults removes all faults.
func (s *Stub) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// match finds the fault that a request gets; nil when there is none. It counts the
// request for the fault.
func (s *Stub) match(c *call) *Fault {
	for i, fault := range s.faults {
		if fault.Call != "" && fault.Call != c.kind || fault.ServerID != "" && fault.ServerID != c.server {
			continue
		}
		if !fault.Until.IsZero() && !s.now().Before(fault.Until) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		matched := *fault
		if fault.Count == 1 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		} else if fault.Count > 1 {
			fault.Count--
		}
		return &matched
	}
	return nil
}

// answer answers a request as the fault says. handle lets the request take effect and
// returns the cloud's answer.
func (f *Fault) answer(w http.ResponseWriter, r *http.Request, handle func() *answer, e *entry) {
	handled := sync.OnceValue(handle)
	if f.Effect {
		handled()
	}
	if f.RevokeTokens {
		e.stub.RevokeTokens()
	}
	if f.Do != nil {
		f.Do()
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Truncate:
		truncate(w, f.change(handled()), e)
	case f.Status != 0:
		f.change(f.refusal(e)).send(w, e)
	default:
		f.change(handled()).send(w, e)
	}
}

// refusal is the answer that goes with the fault's status, in the form of the API that
// was asked. The fault of status 500 is identityFault in Identity v2.0, and computeFault
// in the Cloud Servers API.
func (f *Fault) refusal(e *entry) *answer {
	a := refuse(f.Status, http.StatusText(f.Status))
	switch {
	case f.Status == http.StatusRequestEntityTooLarge, f.Status == http.StatusTooManyRequests:
		a = refuseOverLimit(f.Status, e.stub.Now(), f.RetryAfter)
	case e.api == apiKeystone:
		a = refuseAsKeystone(f.Status, "")
	case f.Status == http.StatusBadRequest:
		a = refuse(f.Status, "Malformed request body")
	case f.Status == http.StatusInternalServerError && e.api != apiCompute:
		a = refuseAs("identityFault", f.Status, http.StatusText(f.Status))
	}
	if f.RetryAfter > 0 {
		a.retryAfter(f.RetryAfter)
	}
	return a
}

// change puts the fault's own body and headers into an answer.
func (f *Fault) change(a *answer) *answer {
	if f.Body != "" {
		a.body, a.contentType = []byte(f.Body), "application/json"
	}
	if f.ContentType != "" {
		a.contentType = f.ContentType
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a
}

// truncate sends half of an answer and closes the connection.
func truncate(w http.ResponseWriter, a *answer, e *entry) {
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)+1))
	a.body = a.body[:len(a.body)/2]
	a.send(w, e)
	_ = http.NewResponseController(w).Flush() // without it, nothing of the answer is sent
	panic(http.ErrAbortHandler)
}
