package stub

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// The headers that name a request of the Cloud Servers API.
const (
	headerComputeRequestID   = "X-Compute-Request-Id"
	headerOpenStackRequestID = "X-Openstack-Request-Id"
)

// headerRetryAfter says how many seconds to wait.
const headerRetryAfter = "Retry-After"

// object is a JSON object of an answer.
type object = map[string]any

// answer is what a request is answered with.
type answer struct {
	status      int
	header      http.Header
	contentType string
	body        []byte
}

// reply answers with a JSON object.
func reply(status int, body object) *answer {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // an object of this package is always JSON
	}
	return &answer{status: status, header: http.Header{}, contentType: "application/json", body: text}
}

// empty answers without a body.
func empty(status int) *answer {
	return &answer{status: status, header: http.Header{}, contentType: "application/json"}
}

// faultNames are the API's names of its faults, by status.
var faultNames = map[int]string{
	http.StatusBadRequest:            "badRequest",
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "itemNotFound",
	http.StatusMethodNotAllowed:      "badMethod",
	http.StatusConflict:              "conflictingRequest",
	http.StatusRequestEntityTooLarge: "overLimit",
	http.StatusUnsupportedMediaType:  "badMediaType",
	http.StatusTooManyRequests:       "overLimit",
	http.StatusInternalServerError:   "computeFault",
	http.StatusNotImplemented:        "notImplemented",
	http.StatusServiceUnavailable:    "serviceUnavailable",
}

// refuse answers with the fault that goes with a status.
func refuse(status int, message string) *answer {
	name := faultNames[status]
	if name == "" {
		return empty(status)
	}
	return refuseAs(name, status, message)
}

// notFound refuses a request for a path that the API does not have.
func notFound() *answer { return refuse(http.StatusNotFound, "The resource could not be found.") }

// refuseAs answers with a fault that has a name of its own.
func refuseAs(name string, status int, message string) *answer {
	a := reply(status, object{name: object{"code": status, "message": message}})
	a.contentType = "application/json; charset=UTF-8"
	return a
}

// refuseOverLimit answers as the rate limiter does.
func refuseOverLimit(status int, now time.Time, wait time.Duration) *answer {
	a := reply(status, object{"overLimit": object{
		"code": status, "message": "OverLimit Retry...", "details": "Error Details...",
		"retryAt": now.Add(wait).Format(time.RFC3339),
	}})
	a.retryAfter(wait)
	return a
}

// retryAfter says how long to wait, in whole seconds.
func (a *answer) retryAfter(wait time.Duration) {
	a.header.Set(headerRetryAfter, strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

// send writes the answer, and notes its status in the record.
func (a *answer) send(w http.ResponseWriter, e *entry) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Date", e.stub.Now().Format(http.TimeFormat))
	if e.requestID != "" {
		header.Set(headerComputeRequestID, e.requestID)
		header.Set(headerOpenStackRequestID, e.requestID)
	}
	for name, values := range a.header { // last, so that a fault can replace or remove the headers above
		header[name] = values
	}
	e.answered(a.status)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have gone
}
