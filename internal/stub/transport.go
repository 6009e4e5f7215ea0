package stub

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
)

// URL is the base URL of a stub that is reached through its Transport.
const URL = "http://127.0.0.1:8774"

// Transport returns a transport into the stub, in process: tests under
// testing/synctest use it, since a network connection stands outside of their
// virtual time. A connection that the stub tears down is a reset.
func (s *Stub) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	defer r.Body.Close() //nolint:errcheck // it is read already
	inbound := r.Clone(r.Context())
	inbound.Host, inbound.RequestURI = r.URL.Host, r.URL.RequestURI()
	w := &response{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.recoverAbort()
		t.handler.ServeHTTP(w, inbound)
	}()
	select {
	case <-done:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return w.result(r)
}

// response is an http.ResponseWriter that keeps what is written.
type response struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	aborted bool
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) { w.status = status }

func (w *response) Write(p []byte) (int, error) { return w.body.Write(p) }

// Flush implements http.Flusher.
func (w *response) Flush() {}

func (w *response) recoverAbort() {
	if reason := recover(); reason != nil {
		if err, ok := reason.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			panic(reason)
		}
		w.aborted = true
	}
}

func (w *response) result(r *http.Request) (*http.Response, error) {
	if w.aborted && w.status == 0 {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	var body io.Reader = &w.body
	if w.aborted {
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: -1, Request: r,
	}, nil
}

// broken is where a body was torn.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
