package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// requestObject is a request in the log. It has neither headers nor bodies, so that
// no token and no password gets into it.
type requestObject struct {
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Query     string    `json:"query"`
	Call      string    `json:"call"`
	ServerID  string    `json:"server_id"`
	UserID    string    `json:"user_id"`
	RequestID string    `json:"request_id"`
	Status    int       `json:"status"` // 0 without an answer
	Fault     string    `json:"fault"`
}

func newRequestObject(r stub.Request) requestObject {
	return requestObject{
		Time: r.Time, Method: r.Method, Path: withoutToken(r.Path), Query: r.RawQuery, Call: string(r.Call), ServerID: r.ServerID,
		UserID: r.User, RequestID: r.RequestID, Status: r.Status, Fault: r.Fault,
	}
}

// withoutToken removes the token from the path of a request that asks about one.
func withoutToken(path string) string {
	const tokens = "/v2.0/tokens/"
	if strings.HasPrefix(path, tokens) {
		return tokens + "TOKEN"
	}
	return path
}

// requestLog writes one JSON object a line for each request.
type requestLog struct {
	mu     sync.Mutex
	writer io.Writer
	close  func() error
	stderr io.Writer
	failed bool
}

// openLog opens the log at a path, or on stderr at the path -.
func openLog(path string, stderr io.Writer) (*requestLog, error) {
	if path == "-" {
		return &requestLog{writer: stderr, close: func() error { return nil }, stderr: stderr}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("cannot write the request log: %w", err)
	}
	return &requestLog{writer: file, close: file.Close, stderr: stderr}, nil
}

// write adds a request. It reports only the first error.
func (l *requestLog) write(r stub.Request) {
	line, err := json.Marshal(newRequestObject(r))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.writer.Write(append(line, '\n'))
	}
	if err != nil && !l.failed {
		l.failed = true
		fmt.Fprintf(l.stderr, "rackspace-stub: the request log is not complete: %v\n", err)
	}
}
