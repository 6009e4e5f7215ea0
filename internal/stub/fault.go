package stub

import (
	"net/http"
	"strconv"
	"time"
)

// Fault spoils requests on demand. It is used up when Count requests got it.
type Fault struct {
	Call     Call   // any, when empty
	ServerID string // any, when empty
	Skip     int    // so many matching requests pass first
	Count    int    // how many then get it; 0: all from then on

	Delay  time.Duration // before the request is looked at
	Effect bool          // the request takes effect before its answer is spoiled

	Status      int         // answer with this status, and the fault that goes with it
	Header      http.Header // further headers of that answer
	Body        string      // in place of the fault
	ContentType string      // of Body; application/json when empty
	RetryAfter  time.Duration

	Reset    bool // tear the connection down instead of answering
	Hang     bool // never answer
	Truncate bool // answer rightly, but tear the connection down in the middle
}

// HTML is a fault that answers like a proxy in front of the API.
func HTML(status int) Fault {
	text := http.StatusText(status)
	return Fault{
		Status: status, ContentType: "text/html",
		Body: "<html><head><title>" + strconv.Itoa(status) + " " + text + "</title></head><body><h1>" + text + "</h1></body></html>",
	}
}

// Inject adds a fault. Of several that match, the first that is not used up
// takes effect.
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

func (s *Stub) match(c *call) *Fault {
	for i, fault := range s.faults {
		if fault.Call != "" && fault.Call != c.kind || fault.ServerID != "" && fault.ServerID != c.server {
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

// spoil answers a request as the fault has it. It returns false where the
// request is to be answered as usual.
func (f *Fault) spoil(w http.ResponseWriter, r *http.Request, handle func() *answer, e *entry) bool {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	if f.Truncate {
		f.truncate(w, handle(), e)
	}
	if !f.Reset && !f.Hang && f.Status == 0 {
		return false
	}
	if f.Effect {
		handle()
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.Reset:
		panic(http.ErrAbortHandler)
	}
	f.answer(e.stub.Now()).send(w, e)
	return true
}

func (f *Fault) answer(now time.Time) *answer {
	a := refuse(f.Status, http.StatusText(f.Status))
	switch f.Status {
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		a = refuseOverLimit(f.Status, now, f.RetryAfter)
	case http.StatusBadRequest:
		a = refuse(f.Status, "Malformed request body")
	}
	if f.Body != "" {
		a.body, a.contentType = []byte(f.Body), "application/json"
	}
	if f.ContentType != "" {
		a.contentType = f.ContentType
	}
	for name, values := range f.Header {
		a.header[name] = values
	}
	a.date = now
	return a
}

// truncate sends half of an answer and tears the connection down.
func (f *Fault) truncate(w http.ResponseWriter, a *answer, e *entry) {
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)+1))
	a.body = a.body[:len(a.body)/2]
	a.send(w, e)
	_ = http.NewResponseController(w).Flush() // else nothing of it is sent
	panic(http.ErrAbortHandler)
}
