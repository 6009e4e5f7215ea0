package stub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// URL is the base URL of a stub that is reached through its Transport.
const URL = "http://127.0.0.1:8774"

// IdentityEndpoint is the endpoint of Identity v2.0 of a stub with that base URL.
func IdentityEndpoint(base string) string { return strings.TrimSuffix(base, "/") + "/v2.0/" }

// KeystoneEndpoint is the endpoint of Identity v3 of a stub with that base URL.
func KeystoneEndpoint(base string) string { return strings.TrimSuffix(base, "/") + "/v3" }

// Transport returns a transport that calls the stub in process. It is for tests under
// testing/synctest, because network connections do not run in virtual time. It starts no
// goroutine, and a request ends with its context. Where a Fault closes the connection,
// the error is a connection reset. Where it refuses the connection, it is an error of the
// dial.
func (s *Stub) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	inbound := r.Clone(r.Context())
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	defer inbound.Body.Close() //nolint:errcheck // it was only read from
	if r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	inbound.RequestURI = r.URL.RequestURI()
	if inbound.Host == "" {
		inbound.Host = r.URL.Host
	}
	w := &response{header: http.Header{}}
	w.serve(t.handler, inbound)
	if w.refused {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	if w.aborted && r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	return w.result(r)
}

// response is an http.ResponseWriter that keeps what is written.
type response struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	aborted bool
	refused bool
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) { w.status = status }

func (w *response) Write(p []byte) (int, error) { return w.body.Write(p) }

// Flush implements http.Flusher.
func (w *response) Flush() {}

// refuseConnection ends a request as if its connection had been refused. That works in
// process only: over a network the connection exists already, so it is closed.
func refuseConnection(w http.ResponseWriter) {
	if inProcess, ok := w.(*response); ok {
		inProcess.refused = true
	}
	panic(http.ErrAbortHandler)
}

// serve lets a handler write the response, or abort it.
func (w *response) serve(handler http.Handler, r *http.Request) {
	defer func() {
		if reason := recover(); reason != nil {
			if err, ok := reason.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(reason)
			}
			w.aborted = true
		}
	}()
	handler.ServeHTTP(w, r)
}

func (w *response) result(r *http.Request) (*http.Response, error) {
	if w.aborted && w.status == 0 {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	answer := &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
	if w.aborted && w.status != http.StatusNoContent { // which has no body to cut off
		answer.Body, answer.ContentLength = io.NopCloser(io.MultiReader(&w.body, cutOff{})), -1
	}
	return answer, nil
}

// cutOff is the end of a body that is not complete.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
